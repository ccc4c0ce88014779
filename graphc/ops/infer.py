"""Type inference shared by families of operations, with the wording of their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.dtypes import BOOLEAN, COMPLEX, FLOATING, INTEGER, DType
from graphc.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from graphc.shapes import broadcast_shapes
from graphc.types import TensorType

ANY = frozenset({BOOLEAN, INTEGER, FLOATING, COMPLEX})
REAL = frozenset({BOOLEAN, INTEGER, FLOATING})
NUMBER = frozenset({INTEGER, FLOATING, COMPLEX})
ORDERED_NUMBER = frozenset({INTEGER, FLOATING})
FLOAT = frozenset({FLOATING})
FLOAT_OR_COMPLEX = frozenset({FLOATING, COMPLEX})
INTEGRAL = frozenset({BOOLEAN, INTEGER})
BOOL = frozenset({BOOLEAN})
INT = frozenset({INTEGER})
COMPLEX_ONLY = frozenset({COMPLEX})

_NAMES = {BOOLEAN: "bool", INTEGER: "integer", FLOATING: "floating point", COMPLEX: "complex"}
_TARGETS = {FLOATING: "float32", INTEGER: "int64", BOOLEAN: "bool", COMPLEX: "complex64"}
"""The dtype to cast to, for the first of these categories that is accepted."""


def require_category(op: str, types: Sequence[TensorType], accepted: frozenset[int]) -> None:
    """Raise DTypeError unless every operand's dtype has an accepted category."""
    for position, type in enumerate(types):
        if type.dtype.category not in accepted:
            raise DTypeError(
                f"{op}: operand {position} has an unsupported dtype",
                got=type.dtype.name,
                expected=" or ".join(_NAMES[category] for category in sorted(accepted)),
                fix=_advice(type.dtype, accepted),
            )


def _advice(given: DType, accepted: frozenset[int]) -> str:
    if given.category == COMPLEX:
        return "take a real part of it first: x.real, x.imag or x.abs()"
    target = next(name for category, name in _TARGETS.items() if category in accepted)
    return f"cast it first, e.g. x.to(graphc.{target})"


def require_same_dtype(op: str, types: Sequence[TensorType]) -> DType:
    """Raise DTypeError unless all operands have one dtype; return it."""
    dtype = types[0].dtype
    if any(type.dtype is not dtype for type in types):
        raise DTypeError(
            f"{op}: operands must have one dtype",
            got=", ".join(type.dtype.name for type in types),
            fix="cast them to one dtype first, e.g. x.to(y.dtype)",
        )
    return dtype


def broadcast_types(op: str, types: Sequence[TensorType], dtype: DType) -> TensorType:
    """The type with the operands' broadcast shape; ShapeError if they do not broadcast."""
    shape = types[0].shape
    if any(type.shape != shape for type in types):
        common = broadcast_shapes(*(type.shape for type in types))
        if common is None:
            raise ShapeError(
                f"{op}: shapes do not broadcast",
                got=" and ".join(map(str, types)),
                expected="sizes that are equal or 1, aligned at the last dim",
            )
        shape = common
    return TensorType(shape, dtype)


def elementwise_infer(
    op: str, accepted: frozenset[int], result: DType | None = None
) -> Callable[..., TensorType]:
    """Inference for an elementwise operation: one dtype, broadcast shape."""

    def infer(*types: TensorType) -> TensorType:
        dtype = require_same_dtype(op, types)
        require_category(op, types, accepted)
        return broadcast_types(op, types, result or dtype)

    return infer


def require_dim(op: str, dim: int, rank: int) -> int:
    """Raise IndexRangeError unless ``0 <= dim < rank``."""
    if not 0 <= dim < rank:
        raise IndexRangeError(
            f"{op}: dim out of range", got=str(dim), expected=f"0..{rank - 1} for {rank} dims"
        )
    return dim


def require_dims(op: str, dims: Sequence[int], rank: int) -> None:
    """Raise unless all dims are in range and none is named twice."""
    for dim in dims:
        require_dim(op, dim, rank)
    if len(set(dims)) < len(dims):
        raise ArgumentError(f"{op}: a dim is named twice", got=str(tuple(dims)))


def require_one_per_dim(op: str, what: str, rank: int, *values: Sequence[object]) -> None:
    """Raise ArgumentError unless every sequence has one item per dim."""
    if any(len(each) != rank for each in values):
        raise ArgumentError(
            f"{op}: it takes {what} per dim",
            got=", ".join(map(str, values)),
            expected=f"{rank} of each",
        )
