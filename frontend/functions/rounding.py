"""Rounding to whole numbers, and to digits (``torch.round`` and its relatives)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import INTEGER
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.factories import Unary, named
from graphc.frontend.functions.pointwise import div, mul
from graphc.opdef import OpDef
from graphc.ops import elementwise

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "ceil",
    "fix",
    "floor",
    "round",
    "trunc",
]


def _rounding(op: OpDef, name: str, doc: str) -> Unary:
    def function(input: Tensor) -> Tensor:
        x = require_tensor(name, input)
        return x if x.dtype.category == INTEGER else op(x)

    return named(function, name, doc)


floor = _rounding(elementwise.floor, "floor", "Round down; integers stay as they are.")
ceil = _rounding(elementwise.ceil, "ceil", "Round up; integers stay as they are.")
trunc = fix = _rounding(
    elementwise.trunc, "trunc", "Round towards zero; integers stay as they are."
)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Round to nearest, halves to even (``torch.round``).

    Args:
        input: tensor.
        decimals: digits after the point; negative ones round before it.
    """
    x = require_tensor("round", input)
    if x.dtype.category == INTEGER:
        return x
    if decimals == 0:
        return elementwise.round_(x)
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    if decimals > 0:
        return div(elementwise.round_(mul(x, scale)), scale)
    return mul(elementwise.round_(div(x, scale)), scale)
