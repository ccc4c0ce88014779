"""Convolution without padding; padding is an operation of its own.

With ``pad`` (between elements, too), ``slice``, ``permute`` and ``flip`` around it, one operation
serves strided, dilated, grouped and transposed convolutions and the gradients of all of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.dims import Shape, Size, unify
from graphc.errors import ArgumentError, ShapeError
from graphc.opdef import Call, OpDef, Saves
from graphc.ops.infer import FLOAT, require_category, require_one_per_dim, require_same_dtype
from graphc.ops.shape import flip, pad, permute, reshape, slice_
from graphc.storage import Array
from graphc.types import TensorType

Ints = tuple[int, ...]

_PATCH_BYTES = 1 << 25
"""Windows are copied out for as many elements of the batch as fit into this much memory."""


_WIDE = 64
"""Matrix products with less columns than this are slow; then the batch makes them wider."""


def window_span(kernel: Size, dilation: int) -> Size:
    """How many elements a window reaches over."""
    return (kernel - 1) * dilation + 1


def _infer_conv(
    x: TensorType, weight: TensorType, *, stride: Ints, dilation: Ints, groups: int
) -> TensorType:
    require_same_dtype("conv", (x, weight))
    require_category("conv", (x, weight), FLOAT)
    if x.rank != weight.rank or x.rank < 3:
        raise ShapeError(
            "conv: expected (batch, channels, ...) and (out, channels / groups, ...)",
            got=f"{x} and {weight}",
        )
    require_one_per_dim("conv", "one stride and dilation", x.rank - 2, stride, dilation)
    if groups < 1 or min(*stride, *dilation) < 1:
        raise ArgumentError(
            "conv: stride, dilation and groups must be positive",
            got=f"{stride}, {dilation} and {groups}",
        )
    _check_channels(x, weight, groups)
    return x.with_shape((x.shape[0], weight.shape[0], *_sizes(x, weight, stride, dilation)))


def _check_channels(x: TensorType, weight: TensorType, groups: int) -> None:
    out = weight.shape[0]
    uneven = isinstance(out, int) and out % groups
    if unify(x.shape[1], weight.shape[1] * groups) is None or uneven:
        raise ShapeError(
            "conv: the channels do not fit", got=f"{x} and {weight}, {groups} groups",
            expected="channels / groups in the weight, and groups that divide its first size",
        )  # fmt: skip


def _sizes(x: TensorType, weight: TensorType, stride: Ints, dilation: Ints) -> Shape:
    """The spatial sizes of the result."""
    sizes: list[Size] = []
    spatial = zip(x.shape[2:], weight.shape[2:], stride, dilation, strict=True)
    for size, kernel, step, gap in spatial:
        room = size - window_span(kernel, gap)
        empty = isinstance(kernel, int) and kernel == 0
        if empty or (isinstance(room, int) and room < 0):
            raise ShapeError(
                "conv: the kernel must have elements and fit into the padded input",
                got=f"{x} and {weight}, dilation {dilation}",
            )
        sizes.append(room // step + 1)
    return tuple(sizes)


def _windows(x: Array, kernel: Ints, out: Ints, stride: Ints, dilation: Ints) -> Array:
    """A view of all windows: ``(batch, channels, *kernel, *out)``."""
    near = x.strides[2:]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *kernel, *out),
        (
            *x.strides[:2],
            *(step * gap for step, gap in zip(near, dilation, strict=True)),
            *(step * move for step, move in zip(near, stride, strict=True)),
        ),
        writeable=False,
    )


def _eval_conv(x: Array, weight: Array, *, stride: Ints, dilation: Ints, groups: int) -> Array:
    """One matrix product per element of the batch and group, of the weight and all windows."""
    if x.dtype.itemsize == 2:
        wide = _eval_conv(
            x.astype(np.float32), weight.astype(np.float32),
            stride=stride, dilation=dilation, groups=groups,
        )  # fmt: skip
        return wide.astype(x.dtype)
    batch, channels, *_ = x.shape
    kernel = weight.shape[2:]
    out = tuple(
        (size - int(window_span(k, gap))) // step + 1
        for size, k, gap, step in zip(x.shape[2:], kernel, dilation, stride, strict=True)
    )
    made, places = weight.shape[0], math.prod(out)
    depth = weight.shape[1] * math.prod(kernel)
    result = np.zeros((batch, groups, made // groups, places), x.dtype)
    if result.size and depth:
        matrices = np.ascontiguousarray(weight).reshape(groups, made // groups, depth)
        windows = _windows(x, kernel, out, stride, dilation)
        count = max(1, _PATCH_BYTES // (channels * math.prod(kernel) * places * x.dtype.itemsize))
        for start in range(0, batch, count):
            some = windows[start : start + count]
            result[start : start + count] = _products(matrices, some, places)
    return result.reshape(batch, made, *out)


def _products(matrices: Array, windows: Array, places: int) -> Array:
    """``(batch, groups, out / groups, places)``: the weights of each group times all windows."""
    groups, made, depth = matrices.shape
    batch = len(windows)
    if places >= _WIDE:
        patches = np.ascontiguousarray(windows).reshape(batch, groups, depth, places)
        return np.asarray(np.matmul(matrices, patches))
    spatial = (windows.ndim - 2) // 2
    kernel, out = range(2, 2 + spatial), range(2 + spatial, windows.ndim)
    together = windows.transpose(1, *kernel, 0, *out)
    columns = np.ascontiguousarray(together).reshape(groups, depth, batch * places)
    found: Array = np.matmul(matrices, columns)
    return found.reshape(groups, made, batch, places).transpose(2, 0, 1, 3)


def _conv_vjp(call: Call, g: Any) -> tuple[Any | None, Any | None]:
    return (
        None if 0 in call.unwanted else _to_input(call, g),
        None if 1 in call.unwanted else _to_weight(call, g),
    )


def _to_input(call: Call, g: Any) -> Any:
    """Each window gives its gradient back: a convolution of ``g``, spread by the stride."""
    x, weight = call.inputs
    stride, dilation = call.attrs["stride"], call.attrs["dilation"]
    reach = [
        window_span(k, gap) - 1 for k, gap in zip(weight.type.shape[2:], dilation, strict=True)
    ]
    unread = [
        size - ((places - 1) * step + 1 + far)
        for size, places, step, far in zip(
            x.type.shape[2:], g.type.shape[2:], stride, reach, strict=True
        )
    ]
    spread = pad(
        g,
        low=(0, 0, *reach),
        high=(0, 0, *(far + rest for far, rest in zip(reach, unread, strict=True))),
        interior=(0, 0, *(step - 1 for step in stride)),
        value=0.0,
    )
    groups = call.attrs["groups"]
    back = transposed_kernel(weight, groups)
    return conv(spread, back, stride=(1,) * len(stride), dilation=dilation, groups=groups)


def transposed_kernel(weight: Any, groups: int) -> Any:
    """The kernel that goes back from results to inputs: mirrored, in and out swapped."""
    out, channels, *kernel = weight.type.shape
    parts = reshape(weight, shape=(groups, out // groups, channels, *kernel))
    spatial = range(3, 3 + len(kernel))
    swapped = permute(parts, dims=(0, 2, 1, *spatial))
    joined = reshape(swapped, shape=(groups * channels, out // groups, *kernel))
    return flip(joined, dims=tuple(range(2, 2 + len(kernel))))


def _to_weight(call: Call, g: Any) -> Any:
    """A convolution of the input with ``g``, where batch and channels change places."""
    x, weight = call.inputs
    groups = call.attrs["groups"]
    out, channels, *kernel = weight.type.shape
    batch, _, *sizes = x.type.shape
    spatial = range(3, 3 + len(kernel))
    per_group = reshape(x, shape=(batch, groups, channels, *sizes))
    turned = reshape(
        permute(per_group, dims=(2, 1, 0, *spatial)), shape=(channels, groups * batch, *sizes)
    )
    places = g.type.shape[2:]
    of_group = reshape(g, shape=(batch, groups, out // groups, *places))
    as_kernel = reshape(permute(of_group, dims=(1, 2, 0, *spatial)), shape=(out, batch, *places))
    found = conv(
        turned, as_kernel, stride=call.attrs["dilation"], dilation=call.attrs["stride"],
        groups=groups,
    )  # fmt: skip
    wanted = (channels, out, *kernel)  # a stride may leave room for windows that nobody read
    inside = slice_(found, starts=(0,) * len(wanted), stops=wanted, steps=(1,) * len(wanted))
    return permute(inside, dims=(1, 0, *range(2, 2 + len(kernel))))


conv = OpDef("conv", _infer_conv, _eval_conv, _conv_vjp, saves=Saves.INPUTS)
"""``conv(x, weight, stride=, dilation=, groups=)``: ``(batch, channels, ...)`` with
``(out, channels / groups, ...)`` to ``(batch, out, ...)``, windows inside the input only."""
