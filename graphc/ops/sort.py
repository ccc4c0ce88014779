"""The order of elements along a dim."""

from __future__ import annotations

import numpy as np

from graphc.dtypes import int64
from graphc.opdef import OpDef
from graphc.ops.infer import REAL, require_category, require_dim
from graphc.storage import Array
from graphc.types import TensorType


def _infer_argsort(x: TensorType, *, dim: int, descending: bool) -> TensorType:
    require_category("argsort", (x,), REAL)
    require_dim("argsort", dim, x.rank)
    return x.with_dtype(int64)


def _eval_argsort(x: Array, *, dim: int, descending: bool) -> Array:
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x
    if not descending:
        return np.ascontiguousarray(np.argsort(wide, dim, kind="stable"))
    backwards = np.argsort(np.flip(wide, dim), dim, kind="stable")
    return np.ascontiguousarray(x.shape[dim] - 1 - np.flip(backwards, dim))


argsort = OpDef("argsort", _infer_argsort, _eval_argsort)
"""The positions that sort; equal elements keep their order, NaN counts as the largest."""
