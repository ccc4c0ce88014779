"""What a session knows of an optimizer: a function of graphs that tells what its passes did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from graphc.graph import Graph


class Tally(Protocol):
    """How often something happened, and the first places where it did."""

    @property
    def count(self) -> int:
        """How often."""
        ...

    @property
    def places(self) -> tuple[str, ...]:
        """The user's lines."""
        ...


class PassReport(Protocol):
    """What an optimizer tells about one pass that ran."""

    @property
    def name(self) -> str:
        """The pass."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...

    @property
    def before(self) -> int:
        """Nodes of the graph that it got."""
        ...

    @property
    def after(self) -> int:
        """Nodes of the graph that it gave."""
        ...

    @property
    def fired(self) -> Mapping[str, Tally]:
        """By rule, how often and where it changed something."""
        ...

    @property
    def refused(self) -> Mapping[str, Tally]:
        """By reason, how often and where a change was possible but not made."""
        ...


Optimize = Callable[[Graph], tuple[Graph, Sequence[PassReport]]]
