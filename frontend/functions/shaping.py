"""Shape and order of dims: reshape, permute, expand, squeeze, flip (``torch``'s names)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Dim, Shape, Size
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import (
    normalize_dim,
    normalize_dims,
    positional,
    require_tensor,
    shape_argument,
)  # fmt: skip
from graphc.frontend.memory.views import own
from graphc.ops import select
from graphc.ops import shape as ops
from graphc.provenance import user_location_text
from graphc.shapes import broadcast_shapes, numel

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "broadcast_tensors",
    "broadcast_to",
    "clone",
    "flatten",
    "flip",
    "permute",
    "reshape",
    "squeeze",
    "t",
    "transpose",
    "unsqueeze",
]


def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """The same elements in another shape; one size may be -1 (``torch.reshape``).

    Args:
        input: tensor.
        sizes: one by one or as one sequence.
        shape: the sizes by name.

    Raises:
        ShapeError: if the number of elements differs.

    Example:
        >>> import graphc as gc
        >>> gc.arange(6).reshape(2, -1).shape
        (2, 3)
    """
    x = require_tensor("reshape", input)
    wanted = shape_argument("reshape", sizes, shape, least=-1)
    return ops.reshape(x, shape=_infer_size(x.shape, wanted))


def _infer_size(old: Shape, new: Shape) -> Shape:
    unknown = [axis for axis, size in enumerate(new) if isinstance(size, int) and size == -1]
    if not unknown:
        return new
    known: Size = numel(tuple(size for axis, size in enumerate(new) if axis not in unknown[:1]))
    total = numel(old)
    fits = len(unknown) == 1 and known != 0
    if fits and isinstance(known, int) and isinstance(total, int):
        fits = total % known == 0
    if not fits:
        raise ShapeError(
            "reshape: the size for -1 cannot be found", got=f"{old} to {new}",
            expected="one -1, and the other sizes divide the number of elements",
            where=user_location_text(),
        )  # fmt: skip
    return tuple(total // known if axis == unknown[0] else s for axis, s in enumerate(new))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the dims ``start_dim .. end_dim`` into one (``torch.flatten``).

    Raises:
        ArgumentError: if ``start_dim`` comes after ``end_dim``.
    """
    x = require_tensor("flatten", input)
    if x.ndim == 0:
        return ops.reshape(x, shape=(1,))
    start = normalize_dim("flatten", start_dim, x.ndim)
    end = normalize_dim("flatten", end_dim, x.ndim)
    if start > end:
        raise ArgumentError(
            "flatten: start_dim comes after end_dim",
            got=f"{start_dim}, {end_dim}",
            where=user_location_text(),
        )
    merged = numel(x.shape[start : end + 1])
    return ops.reshape(x, shape=(*x.shape[:start], merged, *x.shape[end + 1 :]))


def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """Reorder dims (``torch.permute``)."""
    x = require_tensor("permute", input)
    order = positional("permute", order, dims)
    if len(order) == 1 and isinstance(order[0], list | tuple):
        order = tuple(order[0])
    return ops.permute(x, dims=tuple(normalize_dim("permute", dim, x.ndim) for dim in order))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two dims (``torch.transpose``)."""
    x = require_tensor("transpose", input)
    first = normalize_dim("transpose", dim0, x.ndim)
    second = normalize_dim("transpose", dim1, x.ndim)
    order = list(range(x.ndim))
    if order:
        order[first], order[second] = order[second], order[first]
    return ops.permute(x, dims=tuple(order))


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors and numbers stay (``torch.t``).

    Raises:
        ShapeError: for more than two dims.
    """
    x = require_tensor("t", input)
    if x.ndim > 2:
        raise ShapeError(
            "t: expected at most two dims",
            got=str(x.type),
            fix="use transpose",
            where=user_location_text(),
        )
    return transpose(x, 0, 1) if x.ndim == 2 else x


def expand(input: Tensor, *shape: Any, size: Any = None) -> Tensor:
    """Repeat dims of size 1 without a copy; -1 keeps a size (``torch.Tensor.expand``)."""
    x = require_tensor("expand", input)
    sizes = shape_argument("expand", shape, size, least=-1)
    lead = len(sizes) - x.ndim
    kept = tuple(
        x.shape[axis - lead] if isinstance(n, int) and n == -1 and axis >= lead else n
        for axis, n in enumerate(sizes)
    )
    if any(isinstance(n, int) and n < 0 for n in kept):
        raise ShapeError(
            "expand: -1 keeps a size, and a new dim has none to keep",
            got=f"{x.type} to {sizes}",
            where=user_location_text(),
        )
    return ops.expand(x, shape=kept)


@also_called(shape="size")
def broadcast_to(input: Tensor, size: Sequence[Size]) -> Tensor:
    """Repeat dims of size 1 without a copy (``torch.broadcast_to``)."""
    return expand(input, tuple(size))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expand to the shape of another tensor (``torch.Tensor.expand_as``)."""
    return expand(input, other.shape)


def drop_dims(x: Tensor, dims: Sequence[int]) -> Tensor:
    """Leave out dims of size 1."""
    shape = tuple(size for axis, size in enumerate(x.shape) if axis not in dims)
    return x if len(shape) == x.ndim else ops.reshape(x, shape=shape)


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Leave out dims of size 1: all, or those named (``torch.squeeze``).

    Raises:
        ShapeError: if one of these sizes is known only at run time, since the rank depends on it.
    """
    x = require_tensor("squeeze", input)
    dims = normalize_dims("squeeze", dim, x.ndim)
    unknown = [d for d in dims if isinstance(x.shape[d], Dim)]
    if unknown:
        raise ShapeError(
            f"squeeze: whether dim {unknown[0]} has size 1 is known only at run time",
            got=str(x.type),
            fix="name the dims of size 1, e.g. x.squeeze(-1), or use x[0] or x.reshape(...)",
            where=user_location_text(),
        )
    return drop_dims(x, [d for d in dims if isinstance(x.shape[d], int) and x.shape[d] == 1])


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dim of size 1 (``torch.unsqueeze``)."""
    x = require_tensor("unsqueeze", input)
    at = normalize_dim("unsqueeze", dim, x.ndim + 1)
    return ops.reshape(x, shape=(*x.shape[:at], 1, *x.shape[at:]))


def flip(input: Tensor, *args: Any, dims: Sequence[int] | int | None = None) -> Tensor:
    """Reverse the order along dims (``torch.flip``).

    Args:
        input: tensor.
        args: the dims, one by one or as one sequence.
        dims: the dims, instead.
    """
    x = require_tensor("flip", input)
    given = args if dims is None else (dims,)
    if len(given) == 1 and isinstance(given[0], list | tuple):
        given = tuple(given[0])
    return own(ops.flip(x, dims=normalize_dims("flip", list(given), x.ndim)))


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape (``torch.broadcast_tensors``).

    Raises:
        ShapeError: if the shapes do not broadcast.
    """
    shape = broadcast_shapes(*(x.shape for x in tensors))
    if shape is None:
        raise ShapeError(
            "broadcast_tensors: shapes do not broadcast",
            got=", ".join(str(x.type) for x in tensors), where=user_location_text(),
        )  # fmt: skip
    return tuple(expand(x, shape) for x in tensors)


def clone(input: Tensor) -> Tensor:
    """A copy in index order that gradients flow through (``torch.clone``)."""
    return select.copy(require_tensor("clone", input))
