"""Discrete Fourier transforms with PyTorch's arguments (``torch.fft``).

Three operations do it all: of complex values, from real ones to half of the frequencies, and
back. The Hermitian variants are those in the other direction, with a conjugate.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, SupportsIndex, TypeVar

from graphc.dims import Dim, Size, smaller
from graphc.dtypes import FLOATING, complex64, complex128, float32, float64
from graphc.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    GraphcError,
    IndexRangeError,
)  # fmt: skip
from graphc.frontend.functions.convert import cast, normalize_dim, require_tensor
from graphc.ops import fourier as ops
from graphc.ops.elementwise_parts import conj
from graphc.ops.shape import narrow
from graphc.ops.shape import pad as pad_op
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

T = TypeVar("T")
Dims = int | Sequence[int]
Sizes = Size | Sequence[Size]
LAST_TWO = (-2, -1)


class Extent(NamedTuple):
    """A dim to transform, and the number of points there; None where none was asked for."""

    dim: int
    points: Size | None


def fft(input: Tensor, n: Size | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform along a dim.

    Args:
        input: tensor; complex64 or complex128, other numbers are taken as complex.
        n: number of points: the input is cut or continued by zeros; default: its size.
        dim: the dim.
        norm: ``"backward"`` leaves the sum as it is, ``"forward"`` divides it by n, ``"ortho"``
            by the root of n. Inverse transforms divide by n for ``"backward"``, the default.

    Returns:
        Complex numbers.

    Raises:
        DTypeError: for float16 and bfloat16.
        ShapeError: for no points.

    Source: ``torch.fft.fft``.

    Example:
        >>> import graphc as gc
        >>> gc.fft.fft(gc.tensor([1.0, 2.0])).real
        tensor([ 3., -1.])
    """
    return _complex("fft", input, [_extent("fft", input, n, dim)], norm, inverse=False)


def ifft(input: Tensor, n: Size | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``fft`` (``torch.fft.ifft``)."""
    return _complex("ifft", input, [_extent("ifft", input, n, dim)], norm, inverse=True)


def fft2(
    input: Tensor, s: Sizes | None = None, dim: Dims = LAST_TWO, norm: str | None = None
) -> Tensor:
    """The transform over two dims (``torch.fft.fft2``); see ``fftn``."""
    return _complex("fft2", input, _extents("fft2", input, s, dim), norm, inverse=False)


def ifft2(
    input: Tensor, s: Sizes | None = None, dim: Dims = LAST_TWO, norm: str | None = None
) -> Tensor:
    """The inverse of ``fft2`` (``torch.fft.ifft2``)."""
    return _complex("ifft2", input, _extents("ifft2", input, s, dim), norm, inverse=True)


def fftn(
    input: Tensor, s: Sizes | None = None, dim: Dims | None = None, norm: str | None = None
) -> Tensor:
    """The transform over several dims.

    Args:
        input: tensor; complex64 or complex128, other numbers are taken as complex.
        s: number of points in each dim, -1 for the input's; without ``dim`` for the last dims.
        dim: the dims; default: all, or the last ``len(s)``.
        norm: as ``fft`` has it, for the product of the numbers of points.

    Source: ``torch.fft.fftn``.
    """
    return _complex("fftn", input, _extents("fftn", input, s, dim), norm, inverse=False)


def ifftn(
    input: Tensor, s: Sizes | None = None, dim: Dims | None = None, norm: str | None = None
) -> Tensor:
    """The inverse of ``fftn`` (``torch.fft.ifftn``)."""
    return _complex("ifftn", input, _extents("ifftn", input, s, dim), norm, inverse=True)


def rfft(input: Tensor, n: Size | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """``fft`` of real numbers without the frequencies that mirror others (``torch.fft.rfft``).

    Returns:
        ``n // 2 + 1`` complex numbers along the dim.

    Example:
        >>> import graphc as gc
        >>> gc.fft.rfft(gc.tensor([1.0, 2.0, 3.0])).real
        tensor([ 6.0000, -1.5000])
    """
    return _from_real("rfft", input, [_extent("rfft", input, n, dim)], norm)


def rfft2(
    input: Tensor, s: Sizes | None = None, dim: Dims = LAST_TWO, norm: str | None = None
) -> Tensor:
    """``fft2`` of real numbers, half of it in the last dim (``torch.fft.rfft2``)."""
    return _from_real("rfft2", input, _extents("rfft2", input, s, dim), norm)


def rfftn(
    input: Tensor, s: Sizes | None = None, dim: Dims | None = None, norm: str | None = None
) -> Tensor:
    """``fftn`` of real numbers, half of it in the last dim (``torch.fft.rfftn``)."""
    return _from_real("rfftn", input, _extents("rfftn", input, s, dim), norm)


def ihfft(input: Tensor, n: Size | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``hfft``: half of ``ifft`` of real numbers (``torch.fft.ihfft``)."""
    return _half_inverse("ihfft", input, [_extent("ihfft", input, n, dim)], norm)


def ihfft2(
    input: Tensor, s: Sizes | None = None, dim: Dims = LAST_TWO, norm: str | None = None
) -> Tensor:
    """The inverse of ``hfft2`` (``torch.fft.ihfft2``)."""
    return _half_inverse("ihfft2", input, _extents("ihfft2", input, s, dim), norm)


def ihfftn(
    input: Tensor, s: Sizes | None = None, dim: Dims | None = None, norm: str | None = None
) -> Tensor:
    """The inverse of ``hfftn`` (``torch.fft.ihfftn``)."""
    return _half_inverse("ihfftn", input, _extents("ihfftn", input, s, dim), norm)


def irfft(input: Tensor, n: Size | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``rfft``: real numbers from half of the frequencies (``torch.fft.irfft``).

    Args:
        input: tensor; its imaginary parts at frequency 0, and at the half of an even ``n``, are
            not read.
        n: how many numbers to make; default ``2 * (size - 1)``.
        dim: the dim.
        norm: see ``fft``.
    """
    return _to_real("irfft", input, [_extent("irfft", input, n, dim)], norm, inverse=True)


def irfft2(
    input: Tensor, s: Sizes | None = None, dim: Dims = LAST_TWO, norm: str | None = None
) -> Tensor:
    """The inverse of ``rfft2`` (``torch.fft.irfft2``)."""
    return _to_real("irfft2", input, _extents("irfft2", input, s, dim), norm, inverse=True)


def irfftn(
    input: Tensor, s: Sizes | None = None, dim: Dims | None = None, norm: str | None = None
) -> Tensor:
    """The inverse of ``rfftn`` (``torch.fft.irfftn``)."""
    return _to_real("irfftn", input, _extents("irfftn", input, s, dim), norm, inverse=True)


def hfft(input: Tensor, n: Size | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """``fft`` of numbers of which half is given, the others being their conjugates.

    Args:
        input: the first ``n // 2 + 1`` numbers.
        n: how many real numbers to make; default ``2 * (size - 1)``.
        dim: the dim.
        norm: see ``fft``.

    Source: ``torch.fft.hfft``.
    """
    return _to_real("hfft", input, [_extent("hfft", input, n, dim)], norm, inverse=False)


def hfft2(
    input: Tensor, s: Sizes | None = None, dim: Dims = LAST_TWO, norm: str | None = None
) -> Tensor:
    """``hfft`` over the last dim named, after ``fft`` over the other (``torch.fft.hfft2``)."""
    return _to_real("hfft2", input, _extents("hfft2", input, s, dim), norm, inverse=False)


def hfftn(
    input: Tensor, s: Sizes | None = None, dim: Dims | None = None, norm: str | None = None
) -> Tensor:
    """``hfft`` over the last dim named, after ``fft`` over the others (``torch.fft.hfftn``)."""
    return _to_real("hfftn", input, _extents("hfftn", input, s, dim), norm, inverse=False)


def _complex(
    function: str, input: Tensor, extents: Sequence[Extent], norm: str | None, *, inverse: bool
) -> Tensor:
    scaling = _norm(function, norm)
    given = require_tensor(function, input)
    x = _fitted(given if given.dtype.is_complex else _as_real(function, given), extents)
    dims = tuple(extent.dim for extent in extents)
    if not dims:
        return _as_complex(function, x)
    return ops.fft(x, dims=dims, inverse=inverse, norm=scaling)


def _from_real(function: str, input: Tensor, extents: Sequence[Extent], norm: str | None) -> Tensor:
    scaling = _norm(function, norm)
    *others, last = _not_empty(function, extents)
    x = _fitted(_as_real(function, input), extents)
    half = ops.rfft(x, dim=last.dim, norm=scaling, doubled=False)
    dims = tuple(extent.dim for extent in others)
    return ops.fft(half, dims=dims, inverse=False, norm=scaling) if dims else half


def _half_inverse(
    function: str, input: Tensor, extents: Sequence[Extent], norm: str | None
) -> Tensor:
    """Of real numbers, the inverse transform is the conjugate of the transform."""
    return conj(_from_real(function, input, extents, ops.TRANSPOSED[_norm(function, norm)]))


def _to_real(
    function: str, input: Tensor, extents: Sequence[Extent], norm: str | None, *, inverse: bool
) -> Tensor:
    scaling = _norm(function, norm)
    *others, last = _not_empty(function, extents)
    x = _as_complex(function, input)
    points = 2 * (x.shape[last.dim] - 1) if last.points is None else last.points
    x = _fitted(x, [*others, Extent(last.dim, points // 2 + 1)])
    dims = tuple(extent.dim for extent in others)
    if dims:
        x = ops.fft(x, dims=dims, inverse=inverse, norm=scaling)
    if not inverse:  # the transform of a conjugate is the conjugate of the inverse one's
        x, scaling = conj(x), ops.TRANSPOSED[scaling]
    return ops.irfft(x, dim=last.dim, size=points, norm=scaling, halved=False)


def _norm(function: str, norm: str | None) -> ops.Norm:
    for known in ops.TRANSPOSED:
        if norm == known:
            return known
    if norm is None:
        return "backward"
    raise ArgumentError(
        f"{function}: unknown norm", got=repr(norm),
        expected="'backward', 'forward' or 'ortho'", where=user_location_text(),
    )  # fmt: skip


def _not_empty(function: str, extents: Sequence[Extent]) -> Sequence[Extent]:
    """Raise ArgumentError unless there is a dim to transform."""
    if not extents:
        raise ArgumentError(
            f"{function}: it transforms one dim or more", got="none", where=user_location_text()
        )
    return extents


def _as_complex(function: str, input: Tensor) -> Tensor:
    x = require_tensor(function, input)
    if x.dtype.is_complex:
        return x
    return cast(x, complex128 if _as_real(function, x).dtype is float64 else complex64)


def _as_real(function: str, input: Tensor) -> Tensor:
    x = require_tensor(function, input)
    if x.dtype.category < FLOATING:
        return cast(x, float32)
    if x.dtype not in (float32, float64):
        raise DTypeError(
            f"{function}: unsupported dtype", got=x.dtype.name,
            expected="real numbers" if x.dtype.is_complex else "32 bits or more",
            fix="take x.real, or the transform of complex numbers" if x.dtype.is_complex
            else "cast it first, e.g. x.float()",
            where=user_location_text(),
        )  # fmt: skip
    return x


def _extent(function: str, input: Tensor, n: Size | None, dim: int) -> Extent:
    """The one dim that is transformed, and its points."""
    x = require_tensor(function, input)
    if x.ndim == 0:
        raise IndexRangeError(
            f"{function}: the tensor has no dims", got=str(x.type), where=user_location_text()
        )
    return Extent(normalize_dim(function, dim, x.ndim), _points(function, n))


def _extents(function: str, input: Tensor, s: Sizes | None, dim: Dims | None) -> list[Extent]:
    x = require_tensor(function, input)
    if dim is None:
        count = x.ndim if s is None else len(_sequence(s))
        if count > x.ndim:
            raise ArgumentError(
                f"{function}: more sizes than dims", got=f"{count} for {x.type}",
                where=user_location_text(),
            )  # fmt: skip
        dims = list(range(x.ndim - count, x.ndim))
    else:
        dims = [_extent(function, x, None, each).dim for each in _sequence(dim)]
    if len(set(dims)) < len(dims):
        raise ArgumentError(
            f"{function}: a dim is named twice", got=str(dim), where=user_location_text()
        )
    sizes: Sequence[Size] = [-1] * len(dims) if s is None else _sequence(s)
    if len(sizes) != len(dims):
        raise ArgumentError(
            f"{function}: one size per dim", got=f"s={s}, dim={dim}", where=user_location_text()
        )
    given = [size if isinstance(size, Dim) else _whole(function, size) for size in sizes]
    return [
        Extent(axis, None if size == -1 else _points(function, size))
        for axis, size in zip(dims, given, strict=True)
    ]


def _whole(function: str, n: SupportsIndex) -> int:
    try:
        return operator.index(n)
    except GraphcError:
        raise
    except TypeError:
        raise ArgumentTypeError(
            f"{function}: a number of points must be a whole number", got=repr(n),
            where=user_location_text(),
        ) from None  # fmt: skip


def _sequence(value: T | Sequence[T]) -> list[T]:
    return list(value) if isinstance(value, Sequence) else [value]


def _points(function: str, n: Size | None) -> Size | None:
    if n is None or isinstance(n, Dim):
        return n
    n = _whole(function, n)
    if n < 1:
        raise ArgumentError(
            f"{function}: invalid number of data points", got=str(n), expected="1 or more",
            where=user_location_text(),
        )  # fmt: skip
    return n


def _fitted(x: Tensor, extents: Sequence[Extent]) -> Tensor:
    """Cut, or continued by zeros, to the wanted number of points."""
    none = (0,) * x.ndim
    for dim, points in extents:
        size = x.shape[dim]
        if points is None or points == size:
            continue
        kept = smaller(size, points)
        if kept != size:
            x = narrow(x, dim, 0, kept)
        if kept != points:
            high = (*none[:dim], points - kept, *none[dim + 1 :])
            x = pad_op(x, low=none, high=high, interior=none, value=0.0)
    return x
