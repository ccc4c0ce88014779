"""The transpose of a square of vectors, in registers."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import BITS, Value
from graphc.runtime.llvm.kernels.squares import PIECE, joined, mixed


def turned(e: Emitter, vectors: Sequence[Value]) -> list[Value]:
    """Vector ``k`` of the result has lane ``k`` of each vector; there are as many as lanes."""
    side = len(vectors)
    piece = min(side, PIECE // BITS[vectors[0].elem])
    groups = [mixed(e, vectors[first : first + piece]) for first in range(0, side, piece)]
    rows = list(vectors)
    for number in range(piece):
        for position, row in enumerate(joined(e, [group[number] for group in groups])):
            rows[number + position * piece] = row
    return rows
