"""Shape and layout: reshape, transpose, expand, join, split, pad (``torch``'s names)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.dims import Dim, Shape, Size
from graphc.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import (
    cast,
    common_dtype,
    normalize_dim,
    normalize_dims,
    positional,
    require_tensor,
    shape_argument,
    tensor_sequence,
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
    "cat",
    "chunk",
    "clone",
    "flatten",
    "flip",
    "narrow",
    "permute",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "t",
    "transpose",
    "unbind",
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
    """Merge the dims ``start_dim .. end_dim`` into one (``torch.flatten``)."""
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
    """The transpose of a matrix; vectors and numbers stay (``torch.t``)."""
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


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a dim; dtypes are promoted (``torch.cat``).

    Raises:
        ShapeError: if other sizes differ.
        ArgumentError: if there are no tensors.
    """
    parts = tensor_sequence("cat", tensors)
    if not parts:
        raise ArgumentError("cat: expected one tensor or more", where=user_location_text())
    parts = [x for x in parts if x.shape != (0,)] or parts[:1]
    if parts[0].ndim == 0:
        raise ShapeError(
            "cat: tensors without dims cannot be joined", fix="use stack",
            where=user_location_text(),
        )  # fmt: skip
    dtype = common_dtype("cat", tensors)
    axis = normalize_dim("cat", dim, parts[0].ndim)
    return ops.concat(*(cast(x, dtype) for x in parts), dim=axis)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dim (``torch.stack``)."""
    parts = tensor_sequence("stack", tensors)
    if not parts:
        raise ArgumentError("stack: expected one tensor or more", where=user_location_text())
    axis = normalize_dim("stack", dim, parts[0].ndim + 1)
    for part in parts:
        if part.shape != parts[0].shape:
            raise ShapeError(
                "stack: tensors must have one shape", got=f"{parts[0].type} and {part.type}",
                where=user_location_text(),
            )  # fmt: skip
    return cat([unsqueeze(x, axis) for x in parts], axis)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``length`` elements from ``start`` along a dim (``torch.narrow``)."""
    x = require_tensor("narrow", input)
    axis = normalize_dim("narrow", dim, x.ndim)
    size = _size("narrow", x, axis)
    first = start + size if start < 0 else start
    outside = length < 0
    if isinstance(size, int) and isinstance(first, int):
        outside = outside or not 0 <= first <= first + length <= size
    if outside:
        raise IndexRangeError(
            "narrow: the elements lie outside the dim",
            got=f"{length} from {start}",
            expected=f"inside {size}",
            where=user_location_text(),
        )
    return ops.narrow(x, axis, first, first + length)


def _size(function: str, x: Tensor, axis: int) -> Size:
    if x.ndim == 0:
        raise ShapeError(
            f"{function}: expected one dim or more", got=str(x.type), where=user_location_text()
        )
    size: Size = x.shape[axis]
    return size


@also_called(split_size="split_size_or_sections")
def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Pieces of one size (the last may be smaller) or of given sizes (``torch.split``)."""
    x = require_tensor("split", tensor)
    axis = normalize_dim("split", dim, x.ndim)
    size = known_size("split", x, axis)
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size):
            raise ArgumentError(
                "split: the size must be positive", got=str(step), where=user_location_text()
            )
        sections = [min(step, size - at) for at in range(0, size, max(step, 1))] or [0]
    else:
        sections = list(split_size_or_sections)
        if sum(sections) != size:
            raise ArgumentError(
                "split: sizes do not add up", got=f"{sections}", expected=f"a sum of {size}",
                where=user_location_text(),
            )  # fmt: skip
    pieces, start = [], 0
    for length in sections:
        pieces.append(ops.narrow(x, axis, start, start + length))
        start += length
    return tuple(pieces)


def known_size(function: str, x: Tensor, axis: int) -> int:
    """The size of a dim; ShapeError if it is not known while recording."""
    size = _size(function, x, axis)
    if isinstance(size, Dim):
        raise ShapeError(
            f"{function}: the number of pieces must be known while recording", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    return size


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of one size, the last may be smaller (``torch.chunk``)."""
    x = require_tensor("chunk", input)
    if chunks < 1:
        raise ArgumentError(
            "chunk: expected one chunk or more", got=str(chunks), where=user_location_text()
        )
    axis = normalize_dim("chunk", dim, x.ndim)
    size = known_size("chunk", x, axis)
    if size == 0:
        return (x,) * chunks
    return split(x, -(-size // chunks), axis)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along a dim, without it (``torch.unbind``)."""
    x = require_tensor("unbind", input)
    axis = normalize_dim("unbind", dim, x.ndim)
    count = known_size("unbind", x, axis)
    return tuple(drop_dims(ops.narrow(x, axis, at, at + 1), (axis,)) for at in range(count))


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: complex | None = None
) -> Tensor:
    """Add elements at the ends of dims, last dim first; negative amounts cut off.

    Args:
        input: tensor.
        pad: (before, after) of the last dim, then of the one before it, and so on.
        mode: ``"constant"``.
        value: what to add; default 0.

    Raises:
        ArgumentError: for an odd number of amounts, too many, or another mode.
        DTypeError: for a complex number beside real ones.

    Source: ``torch.nn.functional.pad``.
    """
    x = require_tensor("pad", input)
    if isinstance(value, complex) and not x.dtype.is_complex:
        raise DTypeError(
            "pad: a complex number does not fit the tensor", got=f"{value} and {x.type}",
            where=user_location_text(),
        )  # fmt: skip
    if mode != "constant":
        raise ArgumentError(
            "pad: unsupported mode",
            got=repr(mode),
            expected="'constant'",
            where=user_location_text(),
        )
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ArgumentError(
            "pad: amounts come in pairs, at most one pair a dim", got=str(tuple(pad)),
            where=user_location_text(),
        )  # fmt: skip
    low, high = [0] * x.ndim, [0] * x.ndim
    for pair in range(len(pad) // 2):
        low[-1 - pair], high[-1 - pair] = pad[2 * pair], pad[2 * pair + 1]
    require_left("pad", x, low, high)
    if min([*low, *high, 0]) < 0:
        starts = tuple(max(-amount, 0) for amount in low)
        stops = tuple(n - max(-amount, 0) for n, amount in zip(x.shape, high, strict=True))
        x = ops.slice_(x, starts=starts, stops=stops, steps=(1,) * x.ndim)
    return ops.pad(
        x,
        low=tuple(max(amount, 0) for amount in low),
        high=tuple(max(amount, 0) for amount in high),
        interior=(0,) * x.ndim,
        value=0 if value is None else value,
    )


def require_left(
    function: str, x: Tensor, low: Sequence[int], high: Sequence[int], least: int = 0
) -> None:
    """Raise ShapeError if negative amounts cut off more than there is.

    Args:
        function: whose.
        x: the tensor.
        low: the amounts before the last dims, in their order.
        high: those behind.
        least: what has to be left of each.
    """
    for size, before, after in zip(x.shape[x.ndim - len(low) :], low, high, strict=True):
        if not isinstance(size, int) or not (before < 0 or after < 0):
            continue
        if size + before + after < least or size + min(before, 0) + min(after, 0) < 0:
            raise ShapeError(
                f"{function}: negative amounts cut off more than there is",
                got=f"{(before, after)} of size {size} in {x.type}", where=user_location_text(),
            )  # fmt: skip


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape (``torch.broadcast_tensors``)."""
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
