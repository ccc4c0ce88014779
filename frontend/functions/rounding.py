"""Rounding to whole numbers, and to digits (``torch.round`` and its relatives)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import BOOLEAN, INTEGER, bfloat16, float16, float32
from graphc.errors import DTypeError
from graphc.frontend.functions.convert import cast, require_tensor
from graphc.frontend.functions.factories import Unary, named
from graphc.frontend.functions.pointwise import div, mul
from graphc.opdef import OpDef
from graphc.ops import elementwise
from graphc.provenance import user_location_text

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

    Raises:
        DTypeError: for bools, and for integers with ``decimals``.
    """
    x = require_tensor("round", input)
    if x.dtype.category == INTEGER:
        if decimals:
            raise DTypeError(
                "round: integers have no decimals", got=f"{x.dtype.name}, decimals={decimals}",
                fix="cast it first, e.g. x.float()", where=user_location_text(),
            )  # fmt: skip
        return x
    if decimals == 0 or x.dtype.category == BOOLEAN:
        return elementwise.round_(x)
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    wide = cast(x, float32) if x.dtype in (float16, bfloat16) else x  # 16 bits have no 10 ** 5
    if decimals > 0:
        return cast(div(elementwise.round_(mul(wide, scale)), scale), x.dtype)
    return cast(mul(elementwise.round_(div(wide, scale)), scale), x.dtype)
