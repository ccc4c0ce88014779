"""Cutting a tensor into pieces that share its memory (``torch.tensor_split`` and relatives)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.dtypes import int64
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import normalize_dim, require_rank, require_tensor
from graphc.frontend.functions.pieces import known_size
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["dsplit", "hsplit", "tensor_split", "vsplit"]

_cuts = also_called(indices="indices_or_sections", sections="indices_or_sections")


@_cuts
def tensor_split(
    input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0
) -> tuple[Tensor, ...]:
    """Pieces of almost one size, or between given positions.

    Args:
        input: tensor.
        indices_or_sections: the number of pieces, of which the first ones may be one larger; or
            the positions of the cuts.
        dim: the dim that is cut.

    Raises:
        DTypeError: for positions in a tensor that are not int64.
        ArgumentError: for fewer pieces than one.

    Source: ``torch.tensor_split``.

    Example:
        >>> import graphc as gc
        >>> gc.tensor_split(gc.arange(5), 2)
        (tensor([0, 1, 2]), tensor([3, 4]))
    """
    x = require_tensor("tensor_split", input)
    axis = normalize_dim("tensor_split", dim, x.ndim)
    size = known_size("tensor_split", x, axis)
    given = indices_or_sections
    if is_tensor(given) and given.dtype is not int64:
        raise DTypeError(
            "tensor_split: expected positions of dtype int64", got=given.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    cuts: Any = given.tolist() if is_tensor(given) else given
    if isinstance(cuts, int):
        if cuts < 1:
            raise ArgumentError(
                "tensor_split: expected one piece or more", got=str(cuts),
                where=user_location_text(),
            )  # fmt: skip
        base, larger = divmod(size, cuts)
        ends = [base * (i + 1) + min(i + 1, larger) for i in range(cuts - 1)]
    else:
        ends = [int(each) for each in cuts]
    bounds = [slice(start, end) for start, end in zip([0, *ends], [*ends, size], strict=True)]
    places = [each.indices(size)[:2] for each in bounds]
    return tuple(narrow(x, axis, start, max(start, stop)) for start, stop in places)


def _divided(
    function: str, input: Tensor, cuts: int | Sequence[int], rank: int, dim: int
) -> tuple[Tensor, ...]:
    x = require_rank(function, input, rank)
    size = known_size(function, x, dim)
    if isinstance(cuts, int) and (cuts < 1 or size % cuts):
        raise ArgumentError(
            f"{function}: the pieces do not divide the size of dim {dim}",
            got=f"{cuts} pieces of {x.type}", fix="use tensor_split", where=user_location_text(),
        )  # fmt: skip
    return tensor_split(x, cuts, dim)


@_cuts
def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cut columns; a vector along its only dim (``torch.hsplit``)."""
    x = require_tensor("hsplit", input)
    return _divided("hsplit", x, indices_or_sections, 1, 0 if x.ndim == 1 else 1)


@_cuts
def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cut rows (``torch.vsplit``)."""
    return _divided("vsplit", input, indices_or_sections, 2, 0)


@_cuts
def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cut the third dim (``torch.dsplit``)."""
    return _divided("dsplit", input, indices_or_sections, 3, 2)
