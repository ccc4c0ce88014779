"""Convolutions and transposed convolutions over one to three spatial dims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.complexes import join, parts
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.nn.functional.windows import Ints, per_dim, with_batch, without_batch
from graphc.ops.convolution import conv, conv_back
from graphc.ops.convolution_eval import window_span
from graphc.ops.elementwise import add, sub
from graphc.provenance import user_location_text
from graphc.shapes import unify

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: str | Ints = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """``conv2d`` over one spatial dim (``torch.nn.functional.conv1d``)."""
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: str | Ints = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Products of a kernel with the windows of an input, summed over channels.

    Args:
        input: ``(batch, channels, height, width)`` or ``(channels, height, width)``.
        weight: ``(out, channels / groups, kernel height, kernel width)``.
        bias: ``(out,)``.
        stride: distance of windows.
        padding: zeros on both sides; or ``"valid"``: none, ``"same"``: as many as keep the size.
        dilation: distance of a window's elements.
        groups: so many convolutions, each of its own share of channels, side by side.

    Returns:
        ``(batch, out, height, width)``, without the batch if the input has none.

    Raises:
        ShapeError: if the shapes do not fit, or the kernel is larger than the padded input.
        DTypeError: if the dtypes differ, or are neither floating point nor complex.
        ArgumentError: for amounts that make no sense.

    Source: ``torch.nn.functional.conv2d``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.conv2d(gc.ones(1, 1, 2, 3), gc.ones(1, 1, 2, 2))
        tensor([[[[4., 4.]]]])
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: str | Ints = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """``conv2d`` over three spatial dims (``torch.nn.functional.conv3d``)."""
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _convolve(
    function: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Ints,
    padding: str | Ints, dilation: Ints, groups: int,
) -> Tensor:  # fmt: skip
    x, batched = with_batch(function, input, dims)
    kernel = _require_kernel(function, x, weight, dims, groups)
    steps = per_dim(function, "stride", stride, dims, 1)
    gaps = per_dim(function, "dilation", dilation, dims, 1)
    low, high = _padding(function, padding, [int(k) for k in kernel.shape[2:]], steps, gaps)
    padding_of = {"low": tuple(low), "high": tuple(high)} if any(low) or any(high) else {}
    options = {"stride": steps, "dilation": gaps, "groups": groups, **padding_of}
    made = _products(conv, x, kernel, options)
    return without_batch(_add_bias(function, made, bias), batched)


def _products(
    op: Callable[..., Tensor], x: Tensor, kernel: Tensor, options: Mapping[str, Any]
) -> Tensor:
    """Of complex numbers, by four products of their parts."""
    if not x.dtype.is_complex:
        return op(x, kernel, **options)
    (a, b), (c, d) = parts(x), parts(kernel)
    along = sub(op(a, c, **options), op(b, d, **options))
    across = add(op(a, d, **options), op(b, c, **options))
    return join(along, across)


def _require_kernel(
    function: str, x: Tensor, weight: Tensor, dims: int, groups: int, *, transposed: bool = False
) -> Tensor:
    kernel = require_tensor(function, weight)
    if kernel.dtype is not x.dtype or not x.dtype.is_differentiable:
        raise DTypeError(
            f"{function}: input and weight must have one floating point dtype, real or complex",
            got=f"{x.type} and {kernel.type}", where=user_location_text(),
        )  # fmt: skip
    if kernel.ndim != dims + 2 or groups < 1:
        raise ShapeError(
            f"{function}: the weight must have {dims + 2} dims, and groups be positive",
            got=f"{kernel.type}, {groups} groups", where=user_location_text(),
        )  # fmt: skip
    channels = kernel.shape[0] if transposed else kernel.shape[1] * groups
    divided = kernel.shape[0] % groups
    if unify(x.shape[1], channels) is None or (isinstance(divided, int) and divided):
        raise ShapeError(
            f"{function}: the channels do not fit",
            got=f"input {x.type}, weight {kernel.type}, {groups} groups",
            expected=f"{channels} channels, and groups that divide the weight's first size",
            where=user_location_text(),
        )
    return kernel


def _padding(
    function: str, padding: str | Ints, kernel: Sequence[int], stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[list[int], list[int]]:  # fmt: skip
    """How much to add before and after each dim."""
    if isinstance(padding, str):
        if padding == "valid":
            return [0] * len(kernel), [0] * len(kernel)
        if padding != "same" or max(stride) > 1:
            raise ArgumentError(
                f"{function}: padding must be a number, 'valid', or with stride 1 'same'",
                got=f"{padding!r}, stride {tuple(stride)}", where=user_location_text(),
            )  # fmt: skip
        spare = [(k - 1) * gap for k, gap in zip(kernel, dilation, strict=True)]
        return [each // 2 for each in spare], [each - each // 2 for each in spare]
    amounts = list(per_dim(function, "padding", padding, len(kernel), 0))
    return amounts, amounts


def _add_bias(function: str, x: Tensor, bias: Tensor | None) -> Tensor:
    if bias is None:
        return x
    if bias.ndim != 1 or unify(bias.shape[0], x.shape[1]) is None:
        raise ShapeError(
            f"{function}: the bias must have one number per output channel", got=str(bias.type),
            expected=f"({x.shape[1]},)", where=user_location_text(),
        )  # fmt: skip
    return x + reshape(bias, (-1, *(1,) * (x.ndim - 2)))


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """``conv_transpose2d`` over one spatial dim (``torch.nn.functional.conv_transpose1d``)."""
    return _convolve_back(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """What takes a convolution's gradient back to its input, as a function of its own.

    Args:
        input: ``(batch, channels, height, width)`` or ``(channels, height, width)``.
        weight: ``(channels, out / groups, kernel height, kernel width)``.
        bias: ``(out,)``.
        stride: distance of windows in the result.
        padding: how much the convolution would have padded: cut off on both sides.
        output_padding: more elements at the end; less than stride or dilation.
        groups: so many, each of its own share of channels, side by side.
        dilation: distance of a window's elements.

    Returns:
        ``(batch, out, height, width)``, without the batch if the input has none.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if the dtypes differ, or are not floating point.
        ArgumentError: for amounts that make no sense.

    Source: ``torch.nn.functional.conv_transpose2d``.
    """
    return _convolve_back(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """``conv_transpose2d`` over three spatial dims (``torch.nn.functional.conv_transpose3d``)."""
    return _convolve_back(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def _convolve_back(
    function: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Ints,
    padding: Ints, output_padding: Ints, groups: int, dilation: Ints,
) -> Tensor:  # fmt: skip
    x, batched = with_batch(function, input, dims)
    kernel = _require_kernel(function, x, weight, dims, groups, transposed=True)
    steps = per_dim(function, "stride", stride, dims, 1)
    gaps = per_dim(function, "dilation", dilation, dims, 1)
    cut = per_dim(function, "padding", padding, dims, 0)
    extra = per_dim(function, "output_padding", output_padding, dims, 0)
    if any(more >= max(step, gap) for more, step, gap in zip(extra, steps, gaps, strict=True)):
        raise ArgumentError(
            f"{function}: output_padding must be less than stride or dilation",
            got=f"{extra}, stride {steps}, dilation {gaps}", where=user_location_text(),
        )  # fmt: skip
    sizes = tuple(
        (size - 1) * step + window_span(k, gap) - 2 * less + more
        for size, step, k, gap, less, more in zip(
            x.shape[2:], steps, kernel.shape[2:], gaps, cut, extra, strict=True
        )
    )
    if any(isinstance(size, int) and size < 1 for size in sizes):
        raise ShapeError(
            f"{function}: nothing is left of the result", got=f"{x.type}, padding {cut}",
            where=user_location_text(),
        )  # fmt: skip
    options = {"stride": steps, "dilation": gaps, "groups": groups, "starts": cut, "sizes": sizes}
    made = _products(conv_back, x, kernel, options)
    return without_batch(_add_bias(function, made, bias), batched)
