"""How wide the vectors of a kernel are, and how they cover an axis."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from graphc.graph import has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.ir.memory import computed_elem
from graphc.runtime.llvm.ir.values import BITS
from graphc.runtime.llvm.kernels.analysis import Analysis
from graphc.runtime.llvm.scalar.scalar_ops import weight


@dataclass(frozen=True, slots=True)
class Segment:
    """Part of the vector axis: ``count`` vectors of ``lanes`` from ``start`` on.

    Of the lanes of each vector, the first ``active`` exist.
    """

    start: int
    lanes: int
    count: int
    active: int


def widths(
    analysis: Analysis,
    target: Target,
    computed: Iterable[Node] = (),
    transposed: Collection[int] = (),
) -> tuple[int, ...]:
    """Widths to use, in lanes: one register's and, for light bodies, several registers'.

    Several registers at once hide the latency of instructions; a heavy body would spill them. Few
    values live at one time, so 32 registers hold two of each even where the chain is long.

    Args:
        analysis: the values.
        target: the processor.
        computed: the values to compute in one loop; all of the analysis by default.
        transposed: numbers of places that are read from transposed tiles.
    """
    vector = analysis.space.vector
    if vector is None:
        return (1,)
    elems = [computed_elem(node.type.dtype) for node in analysis.nodes]
    floats = [BITS[elem] for elem in elems if elem in ("float", "double")]
    single = target.lanes(max(floats or [max(8, BITS[elem]) for elem in elems]))
    strides = [stride for number, stride in enumerate(vector.strides) if number not in transposed]
    if any(stride not in (0, 1) for stride in strides):
        return (single,)  # every lane is a load of its own
    nodes = tuple(computed) or analysis.nodes
    work = sum(weight(node) for node in nodes if _is_computed(analysis, node))
    registers = 32 if target.isa in ("avx512", "neon") else 16
    long = 4 * registers if registers > 16 else registers
    together = 4 if 2 * work <= registers else 2 if work <= long else 1
    while together > 1 and single * together > vector.size:
        together //= 2
    return (single, single * together) if together > 1 else (single,)


def _is_computed(analysis: Analysis, node: Node) -> bool:
    return has_trait(node, Trait.ELEMENTWISE) and node not in analysis.leaves


def segments(size: int, lanes: Sequence[int]) -> list[Segment]:
    """Cut an axis: wide vectors first, then single ones, and one masked vector for the rest."""
    result, start = [], 0
    for width in sorted(lanes, reverse=True):
        count = (size - start) // width
        if count:
            result.append(Segment(start, width, count, width))
            start += count * width
    rest = size - start
    if rest:
        result.append(Segment(start, 1 << (rest - 1).bit_length(), 1, rest))
    return result
