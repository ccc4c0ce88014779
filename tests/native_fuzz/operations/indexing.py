"""Steps that read and add where an index says, repeated indices among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import graphc as gc
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.program import Step
from tests.programs.base import Array


def gathered(b: Builder) -> Step | None:
    """Elements at positions along a dim."""
    at = b.pick(lambda one: bool(one.shape) and one.size > 0)
    if at is None:
        return None
    x = b[at]
    dim = b.below(len(x.shape))
    exact = x.exact
    name = b.choose(["gather", "rows", "index_select", "pairs"])
    if name == "gather":
        shape = [b.below(n) + 1 if b.chance(0.3) else n for n in x.shape]
        shape[dim] = int(b.rng.choice(b.sizes.palette))
        if not b.fits(shape):
            return None
        where = _index(b, tuple(shape), x.shape[dim])
        return Step(f"gather{dim}", (at, where), lambda v, i: gc.gather(v, dim, i), exact)
    count = int(b.rng.choice(b.sizes.palette))
    if name == "index_select":
        where = _index(b, (count,), x.shape[dim])
        return Step(f"index_select{dim}", (at, where), lambda v, i: v.index_select(dim, i), exact)
    if name == "pairs" and len(x.shape) > 1:
        rows, columns = _index(b, (count,), x.shape[0]), _index(b, (count,), x.shape[1])
        return Step("pairs", (at, rows, columns), lambda v, i, j: v[i, j], exact)
    where = _index(b, (count, 2) if b.chance(0.3) else (count,), x.shape[0], negative=True)
    return Step("rows", (at, where), lambda v, i: v[i], exact)


def scattered(b: Builder) -> Step | None:
    """Values added up where an index says."""
    at = b.pick(lambda one: bool(one.shape) and one.size > 0 and one.kind != "b")
    if at is None:
        return None
    x = b[at]
    dim = b.below(len(x.shape))
    shape = list(x.shape)
    shape[dim] = int(b.rng.choice(b.sizes.palette))
    if not b.fits(shape):
        return None
    other = b.pick(lambda one: one.dtype == x.dtype and one.shape == tuple(shape))
    source = b.source(tuple(shape), x.dtype) if other is None else other
    where = _index(b, tuple(shape), x.shape[dim])

    def spread(operands: Sequence[Array], result: Array) -> Array:
        v, i, s = operands
        total = gc.scatter_add(
            gc.tensor(np.abs(v)), dim, gc.tensor(i.astype(np.int64)), gc.tensor(np.abs(s))
        )
        return np.asarray(np.nan_to_num(total.numpy(), posinf=0) * np.sqrt(shape[dim]))

    return Step(f"scatter_add{dim}", (at, where, source),
                lambda v, i, s: gc.scatter_add(v, dim, i, s), x.kind != "f", spread)  # fmt: skip


def _index(b: Builder, shape: tuple[int, ...], size: int, negative: bool = False) -> int:
    low = -size if negative else 0
    high = max(1, size // 4) if b.chance(0.3) else size
    array = b.rng.integers(low, high, shape)
    return b.given(array.astype(np.int32) if b.chance(0.2) else array, "input")
