"""The passes in order, and the function that runs them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from graphc.config import CHECK, DISABLE
from graphc.errors import ArgumentError, GraphcError, PassError, did_you_mean
from graphc.graph import Graph
from graphc.passes.base import Journal, Pass, PassRecord, as_numerics, together, writing
from graphc.passes.check import check_values
from graphc.passes.control.bodies import OptimizeBodies
from graphc.passes.control.trim import TrimControl
from graphc.passes.cse import MergeEqual
from graphc.passes.fold import FOLD
from graphc.passes.frames import ReadInFrames
from graphc.passes.fuse import Fuse
from graphc.passes.prune import Prune
from graphc.passes.rules.align import ALIGN
from graphc.passes.rules.canonicalize import CANONICALIZE
from graphc.passes.rules.choose import CHOOSE
from graphc.passes.rules.simplify import SIMPLIFY
from graphc.passes.rules.stabilize import STABILIZE
from graphc.verify import verify

PIPELINE: tuple[tuple[str, Pass], ...] = (  # the lowest level that runs it, and the pass
    ("O1", Prune()),
    ("O1", TrimControl()),  # before rules that might make equal bodies differ
    ("O1", FOLD),
    ("O1", CANONICALIZE),  # needs folded constants to see 1 and 0
    ("O2", STABILIZE),  # before simplify, which would tear its patterns apart
    ("O2", SIMPLIFY),
    ("O1", FOLD),  # constants that the rules brought together
    ("O1", MergeEqual()),
    ("O1", Prune()),  # updates that became idle
    ("O1", TrimControl()),  # what the rules have made known or needless
    ("O1", OptimizeBodies()),  # behind all that moves nodes into bodies or out of them
    ("O2", CHOOSE),  # makes gather and scatter_add elementwise where that fuses
    ("O2", ALIGN),  # moves reshapes out of the way of fusion
    ("O2", Fuse(products=True)),  # behind all rules: none looks into kernels
    ("O2", ReadInFrames()),  # what a kernel makes, it can make inside of a larger value
)

LEVELS = ("O0", "O1", "O2")
PASS_NAMES = tuple(dict.fromkeys(each.name for _, each in PIPELINE))


def optimize(
    graph: Graph,
    *,
    level: str = "O2",
    disable: Iterable[str] = (),
    numerics: str = "strict",
    stop_after: str | None = None,
) -> tuple[Graph, list[PassRecord]]:
    """Run the pipeline.

    ``GRAPHC_DISABLE`` names passes to leave out, ``GRAPHC_CHECK`` checks what each pass did.

    Args:
        graph: the program.
        level: ``O0`` does nothing, ``O1`` cleans up, ``O2`` also rewrites and fuses.
        disable: names of passes to leave out.
        numerics: ``strict`` keeps every bit, ``stable`` also allows rules that are at least as
            accurate, ``fast`` also reassociates and ignores NaN and infinity.
        stop_after: the name of the last pass to run (its last run); None for all.

    Returns:
        The new graph and one record per pass that ran; ``inside: `` stands before the names of
        those that ran on graphs inside nodes.

    Raises:
        ArgumentError: if a name is unknown.
        PassError: if a pass failed or, under ``GRAPHC_CHECK``, did harm.
    """
    off = {*disable, *(name.strip() for name in DISABLE.text().split(",") if name.strip())}
    require_options(level, off if stop_after is None else {*off, stop_after}, numerics)
    names = [each.name for _, each in PIPELINE]
    end = len(names) if stop_after is None else len(names) - names[::-1].index(stop_after)
    chosen = [each for lowest, each in PIPELINE[:end] if lowest <= level and each.name not in off]
    return run_passes(graph, chosen, numerics=numerics)


def require_options(level: str, passes: Iterable[str], numerics: str) -> None:
    """Raise ArgumentError unless this level, these passes and these numerics exist."""
    for name in sorted(passes):
        _require_known("pass", name, PASS_NAMES)
    _require_known("level", level, LEVELS)
    as_numerics(numerics)


def run_passes(
    graph: Graph, passes: Sequence[Pass], *, numerics: str = "strict"
) -> tuple[Graph, list[PassRecord]]:
    """Run these passes in order; see ``optimize``."""
    level = as_numerics(numerics)
    check = CHECK.number()
    records: list[PassRecord] = []
    ensured: set[str] = set()

    def inside(body: Graph) -> tuple[Graph, list[PassRecord]]:
        return run_passes(body, passes, numerics=numerics)

    for each in passes:
        missing = sorted(set(each.requires) - ensured)
        if missing:
            raise PassError(f"pass {each.name!r} needs {', '.join(missing)}, which no pass ensured")
        start = time.perf_counter()
        with writing(Journal(level, optimizer=inside)) as notes:
            after = each.run(graph)
        seconds = time.perf_counter() - start
        if check >= 1:
            _verify_after(each, after)
        if check >= 2:
            check_values(each, graph, after, notes)
        records.append(
            PassRecord(each.name, seconds, len(graph), len(after), notes.fired(), notes.refused())
        )
        records += together("inside: ", notes.inside)
        ensured.update(each.ensures)
        graph = after
    return graph, records


def _verify_after(each: Pass, graph: Graph) -> None:
    try:
        verify(graph)
    except GraphcError as error:
        raise PassError(
            f"pass {each.name!r} broke the graph: {error.what}",
            got=error.got,
            expected=error.expected,
            where=error.where,
        ) from error


def _require_known(kind: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise ArgumentError(
            f"unknown {kind} {name!r}",
            expected=", ".join(known),
            fix=did_you_mean(name, known),
        )
