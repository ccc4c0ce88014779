"""The transpose of a square of vectors, in registers."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.values import Value


def turned(e: Emitter, vectors: Sequence[Value]) -> list[Value]:
    """Vector ``k`` of the result has lane ``k`` of each vector; there are as many as lanes.

    Each step exchanges blocks off the diagonal, twice as large as those of the step before.
    """
    rows, side, distance = list(vectors), len(vectors), 1
    while distance < side:
        upper = [lane // distance % 2 == 1 for lane in range(side)]
        for k in range(side):
            if not upper[k]:
                a, b = rows[k], rows[k + distance]
                keep = [side + i - distance if up else i for i, up in enumerate(upper)]
                swap = [side + i if up else i + distance for i, up in enumerate(upper)]
                rows[k], rows[k + distance] = e.merge(a, b, keep), e.merge(a, b, swap)
        distance *= 2
    return rows
