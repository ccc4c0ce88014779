"""What a pass is, and what a run of it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from graphc.errors import ArgumentError, did_you_mean
from graphc.graph import Graph
from graphc.node import Node
from graphc.provenance import Origin, describe_places, ordered_origins

Numerics = Literal["strict", "stable", "fast"]
"""How far results may move: not by a bit; only to be more accurate; as ordinary algebra does."""

NUMERICS: tuple[Numerics, ...] = get_args(Numerics)
PLACES = 5
"""How many places a record lists for one rule or one reason."""


class Pass(Protocol):
    """One transformation of graphs; a frozen dataclass."""

    @property
    def name(self) -> str:
        """The word for ``disable=`` and ``stop_after=``."""
        ...

    @property
    def requires(self) -> tuple[str, ...]:
        """What must hold before, in words that other passes ensure."""
        ...

    @property
    def ensures(self) -> tuple[str, ...]:
        """What holds afterwards."""
        ...

    def run(self, graph: Graph) -> Graph:
        """The transformed graph; the same object if there was nothing to do."""
        ...


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened, and the first places where it did.

    Args:
        count: how often.
        origins: the user's places at the first times, the latest last in each.
    """

    count: int
    origins: tuple[tuple[Origin, ...], ...]

    @property
    def places(self) -> tuple[str, ...]:
        """The origins for people, each text once."""
        return tuple(dict.fromkeys(map(describe_places, self.origins)))


@dataclass(frozen=True, slots=True)
class PassRecord:
    """What one pass did to one graph.

    Args:
        name: the pass.
        seconds: how long it took.
        before: the number of nodes it found.
        after: the number of nodes it left.
        fired: by rule, how often and where it changed something.
        refused: by reason, how often and where a change was possible but not made.
    """

    name: str
    seconds: float
    before: int
    after: int
    fired: Mapping[str, Tally]
    refused: Mapping[str, Tally]


def together(prefix: str, records: Iterable[PassRecord]) -> list[PassRecord]:
    """One record for each pass that ran on several graphs, with a prefix to its name."""
    by_name: dict[str, list[PassRecord]] = {}
    for record in records:
        by_name.setdefault(record.name, []).append(record)
    return [
        PassRecord(
            f"{prefix}{name}",
            sum(each.seconds for each in same),
            sum(each.before for each in same),
            sum(each.after for each in same),
            _summed(each.fired for each in same),
            _summed(each.refused for each in same),
        )
        for name, same in by_name.items()
    ]


def _summed(tallies: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for what, tally in (item for each in tallies for item in each.items()):
        before = found.get(what, Tally(0, ()))
        places = dict.fromkeys((*before.origins, *tally.origins))
        found[what] = Tally(before.count + tally.count, tuple(places)[:PLACES])
    return found


Optimizer = Callable[[Graph], "tuple[Graph, list[PassRecord]]"]


@dataclass(frozen=True, slots=True)
class Firing:
    """One change: the rule, the operation that it changed, the user's places, if it is exact."""

    rule: str
    operation: str
    origins: tuple[Origin, ...]
    exact: bool

    @property
    def place(self) -> str:
        """The origins for people."""
        return describe_places(self.origins)


@dataclass
class Journal:
    """Notes of a running pass; passes reach the current one through ``journal()``.

    Args:
        numerics: which rules may run.
        budget: how many changes are allowed; None for all. A replay with a smaller budget makes
            the same first changes, which is how the check mode finds a wrong one.
        optimizer: runs the passes of this run of the pipeline on a graph inside a node; None
            outside of the pipeline.
    """

    numerics: Numerics = "strict"
    budget: int | None = None
    optimizer: Optimizer | None = None
    firings: list[Firing] = field(default_factory=list)
    inside: list[PassRecord] = field(default_factory=list)
    _refusals: dict[tuple[str, Node], tuple[Origin, ...]] = field(default_factory=dict)

    def allows(self, needs: Numerics) -> bool:
        """True if a rule that needs this level may run."""
        return NUMERICS.index(needs) <= NUMERICS.index(self.numerics)

    def fire(self, rule: str, node: Node, needs: Numerics = "strict") -> bool:
        """Note a change; False if the budget is spent and the change must not be made."""
        if self.budget is not None and len(self.firings) >= self.budget:
            return False
        self.firings.append(Firing(rule, repr(node), ordered_origins(node), needs == "strict"))
        return True

    def refuse(self, reason: str, node: Node) -> None:
        """Note that a change was possible here but was not made; once per node and reason."""
        self._refusals.setdefault((reason, node), ordered_origins(node))

    def optimized(self, body: Graph) -> Graph:
        """A graph inside a node, better if that is possible here; notes what the passes did."""
        if self.optimizer is None:
            return body
        body, records = self.optimizer(body)
        self.inside += records
        return body

    def fired(self) -> dict[str, Tally]:
        """The changes by rule."""
        return _tallies((firing.rule, firing.origins) for firing in self.firings)

    def refused(self) -> dict[str, Tally]:
        """The refusals by reason."""
        return _tallies((reason, places) for (reason, _), places in self._refusals.items())


_current: ContextVar[Journal | None] = ContextVar("journal", default=None)


def journal() -> Journal:
    """The journal of the running pass; a strict one that nobody reads outside the pipeline."""
    return _current.get() or Journal()


@contextmanager
def writing(notes: Journal) -> Iterator[Journal]:
    """Make this the current journal inside the block."""
    token = _current.set(notes)
    try:
        yield notes
    finally:
        _current.reset(token)


def as_numerics(text: str) -> Numerics:
    """The level with this name.

    Raises:
        ArgumentError: if there is none.
    """
    for level in NUMERICS:
        if level == text:
            return level
    raise ArgumentError(
        f"unknown numerics level {text!r}",
        expected=", ".join(NUMERICS),
        fix=did_you_mean(text, NUMERICS),
    )


def _tallies(events: Iterable[tuple[str, tuple[Origin, ...]]]) -> dict[str, Tally]:
    found: dict[str, list[tuple[Origin, ...]]] = {}
    for what, origins in events:
        found.setdefault(what, []).append(origins)
    return {
        what: Tally(len(places), tuple(dict.fromkeys(places))[:PLACES])
        for what, places in found.items()
    }
