"""The passes over a row's reduced axes, and what they keep for each other.

Reductions that need each other take a pass each. A value that is heavy to compute and needed again
is kept in scratch memory by the first pass that computes it, as long as the row fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ordering import operands_first
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.ir.memory import computed_elem, stored_bytes
from graphc.runtime.llvm.kernels.analysis import Analysis
from graphc.runtime.llvm.kernels.costs import load_weight
from graphc.runtime.llvm.kernels.fetching import with_next_row
from graphc.runtime.llvm.kernels.iteration import Axis, Space
from graphc.runtime.llvm.kernels.schedule import Pass, Saved, padded
from graphc.runtime.llvm.kernels.vectors import widths
from graphc.runtime.llvm.scalar.scalar_ops import weight

HEAVY = 8
"""A value that takes this many instructions is kept for the next pass, not computed again."""

SCRATCH_LIMIT = 1 << 18
"""Bytes of values that passes may keep for each other."""


def plain_passes(analysis: Analysis, target: Target) -> tuple[Pass, ...]:
    """One pass for each depth of reductions, and one for results that vary inside a row."""
    return _with_lanes(analysis, _passes(analysis), target)


def saving_passes(
    analysis: Analysis, target: Target, widest: int
) -> tuple[tuple[Pass, ...], Mapping[Node, Saved], int]:
    """Passes that keep heavy values for later ones and fetch memory where that pays.

    Args:
        analysis: the values of a phase.
        target: the processor.
        widest: the width of vectors along the vector axis.

    Returns:
        The passes, where each kept value lies in scratch memory, and how much of that they need.
    """
    passes, saved, scratch = _with_saved(analysis, _passes(analysis), widest)
    return with_next_row(analysis, _with_lanes(analysis, passes, target)), saved, scratch


def _passes(analysis: Analysis) -> tuple[Pass, ...]:
    """One pass for each depth of reductions, and one for results that vary inside a row."""
    passes = []
    for depth in range(1, analysis.passes + 1):
        reductions = tuple(
            node
            for node in analysis.nodes
            if analysis.is_reduction(node) and analysis.depth[node] == depth
        )
        passes.append(Pass(reductions, ()))
    last = Pass((), ())
    if not analysis.raw and _roots(analysis, last):
        passes.append(last)
    return tuple(replace(each, wanted=_needed(analysis, _roots(analysis, each))) for each in passes)


def _roots(analysis: Analysis, each: Pass) -> list[Node]:
    """The values that a pass is for: what it reduces, or the results inside a row."""
    if each.reductions:
        return [node.inputs[0] for node in each.reductions]
    return [
        node
        for number, node in enumerate(analysis.results)
        if any(axis.reduced for axis in analysis.spans(number))
    ]


def _needed(
    analysis: Analysis, roots: Sequence[Node], known: Sequence[Node] = ()
) -> tuple[Node, ...]:
    """The values of the row's points that the roots need."""

    def operands(node: Node) -> tuple[Node, ...]:
        if node in analysis.leaves or analysis.is_reduction(node) or node in known:
            return ()
        return node.inputs

    return tuple(operands_first(roots, operands))


def _with_saved(
    analysis: Analysis, passes: Sequence[Pass], widest: int
) -> tuple[tuple[Pass, ...], Mapping[Node, Saved], int]:
    """Let passes keep heavy values for later ones, as far as the scratch memory goes."""
    space = analysis.space
    row = space.rounds * (widest if space.vector in space.kept else 1)
    saved: dict[Node, Saved] = {}
    first: dict[Node, int] = {}
    results: list[Pass] = []
    offset = 0
    for number, each in enumerate(passes):
        roots = _roots(analysis, each)
        new = {node for node in each.wanted if node not in first}
        reads = []
        for node in each.wanted:
            frontier = node in roots or any(node in user.inputs for user in new)
            if node in new or not frontier or not _is_heavy_point(analysis, node, widest):
                continue
            nbytes = padded(row * stored_bytes(computed_elem(node.type.dtype)))
            if node not in saved and offset + nbytes <= SCRATCH_LIMIT:
                saved[node] = Saved(offset, _row_strides(space, widest))
                offset += nbytes
                origin = results[first[node]]
                results[first[node]] = replace(origin, saves=(*origin.saves, node))
            if node in saved:
                reads.append(node)
        first |= dict.fromkeys(new, number)
        wanted = _needed(analysis, roots, reads)
        results.append(replace(each, wanted=wanted, reads=tuple(reads)))
    return tuple(results), saved, offset


def _with_lanes(analysis: Analysis, passes: Sequence[Pass], target: Target) -> tuple[Pass, ...]:
    """Passes with widths of their own: light ones keep more vectors in flight."""
    inside = analysis.space.vector in analysis.space.reduced and not analysis.raw
    results = []
    for each in passes:
        computed = set(each.wanted).difference(each.reads) if inside else ()
        results.append(replace(each, lanes=widths(analysis, target, computed)))
    return tuple(results)


def _is_heavy_point(analysis: Analysis, node: Node, lanes: int) -> bool:
    """Whether a value differs at each point of a row and is better kept than computed again."""
    if not set(analysis.space.reduced) <= analysis.varying[node]:
        return False
    return _cone_weight(analysis, node, lanes) >= HEAVY


def _cone_weight(analysis: Analysis, root: Node, lanes: int) -> float:
    """About how many instructions a value takes inside a row, from what is read."""
    total = 0.0
    for node in _needed(analysis, [root]):
        if not any(axis.reduced for axis in analysis.varying[node]):
            continue
        if node in analysis.leaves:
            load = load_weight(analysis, node, lanes)
            total += load if load > 1 else 0
        elif has_trait(node, Trait.ELEMENTWISE):
            total += weight(node)
    return total


def _row_strides(space: Space, widest: int) -> dict[Axis, int]:
    """A kept value's strides: the row's points side by side, or vectors of columns."""
    step = widest if space.vector in space.kept else 1
    strides = {}
    for axis in reversed(space.reduced):
        strides[axis] = step
        step *= axis.size
    return strides
