"""What a session knows of native calls: runs of one compiled form that need no Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class NativeCalls(Protocol):
    """Runs of one compiled form without Python, where everything is ordinary.

    They answer ``NotImplemented`` to whatever is not ordinary, and have done nothing then.
    """

    @property
    def run(self) -> Callable[[Any], Any]:
        """Takes a dict of arrays by name and returns what ``Session.run`` does."""
        ...

    @property
    def flat(self) -> Callable[..., Any]:
        """Takes the arrays in the order of the inputs and returns a tuple of all outputs."""
        ...

    @property
    def boxed(self) -> Callable[..., Any]:
        """Like ``flat`` with outputs in boxes; a single output as it is."""
        ...

    @property
    def runs(self) -> int:
        """How many runs came to an end."""
        ...

    @property
    def busy(self) -> bool:
        """Whether a run is under way in another thread."""
        ...

    def close(self) -> None:
        """Let no further run begin."""
        ...

    def renew(self) -> None:
        """Forget the runs of other threads, which do not exist in a forked child."""
        ...
