"""Complex numbers and their parts; what gradient rules need of them.

PyTorch's convention: the gradient of a real loss L by z = x + iy is dL/dx + i dL/dy, so the rule
of a holomorphic function multiplies by the conjugate of its derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dtypes import DType, complex64, complex128, float32, float64
from graphc.errors import DTypeError
from graphc.opdef import Call, OpDef, Trait, V
from graphc.ops.comparison import eq, ge, logical_and
from graphc.ops.infer import COMPLEX_ONLY, broadcast_types, require_category, require_same_dtype
from graphc.ops.scalar_eval import ufunc
from graphc.ops.select import scalar, zeros_like
from graphc.storage import Array
from graphc.types import TensorType

TRAITS = Trait.ELEMENTWISE | Trait.LIBRARY

_PART = {complex64: float32, complex128: float64}
_WHOLE = {part: whole for whole, part in _PART.items()}


def part_dtype(dtype: DType) -> DType:
    """The dtype of a complex dtype's parts; any other dtype itself."""
    return _PART.get(dtype, dtype)


def _infer_part(name: str) -> Any:
    def infer(x: TensorType) -> TensorType:
        require_category(name, (x,), COMPLEX_ONLY)
        return x.with_dtype(_PART[x.dtype])

    return infer


def _infer_conj(x: TensorType) -> TensorType:
    require_category("conj", (x,), COMPLEX_ONLY)
    return x


def _infer_complex(real: TensorType, imag: TensorType) -> TensorType:
    dtype = require_same_dtype("complex", (real, imag))
    if dtype not in _WHOLE:
        raise DTypeError(
            "complex: parts have an unsupported dtype", got=dtype.name,
            expected="float32 or float64", fix="cast them first, e.g. x.to(graphc.float32)",
        )  # fmt: skip
    return broadcast_types("complex", (real, imag), _WHOLE[dtype])


def _eval_complex(real: Array, imag: Array) -> Array:
    """The parts are stored as they are: arithmetic would make NaN of infinities."""
    made = np.empty(
        np.broadcast_shapes(real.shape, imag.shape), np.result_type(real.dtype, np.complex64)
    )
    made.real, made.imag = real, imag
    return made


def _copied(part: str) -> Any:
    return lambda x: np.array(getattr(x, part), order="C")


conj: OpDef = OpDef("conj", _infer_conj, ufunc(np.conjugate), lambda call, g: (conj(g),), TRAITS)


def _real_vjp(call: Call, g: Any) -> tuple[Any]:
    return (complex_(g, zeros_like(g)),)


def _imag_vjp(call: Call, g: Any) -> tuple[Any]:
    return (complex_(zeros_like(g), g),)


real = OpDef("real", _infer_part("real"), _copied("real"), _real_vjp, TRAITS)
imag = OpDef("imag", _infer_part("imag"), _copied("imag"), _imag_vjp, TRAITS)
complex_: OpDef = OpDef(
    "complex", _infer_complex, _eval_complex, lambda call, g: (real(g), imag(g)), TRAITS
)


def conjugated(x: V) -> V:
    """The conjugate of complex values; real ones as they are."""
    return conj(x) if x.type.dtype.is_complex else x


def not_negative(x: V) -> V:
    """True where a number is real and 0 or above."""
    if not x.type.dtype.is_complex:
        return ge(x, scalar(x, 0))
    along, across = real(x), imag(x)
    return logical_and(ge(along, scalar(along, 0)), eq(across, scalar(across, 0)))
