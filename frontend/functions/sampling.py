"""Uniform, normal and whole random numbers, the same ones in every execution of one program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Size
from graphc.dtypes import (
    BOOLEAN,
    INTEGER,
    DType,
    DTypeLike,
    as_dtype,
    bfloat16,
    float16,
    float32,
    float64,
    int64,
)  # fmt: skip
from graphc.errors import ArgumentError, ArgumentTypeError, DTypeError
from graphc.frontend.functions.complexes import join
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor, shape_argument
from graphc.frontend.functions.creation import tracked
from graphc.frontend.functions.generators import Generator, default_generator
from graphc.frontend.functions.sorting import argsort
from graphc.frontend.making import concrete
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.ops import comparison, elementwise, select
from graphc.ops import random as ops
from graphc.ops.elementwise_parts import part_dtype
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm"]

_UNIFORM_BITS = {float16: 11, bfloat16: 8, float32: 24}
"""As many bits as the significand holds, so that no number is rounded up to 1."""


def uniform_values(shape: Sequence[Size], dtype: DTypeLike, generator: Generator | None) -> Tensor:
    """Uniform numbers in ``[0, 1)``, of as many random bits as the dtype's significand holds."""
    source = generator or default_generator
    of = _require_inexact(dtype)
    if of.is_complex:
        half = part_dtype(of)
        return join(uniform_values(shape, half, generator), uniform_values(shape, half, generator))
    bits = source.bits(shape)
    if of is not float64:
        count = _UNIFORM_BITS[of]
        top = _top_bits(bits, count, float32)
        return cast(elementwise.mul(top, scalar_tensor(2.0**-count, float32)), of)
    high, low = _top_bits(bits, 27, float64), _top_bits(source.bits(shape), 26, float64)
    whole = elementwise.add(elementwise.mul(high, scalar_tensor(2.0**26, float64)), low)
    return elementwise.mul(whole, scalar_tensor(2.0**-53, float64))


def normal_values(shape: Sequence[Size], dtype: DTypeLike, generator: Generator | None) -> Tensor:
    """Standard normal numbers; complex ones have a total variance of 1."""
    source = generator or default_generator
    of = _require_inexact(dtype)
    if of.is_complex:
        half = part_dtype(of)
        parts = (normal_values(shape, half, generator), normal_values(shape, half, generator))
        shrink = scalar_tensor(math.sqrt(0.5), half)
        return join(*(elementwise.mul(part, shrink) for part in parts))
    first, second = source.bits(shape), source.bits(shape)
    return ops.normal_from_bits(first, second, dtype=of)


def _require_inexact(dtype: DTypeLike) -> DType:
    of = as_dtype(dtype)
    if not of.is_differentiable:
        raise DTypeError(
            "random numbers of this kind need a floating point or complex dtype", got=of.name,
            where=user_location_text(),
        )  # fmt: skip
    return of


def _top_bits(bits: Tensor, count: int, dtype: DType) -> Tensor:
    """The highest bits as a number that is not negative."""
    mask = _int32(2**count - 1)
    return cast(
        comparison.bitwise_and(comparison.shift_right(bits, _int32(32 - count)), mask), dtype
    )


def _int32(value: int) -> Tensor:
    return concrete(np.asarray(value, np.int32))


def rand(
    *sizes: Any, size: Any = None, dtype: DTypeLike | None = None,
    generator: Generator | None = None, requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Uniform numbers in ``[0, 1)`` (``torch.rand``).

    Args:
        sizes: the shape, one by one or as one sequence.
        size: the shape by name.
        dtype: floating point or complex type; default float32.
        generator: default: the global one.
        requires_grad: track gradients.
        device: the CPU.

    Example:
        >>> import graphc as gc
        >>> gc.rand(2, 3).shape
        (2, 3)
    """
    require_cpu(device)
    made = uniform_values(shape_argument("rand", sizes, size), dtype or default_dtype(), generator)
    return tracked(made, requires_grad)


def randn(
    *sizes: Any, size: Any = None, dtype: DTypeLike | None = None,
    generator: Generator | None = None, requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Standard normal numbers (``torch.randn``); the same bits on every backend.

    Args:
        sizes: the shape, one by one or as one sequence.
        size: the shape by name.
        dtype: floating point or complex type; default float32.
        generator: default: the global one.
        requires_grad: track gradients.
        device: the CPU.
    """
    require_cpu(device)
    made = normal_values(shape_argument("randn", sizes, size), dtype or default_dtype(), generator)
    return tracked(made, requires_grad)


def rand_like(
    input: Tensor, *, dtype: DTypeLike | None = None, generator: Generator | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Uniform numbers in the shape and dtype of another tensor (``torch.rand_like``)."""
    x = require_tensor("rand_like", input)
    return rand(x.shape, dtype=dtype or x.dtype, generator=generator,
                requires_grad=requires_grad, device=device)  # fmt: skip


def randn_like(
    input: Tensor, *, dtype: DTypeLike | None = None, generator: Generator | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Standard normal numbers in the shape and dtype of another tensor (``torch.randn_like``)."""
    x = require_tensor("randn_like", input)
    return randn(x.shape, dtype=dtype or x.dtype, generator=generator,
                 requires_grad=requires_grad, device=device)  # fmt: skip


def randint(
    low: int | None = None, high: Any = None, size: Sequence[Size] | None = None, *,
    dtype: DTypeLike = int64, generator: Generator | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Whole numbers in ``low .. high - 1`` (``torch.randint``).

    Args:
        low: smallest value; left out, it is 0: ``randint(high, size)``.
        high: bound, not reached.
        size: the shape.
        dtype: element type, which holds the numbers.
        generator: default: the global one.
        requires_grad: track gradients, of floats.
        device: the CPU.

    Raises:
        ArgumentError: if there is no value in the range, or the dtype does not hold it.

    Example:
        >>> import graphc as gc
        >>> gc.randint(5, (3,)).shape, gc.randint(3, 4, (1,)).item()
        ((3,), 3)
    """
    require_cpu(device)
    if size is None:
        high, size = None, high
    if high is None:
        low, high = None, low
    bounds = (0 if low is None else low, high)
    if size is None or not all(isinstance(bound, int | np.integer) for bound in bounds):
        raise ArgumentTypeError(
            "randint: expected whole numbers low and high, and a size",
            got=f"{low}, {high}, {size}", where=user_location_text(),
        )  # fmt: skip
    made = whole_values(
        "randint", bounds[0], bounds[1], shape_argument("randint", (tuple(size),)),
        as_dtype(dtype), generator,
    )  # fmt: skip
    return tracked(made, requires_grad)


def randint_like(
    input: Tensor, low: int | None = None, high: int | None = None, *,
    dtype: DTypeLike | None = None, generator: Generator | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Whole numbers in the shape and dtype of another tensor (``torch.randint_like``).

    Args:
        input: the other tensor.
        low: smallest value; left out, it is 0: ``randint_like(x, high)``.
        high: bound, not reached.
        dtype: default: that of the other tensor.
        generator: default: the global one.
        requires_grad: track gradients, of floats.
        device: the CPU.
    """
    x = require_tensor("randint_like", input)
    return randint(low, high, x.shape, dtype=dtype or x.dtype, generator=generator,
                   requires_grad=requires_grad, device=device)  # fmt: skip


def whole_values(
    function: str, low: int, high: int, shape: Sequence[Size], dtype: DType,
    generator: Generator | None,
) -> Tensor:  # fmt: skip
    """Whole numbers in ``low .. high - 1``; ArgumentError if the dtype does not hold them."""
    least, most = _whole_range(dtype)
    if not least <= low < high <= most + 1:
        raise ArgumentError(
            f"{function}: the range is empty, or too wide for the dtype",
            got=f"{low} .. {high} for {dtype.name}",
            expected=f"{least} <= low < high <= {most + 1}", where=user_location_text(),
        )  # fmt: skip
    source = generator or default_generator
    count = high - low
    if count <= _FINE:
        bits = comparison.bitwise_and(cast(source.bits(shape), int64), _int64(0xFFFFFFFF))
        places = comparison.shift_right(elementwise.mul(bits, _int64(count)), _int64(32))
    else:
        places = _far_places(_bits64(source, shape), count)
    return cast(elementwise.add(places, _int64(low)), dtype)


_FINE = 2**24
"""Up to it a number of 32 random bits is divided into ranges of nearly the same length."""


def _whole_range(dtype: DType) -> tuple[int, int]:
    """The whole numbers that a dtype can hold, within int64."""
    if dtype.category == BOOLEAN:
        return 0, 1
    if dtype.category == INTEGER:
        return int(np.iinfo(dtype.numpy).min), int(np.iinfo(dtype.numpy).max)
    if dtype.is_complex:
        raise DTypeError(
            "random whole numbers cannot be complex", got=dtype.name, where=user_location_text()
        )
    most = 2**63 - 1 if dtype is not float16 else 65504
    return -most - 1 if dtype is not float16 else -most, most


def _bits64(source: Generator, shape: Sequence[Size]) -> Tensor:
    high, low = cast(source.bits(shape), int64), cast(source.bits(shape), int64)
    lower = comparison.bitwise_and(low, _int64(0xFFFFFFFF))
    return comparison.bitwise_or(comparison.shift_left(high, _int64(32)), lower)


def _far_places(bits: Tensor, count: int) -> Tensor:
    """The remainder of 64 bits without sign by a number of places."""
    if count < 2**63:
        positive = comparison.bitwise_and(bits, _int64(2**63 - 1))
        return elementwise.remainder(positive, _int64(count))
    if count == 2**64:
        return bits
    flip = _int64(2**63)  # signed comparison of flipped numbers is unsigned comparison
    below = comparison.lt(comparison.bitwise_xor(bits, flip), _int64(count ^ 2**63))
    return select.where(below, bits, elementwise.sub(bits, _int64(count)))


def _int64(value: int) -> Tensor:
    """A number of 64 bits, those without a sign by their bits."""
    return concrete(np.asarray((value + 2**63) % 2**64 - 2**63, np.int64))


def keep_mask(shape: Sequence[Size], keep: float, generator: Generator | None = None) -> Tensor:
    """True with probability ``keep``; what dropout multiplies by."""
    drawn = uniform_values(shape, float32, generator)
    return comparison.lt(drawn, scalar_tensor(keep, float32))


def randperm(
    n: Size, *, dtype: DTypeLike = int64, generator: Generator | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A random order of ``0 .. n - 1`` (``torch.randperm``).

    Args:
        n: how many numbers.
        dtype: element type.
        generator: default: the global one.
        requires_grad: track gradients, of floats.
        device: the CPU.

    Raises:
        ArgumentError: if n is negative, or the dtype does not hold n - 1.

    Example:
        >>> import graphc as gc
        >>> gc.randperm(4).sort().values
        tensor([0, 1, 2, 3])
    """
    require_cpu(device)
    of = as_dtype(dtype)
    shape = shape_argument("randperm", (n,))
    if isinstance(n, int) and not 0 <= n <= _whole_range(of)[1] + 1:
        raise ArgumentError(
            "randperm: expected a count whose numbers the dtype holds", got=f"{n}, {of.name}",
            where=user_location_text(),
        )  # fmt: skip
    order = argsort(_bits64(generator or default_generator, shape), stable=True)
    return tracked(cast(order, of), requires_grad)
