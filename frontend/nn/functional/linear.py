"""Affine maps and table look-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import indexing
from graphc.frontend.functions.convert import promote, require_tensor, scalar_tensor
from graphc.frontend.functions.indexing import one_hot
from graphc.frontend.functions.pointwise import add
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.shaping import unsqueeze
from graphc.ops import comparison, linalg, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["embedding", "linear", "one_hot"]


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


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` at these indices.

    Args:
        input: integer indices, any shape.
        weight: ``(rows, size)``.
        padding_idx: a row that gets no gradient; negative ones count from the end.
        max_norm: not supported.
        norm_type: belongs to ``max_norm``.
        scale_grad_by_freq: not supported.
        sparse: no effect on values; gradients are dense.

    Returns:
        The input's shape and ``size``.

    Raises:
        IndexRangeError: for an index outside ``0 .. rows - 1``, when it runs.
        ArgumentError: for an option that is not supported.

    Source: ``torch.nn.functional.embedding``.
    """
    require_plain_embedding(max_norm, scale_grad_by_freq)
    rows = indexing.embedding(require_tensor("embedding", weight), input)
    if padding_idx is None or not weight.requires_grad:
        return rows
    row = check_padding(padding_idx, int(weight.shape[0]))
    padded = comparison.eq(unsqueeze(input, -1), scalar_tensor(row, input.dtype))
    return select.where(padded, rows.detach(), rows)


def require_plain_embedding(max_norm: float | None, scale_grad_by_freq: bool) -> None:
    """Raise ArgumentError for options that graphc does not have."""
    if max_norm is not None or scale_grad_by_freq:
        raise ArgumentError(
            "embedding: max_norm and scale_grad_by_freq are not supported",
            got=f"max_norm={max_norm}, scale_grad_by_freq={scale_grad_by_freq}",
            where=user_location_text(),
        )


def check_padding(padding_idx: int, rows: int) -> int:
    """The padding row counted from the front.

    Raises:
        ArgumentError: if there is no such row.
    """
    if not -rows <= padding_idx < rows:
        raise ArgumentError(
            "embedding: padding_idx is no row of the table", got=str(padding_idx),
            expected=f"{-rows}..{rows - 1}", where=user_location_text(),
        )  # fmt: skip
    return padding_idx % rows
