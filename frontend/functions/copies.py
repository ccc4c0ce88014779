"""PyTorch's ``*_copy`` functions: what view functions give, in memory of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Size
from graphc.frontend.functions import (
    complexes,
    diagonals,
    facts,
    indexing,
    picking,
    pieces,
    rearranging,
    shaping,
)
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import normalize_dim, require_tensor
from graphc.frontend.functions.factories import named
from graphc.frontend.functions.strides import as_strided

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "alias_copy",
    "as_strided_copy",
    "detach_copy",
    "diagonal_copy",
    "expand_copy",
    "narrow_copy",
    "permute_copy",
    "select_copy",
    "slice_copy",
    "split_copy",
    "split_with_sizes",
    "split_with_sizes_copy",
    "squeeze_copy",
    "t_copy",
    "transpose_copy",
    "unbind_copy",
    "unfold_copy",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "unsqueeze_copy",
    "view_as_complex_copy",
    "view_as_real_copy",
    "view_copy",
]


def _copying(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function with results that share no memory."""

    @functools.wraps(function)
    def copied(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        if isinstance(made, tuple):
            return tuple(shaping.clone(each) for each in made)
        return shaping.clone(made)

    like = name.removesuffix("_copy").removeprefix("unsafe_")
    return named(copied, name, f"As ``{like}``, but the result has its own memory.")


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Parts of these sizes along a dim (``torch.split_with_sizes``)."""
    return pieces.split(input, list(split_sizes), dim)


def _slice(
    input: Tensor, dim: int = 0, start: Size | None = None, end: Size | None = None, step: int = 1
) -> Tensor:
    x = require_tensor("slice_copy", input)
    axis = normalize_dim("slice_copy", dim, x.ndim)
    return indexing.getitem(x, (*[slice(None)] * axis, slice(start, end, step)))


def _expand(input: Tensor, size: Sequence[Size], *, implicit: bool = False) -> Tensor:
    return shaping.expand(input, tuple(size))


alias_copy = named(
    lambda input: shaping.clone(input), "alias_copy", "The tensor in memory of its own."
)
as_strided_copy = as_strided
detach_copy = _copying(facts.detach, "detach_copy")
diagonal_copy = _copying(diagonals.diagonal, "diagonal_copy")
expand_copy = _copying(_expand, "expand_copy")
narrow_copy = _copying(pieces.narrow, "narrow_copy")
permute_copy = _copying(shaping.permute, "permute_copy")
select_copy = _copying(picking.select, "select_copy")
slice_copy = _copying(_slice, "slice_copy")
split_copy = _copying(pieces.split, "split_copy")
split_with_sizes_copy = _copying(split_with_sizes, "split_with_sizes_copy")
squeeze_copy = _copying(shaping.squeeze, "squeeze_copy")
t_copy = _copying(shaping.t, "t_copy")
transpose_copy = _copying(shaping.transpose, "transpose_copy")
unbind_copy = _copying(pieces.unbind, "unbind_copy")
unfold_copy = rearranging.unfold
unsafe_chunk = _copying(pieces.chunk, "unsafe_chunk")
unsafe_split = _copying(pieces.split, "unsafe_split")
unsafe_split_with_sizes = _copying(split_with_sizes, "unsafe_split_with_sizes")
unsqueeze_copy = _copying(shaping.unsqueeze, "unsqueeze_copy")
view_as_complex_copy = complexes.view_as_complex
view_as_real_copy = complexes.view_as_real
view_copy = _copying(also_called(size="shape")(shaping.reshape), "view_copy")
