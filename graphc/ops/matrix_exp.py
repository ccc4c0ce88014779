"""The exponential of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.opdef import Call, OpDef, Saves
from graphc.ops.linalg import adjoint
from graphc.ops.matrices import each_matrix, matrix_sizes, require_matrix
from graphc.ops.select import zeros_like
from graphc.ops.shape import concat, narrow
from graphc.storage import Array
from graphc.types import TensorType


def _infer_matrix_exp(a: TensorType) -> TensorType:
    require_matrix("matrix_exp", a, square=True)
    return a


def _eval_matrix_exp(a: Array) -> Array:
    from scipy.linalg import expm

    return each_matrix(lambda x: np.asarray(expm(x)), a.shape[-2:], a)


def _matrix_exp_vjp(call: Call, g: Any) -> tuple[Any]:
    """The upper right block of the exponential of ``[[a.H, g], [0, a.H]]``."""
    turned = adjoint(call.inputs[0])
    size, _ = matrix_sizes("matrix_exp", turned.type)
    rank = len(turned.type.shape)
    above = concat(turned, g, dim=rank - 1)
    below = concat(zeros_like(turned), turned, dim=rank - 1)
    whole = matrix_exp(concat(above, below, dim=rank - 2))
    return (narrow(narrow(whole, rank - 2, 0, size), rank - 1, size, 2 * size),)


matrix_exp: OpDef = OpDef(
    "matrix_exp", _infer_matrix_exp, _eval_matrix_exp, _matrix_exp_vjp, saves=Saves.INPUTS
)
"""``I + a + a @ a / 2 + ...``."""
