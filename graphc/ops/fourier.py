"""Discrete Fourier transforms (scipy's pocketfft evaluates, float32 in float32).

``norm`` says which direction is divided by the number of points: ``"forward"``, ``"backward"``,
or each by its root, ``"ortho"``. The transpose of a transform is the opposite one with the other
``norm``; for real values it also counts the frequencies that are not stored, or does no longer.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DType, complex64, complex128, float32, float64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.opdef import Call, OpDef
from graphc.ops.elementwise_parts import part_dtype, real
from graphc.ops.infer import COMPLEX_ONLY, require_category, require_dim, require_dims
from graphc.shapes import unify
from graphc.storage import Array
from graphc.types import TensorType

Norm = Literal["forward", "backward", "ortho"]
TRANSPOSED: dict[Norm, Norm] = {"forward": "backward", "backward": "forward", "ortho": "ortho"}

_WHOLE = {float32: complex64, float64: complex128}


def _whole(op: str, x: TensorType) -> DType:
    """The complex dtype whose parts have the operand's dtype."""
    if x.dtype not in _WHOLE:
        raise DTypeError(f"{op}: unsupported dtype", got=x.dtype.name,
                         expected="float32 or float64")  # fmt: skip
    return _WHOLE[x.dtype]


def _require_points(op: str, size: Size) -> None:
    if isinstance(size, int) and size < 1:
        raise ShapeError(
            f"{op}: invalid number of data points", got=str(size), expected="1 or more"
        )


def _infer_fft(x: TensorType, *, dims: tuple[int, ...], inverse: bool, norm: Norm) -> TensorType:
    dtype = x.dtype if x.dtype.is_complex else _whole("fft", x)
    require_dims("fft", dims, x.rank)
    if not dims:
        raise ArgumentError("fft: expected one dim or more", got=str(dims))
    for dim in dims:
        _require_points("fft", x.shape[dim])
    return x.with_dtype(dtype)


def _eval_fft(x: Array, *, dims: tuple[int, ...], inverse: bool, norm: Norm) -> Array:
    import scipy.fft

    transform = scipy.fft.ifftn if inverse else scipy.fft.fftn
    return np.ascontiguousarray(transform(x, axes=dims, norm=norm))


def _fft_vjp(call: Call, g: Any) -> tuple[Any]:
    dims, inverse, norm = (call.attrs[name] for name in ("dims", "inverse", "norm"))
    grad = fft(g, dims=dims, inverse=not inverse, norm=TRANSPOSED[norm])
    return (grad if call.inputs[0].type.dtype.is_complex else real(grad),)


fft: OpDef = OpDef("fft", _infer_fft, _eval_fft, _fft_vjp)
"""The transform over some dims, to complex values from such or from real ones."""


def _counts(size: int) -> Array:
    """How many frequencies each stored one stands for: itself, and its mirror image if any."""
    counts = np.full(size // 2 + 1, 2.0)
    counts[0] = 1
    if size % 2 == 0:
        counts[-1] = 1
    return counts


def _along(counts: Array, dim: int, like: Array) -> Array:
    shape = [1] * like.ndim
    shape[dim] = len(counts)
    return counts.reshape(shape).astype(like.real.dtype)


def _infer_rfft(x: TensorType, *, dim: int, norm: Norm, doubled: bool) -> TensorType:
    whole = _whole("rfft", x)
    require_dim("rfft", dim, x.rank)
    size = x.shape[dim]
    _require_points("rfft", size)
    return TensorType((*x.shape[:dim], size // 2 + 1, *x.shape[dim + 1 :]), whole)


def _eval_rfft(x: Array, *, dim: int, norm: Norm, doubled: bool) -> Array:
    import scipy.fft

    result = np.ascontiguousarray(scipy.fft.rfft(x, axis=dim, norm=norm))
    return result * _along(_counts(x.shape[dim]), dim, result) if doubled else result


def _rfft_vjp(call: Call, g: Any) -> tuple[Any]:
    dim, norm, doubled = (call.attrs[name] for name in ("dim", "norm", "doubled"))
    size = call.inputs[0].type.shape[dim]
    return (irfft(g, dim=dim, size=size, norm=TRANSPOSED[norm], halved=not doubled),)


rfft: OpDef = OpDef("rfft", _infer_rfft, _eval_rfft, _rfft_vjp)
"""The transform of real values: frequencies from 0 to the half; ``doubled`` where mirrored."""


def _infer_irfft(x: TensorType, *, dim: int, size: Size, norm: Norm, halved: bool) -> TensorType:
    require_category("irfft", (x,), COMPLEX_ONLY)
    require_dim("irfft", dim, x.rank)
    _require_points("irfft", size)
    if unify(x.shape[dim], size // 2 + 1) is None:
        raise ShapeError(
            f"irfft: {size} values have {size // 2 + 1} frequencies", got=f"{x}, dim {dim}"
        )
    shape = (*x.shape[:dim], size, *x.shape[dim + 1 :])
    return TensorType(shape, part_dtype(x.dtype))


def _eval_irfft(x: Array, *, dim: int, size: int, norm: Norm, halved: bool) -> Array:
    import scipy.fft

    if halved:
        x = x / _along(_counts(size), dim, x)
    return np.ascontiguousarray(scipy.fft.irfft(x, size, axis=dim, norm=norm))


def _irfft_vjp(call: Call, g: Any) -> tuple[Any]:
    dim, norm, halved = (call.attrs[name] for name in ("dim", "norm", "halved"))
    return (rfft(g, dim=dim, norm=TRANSPOSED[norm], doubled=not halved),)


irfft: OpDef = OpDef("irfft", _infer_irfft, _eval_irfft, _irfft_vjp)
"""Real values from the frequencies that ``rfft`` gives, before ``halved`` where mirrored."""
