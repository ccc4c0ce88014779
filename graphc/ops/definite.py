"""Cholesky's decomposition that tells where it ends instead of raising (LAPACK evaluates)."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Saves
from graphc.ops.matrices import (
    each_matrix,
    lapack_routine,
    matrix_sizes,
    packed,
    require_matrix,
    unpacked,
)  # fmt: skip
from graphc.ops.solve import cholesky
from graphc.storage import Array
from graphc.types import TensorType


def _infer_cholesky(a: TensorType) -> TensorType:
    require_matrix("cholesky_ex", a, square=True)
    side, _ = matrix_sizes("cholesky_ex", a)
    return a.with_shape((*a.shape[:-2], side * side + 1))


def _eval_cholesky(a: Array) -> Array:
    side = a.shape[-1]
    potrf = lapack_routine("potrf", a.dtype)

    def factor(matrix: Array) -> Array:
        if not side:
            return np.zeros(1, a.dtype)
        found, info = potrf(matrix, lower=True, clean=True)
        unknown = np.flatnonzero(np.isnan(np.diagonal(found)))  # which LAPACK may not notice
        if unknown.size and not 0 < info <= unknown[0]:
            info = unknown[0] + 1
        return packed([np.asarray(found), np.array([info], a.dtype)], (2, 1))

    return each_matrix(factor, (side * side + 1,), a)


def cholesky_parts(x: Any, side: int) -> tuple[Any, Any]:
    """The lower factors, and as numbers of their dtype the minors that ended them; 0 for none."""
    factor, info = unpacked(x, [(side, side), ()])
    return factor, info


def _cholesky_vjp(call: Call, g: Any) -> tuple[Any]:
    side = call.inputs[0].type.shape[-1]
    factor, _ = cholesky_parts(call.output, side)
    to_factor, _ = cholesky_parts(g, side)
    assert cholesky.vjp is not None
    return (cholesky.vjp(Call(call.inputs, factor, {}), to_factor)[0],)


cholesky_ex = OpDef(
    "cholesky_ex", _infer_cholesky, _eval_cholesky, _cholesky_vjp, saves=Saves.OUTPUT
)
"""The lower factor and where it ends, in one row; see ``cholesky_parts``. It never raises."""
