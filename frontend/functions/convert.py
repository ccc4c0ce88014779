"""From what users pass to operands: Python numbers, arrays and tensors of mixed dtypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard, Union

import numpy as np

from graphc.dims import Dim
from graphc.dtypes import BOOLEAN, COMPLEX, FLOATING, INTEGER, DType, of_array, result_type
from graphc.errors import ArgumentError, ArgumentTypeError, DTypeError, IndexRangeError, ShapeError
from graphc.frontend.base import TensorBase, is_tensor
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.modes import modes
from graphc.frontend.numpy_warnings import evaluate
from graphc.frontend.settings.default_dtype import default_dtype, dtype_of_number
from graphc.ops.leaf import size_value
from graphc.ops.select import cast as cast_op
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Number = bool | int | float | complex | Dim
TensorLike = Union["Tensor", Number]
_NUMBERS = (bool, int, float, complex, Dim)
_CATEGORIES = {bool: BOOLEAN, int: INTEGER, float: FLOATING}


def require_tensor(function: str, x: Any) -> Tensor:
    """Raise DTypeError unless ``x`` is a tensor; return it."""
    if is_tensor(x):
        return x
    raise DTypeError(
        f"{function}: expected a tensor",
        got=type(x).__name__,
        fix="wrap it: gc.tensor(...)",
        where=user_location_text(),
    )


def require_rank(function: str, x: Any, least: int) -> Tensor:
    """Raise ShapeError unless ``x`` is a tensor with so many dims or more; return it."""
    tensor = require_tensor(function, x)
    if tensor.ndim < least:
        wanted = {1: "one dim", 2: "two dims", 3: "three dims"}[least]
        raise ShapeError(
            f"{function}: expected {wanted} or more", got=str(tensor.type),
            where=user_location_text(),
        )  # fmt: skip
    return tensor


def tensor_sequence(function: str, given: Any) -> list[Tensor]:
    """The tensors of a sequence as a list; TypeError for what is none, or holds something else."""
    if not isinstance(given, Iterable):
        raise ArgumentTypeError(
            f"{function}: expected a sequence of tensors", got=type(given).__name__,
            where=user_location_text(),
        )  # fmt: skip
    return [require_tensor(function, x) for x in given]


def is_operand(x: object) -> TypeGuard[TensorLike]:
    """True for tensors and numbers."""
    return isinstance(x, (TensorBase, np.generic, *_NUMBERS))


_LEAST, _LARGEST = 2.0**-14, 65504.0
"""What every floating dtype has: the normal numbers of float16."""


def scalar_tensor(value: Number, dtype: DType) -> Tensor:
    """A Python number as a 0-d tensor of this dtype.

    Raises:
        DTypeError: for a complex number, unless the dtype is complex, too, or it is real.
    """
    if isinstance(value, Dim):
        return size_tensor(value, dtype)
    if isinstance(value, complex) and not dtype.is_complex:
        value = real_number(value, dtype.name)
    if isinstance(value, int) and dtype.category == 1:
        if not -(2**63) <= value < 2**64:
            raise ArgumentError(
                "a whole number of more than 64 bits", got=str(value), where=user_location_text()
            )
        wrapped = (value + 2**63) % 2**64 - 2**63
        return concrete(np.asarray(wrapped, np.int64).astype(dtype.numpy))
    try:
        if dtype.category == FLOATING and (value == 0 or _LEAST <= abs(value) <= _LARGEST):
            return concrete(np.asarray(value, dtype.numpy))  # which numpy does not warn of
        return concrete(evaluate(np.asarray, (), {"a": value, "dtype": dtype.numpy}))
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            "this is no number of the dtype", got=repr(value), expected=dtype.name,
            where=user_location_text(),
        ) from error  # fmt: skip


def real_number(value: complex, wanted: str) -> float:
    """The real part of a number that has no other; DTypeError if it has."""
    if value.imag:
        raise DTypeError(
            "a complex number is no real one", got=str(value), expected=wanted,
            fix="take its real part, or make the tensor complex", where=user_location_text(),
        )  # fmt: skip
    return value.real


def size_tensor(size: Dim, dtype: DType, refused: int | None = None, why: str = "") -> Tensor:
    """An unknown size as a 0-d tensor.

    Args:
        size: the size.
        dtype: the tensor's.
        refused: a size with which the program cannot run: it raises ShapeError.
        why: the error's message.
    """
    recorder = modes.recorder
    if recorder is None:
        raise ArgumentError(
            "an unknown size has a value only while recording", got=str(size),
            where=user_location_text(),
        )  # fmt: skip
    return cast(symbolic(size_value(size, refused, why), recorder), dtype)


def cast(x: Tensor, dtype: DType) -> Tensor:
    """The tensor with this dtype; itself if it has it already."""
    return x if x.dtype is dtype else cast_op(x, dtype=dtype)


def common_dtype(function: str, values: Sequence[Any]) -> DType:
    """The dtype that PyTorch promotes these operands to."""
    dimensioned: list[DType] = []
    zero_dim: list[DType] = []
    scalars: list[DType] = []
    for value in values:
        if isinstance(value, TensorBase):
            (dimensioned if value.ndim else zero_dim).append(value.dtype)
        elif isinstance(value, _NUMBERS):
            scalars.append(dtype_of_number(int if isinstance(value, Dim) else type(value)))
        elif isinstance(value, np.generic):
            scalars.append(dtype_of_number(type(value.item())))
        else:
            require_tensor(function, value)
    return result_type(dimensioned, zero_dim, scalars)


def to_operand(value: Any, dtype: DType) -> Tensor:
    """A tensor or number as a tensor of this dtype."""
    if is_tensor(value):
        return cast(value, dtype)
    return scalar_tensor(value.item() if isinstance(value, np.generic) else value, dtype)


def arrays_as_tensors(a: Any, b: Any) -> tuple[Any, Any]:
    """The operands; an array of numpy beside a tensor is a tensor with a copy of its values."""
    if isinstance(b, np.ndarray) and is_tensor(a):
        return a, concrete(native_array(b))
    if isinstance(a, np.ndarray) and is_tensor(b):
        return concrete(native_array(a)), b
    return a, b


def native_array(array: Array) -> Array:
    """A copy in this machine's byte order and C's order of elements.

    Raises:
        DTypeError: for a dtype that tensors do not have.
    """
    made = np.array(array, array.dtype.newbyteorder("="), order="C")
    try:
        of_array(made)
    except DTypeError:
        raise DTypeError(
            "tensors do not have this array's dtype", got=str(array.dtype),
            fix="convert the array to numbers first", where=user_location_text(),
        ) from None  # fmt: skip
    return made


def promote(function: str, a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    """Two operands in their common dtype."""
    if is_tensor(a):
        of = a.dtype
        if is_tensor(b):
            if of is b.dtype:
                return a, b
        elif of.category >= _CATEGORIES.get(type(b), COMPLEX + 1):
            return a, to_operand(b, of)
    a, b = arrays_as_tensors(a, b)
    dtype = common_dtype(function, (a, b))
    return to_operand(a, dtype), to_operand(b, dtype)


def promote_float(function: str, a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    """Two operands in their common dtype, integers as float32."""
    if is_tensor(a):
        of = a.dtype
        if of.is_differentiable:
            if is_tensor(b):
                if of is b.dtype:
                    return a, b
            elif of.category >= _CATEGORIES.get(type(b), COMPLEX + 1):
                return a, to_operand(b, of)
    a, b = arrays_as_tensors(a, b)
    dtype = common_dtype(function, (a, b))
    dtype = dtype if dtype.is_differentiable else default_dtype()
    return to_operand(a, dtype), to_operand(b, dtype)


def as_float(function: str, x: Tensor) -> Tensor:
    """The tensor itself if floating point, else as float32."""
    tensor = require_tensor(function, x)
    return tensor if tensor.dtype.is_differentiable else cast(tensor, default_dtype())


def normalize_dim(function: str, dim: Any, rank: int) -> int:
    """A dim counted from the front; a 0-d tensor accepts 0 and -1 as in PyTorch.

    Raises:
        IndexRangeError: if the dim does not exist.
        ArgumentTypeError: for what is no whole number.
    """
    bound = max(rank, 1)
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool):
        raise ArgumentTypeError(
            f"{function}: a dim must be a whole number", got=repr(dim),
            expected=f"{-bound}..{bound - 1}", where=user_location_text(),
        )  # fmt: skip
    if not -bound <= dim < bound:
        raise IndexRangeError(
            f"{function}: dim out of range", got=repr(dim), expected=f"{-bound}..{bound - 1}",
            where=user_location_text(),
        )  # fmt: skip
    return int(dim) % bound


def normalize_dims(function: str, dim: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Dims counted from the front, ascending; None means all.

    Raises:
        IndexRangeError: if a dim does not exist.
        ArgumentError: if a dim is named twice.
    """
    if dim is None:
        return tuple(range(rank))
    dims = list(dim) if isinstance(dim, Sequence) else [dim]
    found = sorted([normalize_dim(function, each, rank) for each in dims])
    if len(set(found)) < len(found):
        raise ArgumentError(
            f"{function}: a dim is named twice", got=str(dim), where=user_location_text()
        )
    return tuple(found) if rank else ()


def positional(function: str, args: tuple[Any, ...], named: Any) -> tuple[Any, ...]:
    """What is given one by one, or as one sequence by name; TypeError for both or a number."""
    if named is None:
        return args
    if args or not isinstance(named, list | tuple):
        raise ArgumentTypeError(
            f"{function}: expected a sequence, by position or by name", got=repr(named),
            where=user_location_text(),
        )  # fmt: skip
    return (named,)


def shape_argument(
    function: str, args: tuple[Any, ...], named: Any = None, *, least: int = 0
) -> tuple[Any, ...]:
    """Sizes given one by one or as one sequence, which may have a name.

    Raises:
        ArgumentTypeError: for what is no whole number.
        ArgumentError: for sizes below `least`, which is -1 where that stands for another size.
    """
    args = positional(function, args, named)
    sizes = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
    for size in sizes:
        if not isinstance(size, int | np.integer | Dim):
            raise ArgumentTypeError(
                f"{function}: sizes must be whole numbers",
                got=repr(size),
                where=user_location_text(),
            )
        if not isinstance(size, Dim) and size < least:
            raise ArgumentError(
                f"{function}: sizes cannot be negative", got=str(size), where=user_location_text()
            )
    return tuple(size if isinstance(size, Dim) else int(size) for size in sizes)
