"""Affine maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ShapeError
from graphc.frontend.functions.convert import promote, require_tensor
from graphc.frontend.functions.pointwise import add
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.shaping import reshape, unsqueeze
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import linalg
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["bilinear", "linear"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``.

    Args:
        input: ``(..., in)``.
        weight: ``(out, in)``, or ``(in,)``.
        bias: ``(out,)``, or ``()`` for a weight with one dim.

    Returns:
        ``(..., out)``, or ``(...)`` for a weight with one dim.

    Raises:
        ShapeError: if the last size of ``input`` is not ``in``.

    Source: ``torch.nn.functional.linear``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.linear(gc.ones(2, 3), gc.ones(4, 3), gc.ones(4)).shape
        (2, 4)
    """
    x, table = promote("linear", require_tensor("linear", input), require_tensor("linear", weight))
    if table.ndim not in (1, 2) or x.ndim == 0:
        raise ShapeError(
            "linear: the weight must be (out, in) or (in,), the input (..., in)",
            got=f"input {x.type}, weight {table.type}", where=user_location_text(),
        )  # fmt: skip
    product = linalg.linear(x, table) if table.ndim == 2 else matmul(x, table)
    return product if bias is None else add(product, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[o] @ input2 + bias[o]`` for each output ``o``.

    Args:
        input1: ``(..., first)``.
        input2: ``(..., second)``.
        weight: ``(out, first, second)``.
        bias: ``(out,)``.

    Returns:
        ``(..., out)``.

    Raises:
        ShapeError: if the shapes do not fit.

    Source: ``torch.nn.functional.bilinear``.
    """
    a, b, table = (require_tensor("bilinear", x) for x in (input1, input2, weight))
    fits = (
        table.ndim == 3
        and a.ndim == b.ndim >= 1
        and agree(a.shape[:-1], b.shape[:-1])
        and agree((a.shape[-1], b.shape[-1]), table.shape[1:])
    )
    if not fits:
        raise ShapeError(
            "bilinear: expected (..., first), (..., second) and (out, first, second)",
            got=f"{a.type}, {b.type} and {table.type}", where=user_location_text(),
        )  # fmt: skip
    out, first, second = table.shape
    products = matmul(a, reshape(table.permute(1, 0, 2), (first, out * second)))
    split = reshape(products, (*a.shape[:-1], out, second))
    result = reshape(matmul(split, unsqueeze(b, -1)), (*a.shape[:-1], out))
    return result if bias is None else add(result, bias)
