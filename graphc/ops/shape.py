"""Operations that re-index elements; their values are copied, never computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dims import Shape, Size, larger
from graphc.dtypes import INTEGER
from graphc.errors import ArgumentError, ShapeError
from graphc.opdef import Call, OpDef, Trait, V
from graphc.ops.infer import require_dim, require_dims, require_one_per_dim, require_same_dtype
from graphc.shapes import inverse_order, numel, shape_text, unify
from graphc.storage import Array
from graphc.types import TensorType

Ints = tuple[int, ...]


def _infer_reshape(x: TensorType, *, shape: Shape) -> TensorType:
    for size in shape:
        if isinstance(size, int) and size < 0:
            raise ArgumentError("reshape: a size is negative", got=shape_text(shape))
    if unify(x.numel, numel(shape)) is None:
        raise ShapeError(
            "reshape: the number of elements differs",
            got=f"{x} has {x.numel}, {shape_text(shape)} has {numel(shape)}",
        )
    return x.with_shape(shape)


def _eval_reshape(x: Array, *, shape: Ints) -> Array:
    return x.reshape(shape)


reshape: OpDef = OpDef(
    "reshape",
    _infer_reshape,
    _eval_reshape,
    lambda call, g: (reshape(g, shape=call.inputs[0].type.shape),),
    Trait.VIEW,
)


def _infer_permute(x: TensorType, *, dims: Ints) -> TensorType:
    if sorted(dims) != list(range(x.rank)):
        raise ArgumentError(
            "permute: dims must name every dim once", got=str(dims), expected=f"{x.rank} dims"
        )
    return x.with_shape(tuple(x.shape[dim] for dim in dims))


def _eval_permute(x: Array, *, dims: Ints) -> Array:
    return x.transpose(dims)


def _permute_vjp(call: Call, g: Any) -> tuple[Any]:
    dims = call.attrs["dims"]
    return (permute(g, dims=inverse_order(dims)),)


permute = OpDef("permute", _infer_permute, _eval_permute, _permute_vjp, Trait.VIEW)


def _infer_expand(x: TensorType, *, shape: Shape) -> TensorType:
    lead = len(shape) - x.rank
    fits = lead >= 0 and all(
        (isinstance(own, int) and own == 1) or unify(own, wanted) is not None
        for own, wanted in zip(x.shape, shape[max(lead, 0) :], strict=False)
    )
    if not fits:
        raise ShapeError(
            "expand: only dims of size 1 can be expanded",
            got=f"{x} to {shape_text(shape)}",
        )
    return x.with_shape(shape)


def _eval_expand(x: Array, *, shape: Ints) -> Array:
    lead = (None,) * (len(shape) - x.ndim)
    same = x[lead]
    return same if same.shape == shape else np.broadcast_to(x, shape)


expand = OpDef("expand", _infer_expand, _eval_expand, lambda call, g: (g,), Trait.VIEW)


def _infer_slice(x: TensorType, *, starts: Shape, stops: Shape, steps: Ints) -> TensorType:
    require_one_per_dim("slice", "one start, stop and step", x.rank, starts, stops, steps)
    sizes: list[Size] = []
    for dim, (size, start, stop, step) in enumerate(
        zip(x.shape, starts, stops, steps, strict=True)
    ):
        inside = (
            not (isinstance(start, int) and isinstance(stop, int) and isinstance(size, int))
            or 0 <= start <= stop <= size
        )
        if not inside or step < 1:
            raise ArgumentError(
                f"slice: bounds of dim {dim} do not fit",
                got=f"{start}:{stop}:{step} of size {size}",
                expected="0 <= start <= stop <= size and step >= 1",
            )
        sizes.append((stop - start + (step - 1)) // step)
    return x.with_shape(tuple(sizes))


def _eval_slice(x: Array, *, starts: Ints, stops: Ints, steps: Ints) -> Array:
    return x[tuple(map(slice, starts, stops, steps))]


def _slice_vjp(call: Call, g: Any) -> tuple[Any]:
    """Put the gradient back between zeros: before, after, and ``step - 1`` between elements."""
    sizes, got = call.inputs[0].type.shape, call.output.type.shape
    starts, steps = call.attrs["starts"], call.attrs["steps"]
    covered = tuple(_spread(n, step - 1) for n, step in zip(got, steps, strict=True))
    high = tuple(
        size - start - used for size, start, used in zip(sizes, starts, covered, strict=True)
    )
    return (pad(g, low=starts, high=high, interior=tuple(s - 1 for s in steps), value=0.0),)


slice_ = OpDef("slice", _infer_slice, _eval_slice, _slice_vjp, Trait.VIEW)


def _padded(size: Size, low: Size, high: Size, interior: int) -> Size:
    return _spread(size, interior) + low + high


def _spread(size: Size, interior: int) -> Size:
    """The size with so many elements between each two."""
    return size + larger(size - 1, 0) * interior


def _infer_pad(
    x: TensorType, *, low: Shape, high: Shape, interior: Ints, value: float
) -> TensorType:
    require_one_per_dim("pad", "one amount", x.rank, low, high, interior)
    for amount in (*low, *high, *interior):
        if isinstance(amount, int) and amount < 0:
            raise ArgumentError("pad: amounts must not be negative", got=f"{low}, {high}")
    if x.dtype.category == INTEGER:
        limits = np.iinfo(x.dtype.numpy)
        if not limits.min <= value <= limits.max:
            raise ArgumentError(
                f"pad: {x.dtype.name} has no such value", got=str(value),
                expected=f"{limits.min} to {limits.max}",
            )  # fmt: skip
    return x.with_shape(tuple(map(_padded, x.shape, low, high, interior)))


def _eval_pad(x: Array, *, low: Ints, high: Ints, interior: Ints, value: float) -> Array:
    shape = tuple(int(_padded(*dim)) for dim in zip(x.shape, low, high, interior, strict=True))
    result = np.full(shape, value, x.dtype)
    inside = tuple(
        slice(start, start + (size - 1) * (gap + 1) + 1 if size else start, gap + 1)
        for start, size, gap in zip(low, x.shape, interior, strict=True)
    )
    result[inside] = x
    return result


def _pad_vjp(call: Call, g: Any) -> tuple[Any]:
    low, high, interior = (call.attrs[name] for name in ("low", "high", "interior"))
    sizes = g.type.shape
    stops = tuple(size - end for size, end in zip(sizes, high, strict=True))
    return (slice_(g, starts=low, stops=stops, steps=tuple(gap + 1 for gap in interior)),)


pad = OpDef("pad", _infer_pad, _eval_pad, _pad_vjp)


def _infer_flip(x: TensorType, *, dims: Ints) -> TensorType:
    require_dims("flip", dims, x.rank)
    return x


def _eval_flip(x: Array, *, dims: Ints) -> Array:
    return np.flip(x, dims)


flip: OpDef = OpDef(
    "flip",
    _infer_flip,
    _eval_flip,
    lambda call, g: (flip(g, dims=call.attrs["dims"]),),
    Trait.VIEW,
)


def _infer_concat(*types: TensorType, dim: int) -> TensorType:
    first = types[0]
    require_same_dtype("cat", types)
    require_dim("cat", dim, first.rank)
    total: Size = 0
    shape = list(first.shape)
    for type in types:
        if type.rank != first.rank:
            raise ShapeError("cat: the number of dims differs", got=", ".join(map(str, types)))
        total = total + type.shape[dim]
        for axis in range(first.rank):
            if axis == dim:
                continue
            unified = unify(shape[axis], type.shape[axis])
            if unified is None:
                raise ShapeError(
                    f"cat: sizes must agree in every dim but {dim}",
                    got=", ".join(map(str, types)),
                )
            shape[axis] = unified
    shape[dim] = total
    return first.with_shape(tuple(shape))


def _eval_concat(*arrays: Array, dim: int) -> Array:
    return np.ascontiguousarray(np.concatenate(arrays, dim))


def _concat_vjp(call: Call, g: Any) -> tuple[Any, ...]:
    dim = call.attrs["dim"]
    grads = []
    start: Size = 0
    for operand in call.inputs:
        stop = start + operand.type.shape[dim]
        grads.append(narrow(g, dim, start, stop))
        start = stop
    return tuple(grads)


concat = OpDef("concat", _infer_concat, _eval_concat, _concat_vjp)


def narrow(x: V, dim: int, start: Size, stop: Size) -> V:
    """The elements ``start:stop`` along one dim."""
    shape = x.type.shape
    starts = tuple(start if axis == dim else 0 for axis in range(len(shape)))
    stops = tuple(stop if axis == dim else size for axis, size in enumerate(shape))
    return slice_(x, starts=starts, stops=stops, steps=(1,) * len(shape))
