"""Element types with PyTorch's names, and PyTorch's promotion between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

from graphc.errors import DTypeError, did_you_mean

NumpyDType = np.dtype[Any]


@dataclass(frozen=True, slots=True, eq=False)
class DType:
    """An element type; one object per type, so ``is`` compares.

    Args:
        name: PyTorch's name, e.g. ``float32``.
        short: the name in the text form of graphs, e.g. ``f32``.
        numpy: the numpy dtype.
        category: 0 bool, 1 integer, 2 floating point, 3 complex (PyTorch's promotion order).
    """

    name: str
    short: str
    numpy: NumpyDType
    category: int

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def is_floating_point(self) -> bool:
        """True for float16, bfloat16, float32 and float64."""
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        """True for complex64 and complex128."""
        return self.category == COMPLEX

    @property
    def is_differentiable(self) -> bool:
        """True where gradients exist: floating point and complex."""
        return self.category >= FLOATING

    def __repr__(self) -> str:
        return f"graphc.{self.name}"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return (as_dtype, (self.name,))


BOOLEAN, INTEGER, FLOATING, COMPLEX = range(4)

bool_ = DType("bool", "bool", np.dtype(np.bool_), BOOLEAN)
uint8 = DType("uint8", "u8", np.dtype(np.uint8), INTEGER)
int8 = DType("int8", "i8", np.dtype(np.int8), INTEGER)
int16 = DType("int16", "i16", np.dtype(np.int16), INTEGER)
int32 = DType("int32", "i32", np.dtype(np.int32), INTEGER)
int64 = DType("int64", "i64", np.dtype(np.int64), INTEGER)
float16 = DType("float16", "f16", np.dtype(np.float16), FLOATING)
bfloat16 = DType("bfloat16", "bf16", np.dtype(ml_dtypes.bfloat16), FLOATING)
float32 = DType("float32", "f32", np.dtype(np.float32), FLOATING)
float64 = DType("float64", "f64", np.dtype(np.float64), FLOATING)
complex64 = DType("complex64", "c64", np.dtype(np.complex64), COMPLEX)
complex128 = DType("complex128", "c128", np.dtype(np.complex128), COMPLEX)

DTYPES = (
    bool_, uint8, int8, int16, int32, int64,
    float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip

_ALIASES = {
    "half": float16, "float": float32, "double": float64, "short": int16, "int": int32,
    "long": int64, "cfloat": complex64, "cdouble": complex128,
}  # fmt: skip
_BY_NAME = {dtype.name: dtype for dtype in DTYPES} | _ALIASES
_BY_SHORT = {dtype.short: dtype for dtype in DTYPES}
_BY_NUMPY = {dtype.numpy: dtype for dtype in DTYPES}
_BY_PYTHON = {bool: bool_, int: int64, float: float64, complex: complex128}

DTypeLike = DType | str | type | NumpyDType


def as_dtype(like: DTypeLike) -> DType:
    """Find the DType that a name, Python type or numpy dtype means.

    Args:
        like: a ``DType``, PyTorch's name (``"float32"``), a numpy dtype or scalar type, or
            ``bool``, ``int``, ``float``, ``complex``: bool, int64, float64, complex128.

    Raises:
        DTypeError: if graphc has no such type.

    Example:
        >>> as_dtype("float64"), as_dtype(int)
        (graphc.float64, graphc.int64)
    """
    if isinstance(like, DType):
        return like
    if isinstance(like, str) and like in _BY_NAME:
        return _BY_NAME[like]
    if isinstance(like, type) and like in _BY_PYTHON:
        return _BY_PYTHON[like]
    try:
        return _BY_NUMPY[np.dtype(like)]
    except (KeyError, TypeError):
        raise DTypeError(
            "unknown dtype",
            got=repr(like),
            expected=", ".join(dtype.name for dtype in DTYPES),
            fix=did_you_mean(str(like), _BY_NAME) or "cast the array to one of these first",
        ) from None


def of_array(array: npt.NDArray[Any]) -> DType:
    """The DType of a numpy array; the fast path of ``as_dtype``."""
    found = _BY_NUMPY.get(array.dtype)
    return as_dtype(array.dtype) if found is None else found


def from_short(short: str) -> DType:
    """The DType with this short name, e.g. ``f32``.

    Raises:
        DTypeError: if there is none.
    """
    if short not in _BY_SHORT:
        raise DTypeError("unknown short dtype name", got=repr(short), expected=", ".join(_BY_SHORT))
    return _BY_SHORT[short]


def promote_types(type1: DType, type2: DType) -> DType:
    """The smallest type that holds both, by PyTorch's table.

    Source: ``torch.promote_types``. It differs from numpy's: int64 with float16 is float16.

    Example:
        >>> promote_types(int64, float16)
        graphc.float16
        >>> promote_types(float16, bfloat16)
        graphc.float32
    """
    return type1 if type1 is type2 else _promoted(type1, type2)


@cache
def _promoted(type1: DType, type2: DType) -> DType:
    low, high = sorted((type1, type2), key=lambda dtype: dtype.category)
    if low.category == high.category:
        if {low, high} == {float16, bfloat16}:
            return float32
        return _BY_NUMPY[np.promote_types(low.numpy, high.numpy)]
    if high.category == COMPLEX and low is float64:
        return complex128
    return high


def result_type(dimensioned: list[DType], zero_dim: list[DType], scalars: list[DType]) -> DType:
    """Promote operands by PyTorch's category rule.

    A zero-dim tensor changes the result only if its category is higher than that of every
    tensor with dimensions, a Python scalar only if it is higher than all tensors. A complex one
    makes floating-point operands complex with their own precision.

    Args:
        dimensioned: dtypes of the operands with one dim or more.
        zero_dim: dtypes of the tensors without dims.
        scalars: dtypes of Python scalars.

    Source: ``torch.result_type``.

    Example:
        >>> result_type([float32], [float64], [int64])
        graphc.float32
        >>> result_type([int64], [], [float32])
        graphc.float32
    """
    result: DType | None = None
    for group in (dimensioned, zero_dim, scalars):
        if not group:
            continue
        candidate = group[0]
        for dtype in group[1:]:
            candidate = promote_types(candidate, dtype)
        if result is None:
            result = candidate
        elif candidate.category > result.category:
            keeps_precision = candidate.is_complex and result.is_floating_point
            result = promote_types(result, complex64) if keeps_precision else candidate
    if result is None:
        raise DTypeError("result_type needs at least one operand")
    return result
