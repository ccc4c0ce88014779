"""What a convolution gives, by numpy: copies of windows, in blocks that stay in cache, and BLAS."""

from __future__ import annotations

import math

import numpy as np

from graphc.dims import Size
from graphc.storage import Array

Ints = tuple[int, ...]

_BLOCK_BYTES = 1 << 20
"""Windows are copied for so many elements of the batch, or channels, as fit into this memory."""

_WIDE = 64
"""Matrix products with less columns than this are slow; then the batch makes them wider."""


def window_span(kernel: Size, dilation: int) -> Size:
    """How many elements a window reaches over."""
    return (kernel - 1) * dilation + 1


def eval_conv(
    x: Array, weight: Array, *, stride: Ints, dilation: Ints, groups: int, low: Ints = (),
    high: Ints = (),
) -> Array:  # fmt: skip
    """All windows of ``x`` times the weight; numbers of 16 bits are added up in float32."""
    if any(low) or any(high):
        x = _framed(x, low, high)
    if x.dtype.itemsize == 2:
        wide = eval_conv(
            x.astype(np.float32), weight.astype(np.float32),
            stride=stride, dilation=dilation, groups=groups,
        )  # fmt: skip
        return wide.astype(x.dtype)
    out = tuple(
        (size - int(window_span(k, gap))) // step + 1
        for size, k, gap, step in zip(x.shape[2:], weight.shape[2:], dilation, stride, strict=True)
    )
    shape = (len(x), len(weight), *out)
    if not math.prod(shape) or not weight.size:
        return np.zeros(shape, x.dtype)
    if groups == len(weight) and weight.shape[1] == 1:
        return _one_by_one(x, weight, out, stride, dilation)
    if math.prod(out) >= _WIDE:
        return _image_by_image(x, weight, out, stride, dilation, groups)
    return _all_images(x, weight, out, stride, dilation, groups)


def _framed(x: Array, low: Ints, high: Ints) -> Array:
    """Zeros around the spatial dims."""
    sizes = zip(x.shape[2:], low, high, strict=True)
    result = np.zeros((*x.shape[:2], *(size + less + more for size, less, more in sizes)), x.dtype)
    inside = [slice(less, less + size) for less, size in zip(low, x.shape[2:], strict=True)]
    result[(slice(None), slice(None), *inside)] = x
    return result


def _windows(x: Array, kernel: Ints, out: Ints, stride: Ints, dilation: Ints, last: int) -> Array:
    """A view of all windows: ``(..., *kernel, *out, ...)``; so many dims are behind the spatial."""
    spatial = len(kernel)
    first = x.ndim - last - spatial
    near = x.strides[first : first + spatial]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:first], *kernel, *out, *x.shape[first + spatial :]),
        (
            *x.strides[:first],
            *(step * gap for step, gap in zip(near, dilation, strict=True)),
            *(step * move for step, move in zip(near, stride, strict=True)),
            *x.strides[first + spatial :],
        ),
        writeable=False,
    )


def _one_by_one(x: Array, weight: Array, out: Ints, stride: Ints, dilation: Ints) -> Array:
    """Each channel with a kernel of its own: element of the kernel after element."""
    kernel = weight.shape[2:]
    windows = _windows(x, kernel, out, stride, dilation, 0)
    result = np.zeros((*x.shape[:2], *out), x.dtype)
    for at in np.ndindex(*kernel):
        factor = weight[(slice(None), 0, *at)].reshape(-1, *(1,) * len(kernel))
        result += windows[(slice(None), slice(None), *at)] * factor
    return result


def _image_by_image(
    x: Array, weight: Array, out: Ints, stride: Ints, dilation: Ints, groups: int
) -> Array:
    """One matrix product per element of the batch and group."""
    kernel, made, places = weight.shape[2:], len(weight), math.prod(out)
    windows = _windows(x, kernel, out, stride, dilation, 0)
    matrices = np.ascontiguousarray(weight).reshape(groups, made // groups, -1)
    depth = matrices.shape[2]
    result = np.empty((len(x), groups, made // groups, places), x.dtype)
    count = max(1, _BLOCK_BYTES // (groups * depth * places * x.dtype.itemsize))
    for start in range(0, len(x), count):
        some = np.ascontiguousarray(windows[start : start + count])
        np.matmul(
            matrices, some.reshape(-1, groups, depth, places), out=result[start : start + count]
        )
    return result.reshape(len(x), made, *out)


def _all_images(
    x: Array, weight: Array, out: Ints, stride: Ints, dilation: Ints, groups: int
) -> Array:
    """One matrix product per group, and per block of channels where there are too many."""
    (batch, _, *sizes), (made, channels, *kernel) = x.shape, weight.shape
    spatial = len(kernel)
    apart = x.reshape(batch, groups, channels, *sizes)
    turned = np.ascontiguousarray(np.moveaxis(apart, 0, -1))
    windows = _windows(turned, tuple(kernel), out, stride, dilation, 1)
    window, columns = math.prod(kernel), math.prod(out) * batch
    matrices = np.ascontiguousarray(weight).reshape(groups, made // groups, channels * window)
    count = max(1, _BLOCK_BYTES // (groups * window * columns * x.dtype.itemsize))
    total = np.zeros((groups, made // groups, columns), x.dtype)
    for start in range(0, channels, count):
        some = np.ascontiguousarray(windows[:, start : start + count])
        part = matrices[:, :, start * window : (start + count) * window]
        total += np.matmul(part, some.reshape(groups, -1, columns))
    found = total.reshape(made, *out, batch)
    return np.ascontiguousarray(found.transpose(1 + spatial, *range(1 + spatial)))
