"""Values that must not be NaN: a step that stops a run where a gradient first is NaN."""

from __future__ import annotations

import numpy as np

from graphc.errors import AutogradError, DTypeError
from graphc.opdef import OpDef, Trait
from graphc.storage import Array
from graphc.types import TensorType


def _infer_no_nan(x: TensorType, *, what: str, where: str) -> TensorType:
    if not x.dtype.is_differentiable:
        raise DTypeError("no_nan: only floating point and complex values can be NaN", got=str(x))
    return x


def _eval_no_nan(x: Array, *, what: str, where: str) -> Array:
    if np.isnan(x).any():
        count = int(np.count_nonzero(np.isnan(x)))
        raise AutogradError(what, got=f"{count} NaN among {x.size} elements", where=where)
    return np.array(x, order="C")


no_nan = OpDef("no_nan", _infer_no_nan, _eval_no_nan, lambda call, g: (g,), Trait.FALLIBLE)
"""The same values; raises if one of them is NaN: ``what`` says of what, ``where`` its line."""
