"""What holds of elements and of whole tensors: close, equal, contained, infinite, negative."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING

from graphc.dtypes import BOOLEAN, FLOATING, float32
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.functions import choosing, logic, pointwise, reduction
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import (
    TensorLike,
    cast,
    common_dtype,
    require_tensor,
    scalar_tensor,
    to_operand,
)  # fmt: skip
from graphc.frontend.functions.shaping import reshape
from graphc.ops import comparison, elementwise, elementwise_numbers, elementwise_parts
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "allclose",
    "equal",
    "is_complex",
    "is_floating_point",
    "is_nonzero",
    "isclose",
    "isin",
    "isneginf",
    "isposinf",
    "isreal",
    "signbit",
]


def _require_real(function: str, input: Tensor) -> Tensor:
    x = require_tensor(function, input)
    if x.dtype.is_complex:
        raise DTypeError(
            f"{function}: complex numbers have no sign", got=x.dtype.name,
            expected="a real dtype", where=user_location_text(),
        )  # fmt: skip
    return x


def _equals(x: Tensor, value: float) -> Tensor:
    if x.dtype.category != FLOATING:
        return comparison.ne(x, x)
    return comparison.eq(x, scalar_tensor(value, x.dtype))


def isposinf(input: Tensor) -> Tensor:
    """True where plus infinity (``torch.isposinf``)."""
    return _equals(_require_real("isposinf", input), math.inf)


def isneginf(input: Tensor) -> Tensor:
    """True where minus infinity (``torch.isneginf``)."""
    return _equals(_require_real("isneginf", input), -math.inf)


def isreal(input: Tensor) -> Tensor:
    """True where the imaginary part is 0 (``torch.isreal``)."""
    x = require_tensor("isreal", input)
    if x.dtype.is_complex:
        part = elementwise_parts.imag(x)
        return comparison.eq(part, scalar_tensor(0, part.dtype))
    return logic.logical_or(comparison.eq(x, x), comparison.ne(x, x))


def signbit(input: Tensor) -> Tensor:
    """True where negative, -0.0 and NaN with a sign included (``torch.signbit``)."""
    x = _require_real("signbit", input)
    if x.dtype.category == BOOLEAN:
        return comparison.ne(x, x)
    if x.dtype.category == FLOATING:
        x = elementwise_numbers.copysign(scalar_tensor(1, x.dtype), x)
    return comparison.lt(x, scalar_tensor(0, x.dtype))


def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: builtins.bool = False,
) -> Tensor:
    """True where ``abs(input - other) <= atol + rtol * abs(other)`` (``torch.isclose``).

    Args:
        input: tensor.
        other: tensor of the same dtype.
        rtol: permitted distance relative to ``other``.
        atol: permitted distance besides.
        equal_nan: whether two NaN are close.

    Raises:
        ArgumentError: for a negative tolerance.
        DTypeError: if the dtypes differ.

    Example:
        >>> import graphc as gc
        >>> gc.isclose(gc.tensor([1.0, 2.0]), gc.tensor([1.000001, 2.1]))
        tensor([ True, False])
    """
    a, b = require_tensor("isclose", input), require_tensor("isclose", other)
    if a.dtype is not b.dtype:
        raise DTypeError(
            "isclose: both tensors must have one dtype",
            got=f"{a.dtype.name} and {b.dtype.name}", where=user_location_text(),
        )  # fmt: skip
    if rtol < 0 or atol < 0:
        raise ArgumentError(
            "isclose: tolerances must not be negative", got=f"rtol={rtol}, atol={atol}",
            where=user_location_text(),
        )  # fmt: skip
    close = comparison.eq(a, b)
    if equal_nan and a.dtype.is_differentiable:
        both = comparison.logical_and(comparison.ne(a, a), comparison.ne(b, b))
        close = comparison.logical_or(close, both)
    if rtol == 0 and atol == 0:
        return close
    if not a.dtype.is_differentiable:
        a, b = cast(a, float32), cast(b, float32)
    distance, size = pointwise.abs(elementwise.sub(a, b)), pointwise.abs(b)
    allowed = elementwise.add(
        scalar_tensor(atol, size.dtype),
        pointwise.abs(elementwise.mul(scalar_tensor(rtol, size.dtype), size)),
    )
    within = comparison.logical_and(choosing.isfinite(distance), comparison.le(distance, allowed))
    return comparison.logical_or(close, within)


def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: builtins.bool = False,
) -> builtins.bool:
    """Whether all elements are close; see ``isclose`` (``torch.allclose``).

    Raises:
        SymbolicValueError: while recording, since the answer exists only at run time.
    """
    return builtins.bool(reduction.all(isclose(input, other, rtol, atol, equal_nan)))


def equal(input: Tensor, other: Tensor) -> builtins.bool:
    """Whether shapes and all elements are equal (``torch.equal``).

    Raises:
        SymbolicValueError: while recording, since the answer exists only at run time.
        DTypeError: if the dtypes differ.
    """
    a, b = require_tensor("equal", input), require_tensor("equal", other)
    if a.shape != b.shape:
        return False
    if a.dtype is not b.dtype:
        raise DTypeError(
            "equal: both tensors must have one dtype",
            got=f"{a.dtype.name} and {b.dtype.name}", where=user_location_text(),
        )  # fmt: skip
    return builtins.bool(reduction.all(comparison.eq(a, b)))


@also_called(element="elements", test_element="test_elements")
def isin(
    elements: TensorLike,
    test_elements: TensorLike,
    *,
    assume_unique: builtins.bool = False,
    invert: builtins.bool = False,
) -> Tensor:
    """True where an element is among others (``torch.isin``).

    Args:
        elements: tensor or number.
        test_elements: tensor or number.
        assume_unique: accepted for PyTorch's sake; the answer does not depend on it.
        invert: True where it is not among them.

    Example:
        >>> import graphc as gc
        >>> gc.isin(gc.tensor([1, 2, 3]), gc.tensor([3, 1]))
        tensor([ True, False,  True])
    """
    dtype = common_dtype("isin", (elements, test_elements))
    x, others = to_operand(elements, dtype), to_operand(test_elements, dtype)
    table = comparison.eq(reshape(x, (*x.shape, 1)), reshape(others, (-1,)))
    found = reduction.any(table, -1)
    return comparison.logical_not(found) if invert else found


def is_nonzero(input: Tensor) -> builtins.bool:
    """Whether the only element is not 0 (``torch.is_nonzero``)."""
    return builtins.bool(require_tensor("is_nonzero", input))


def is_complex(input: Tensor) -> builtins.bool:
    """Whether the dtype is complex (``torch.is_complex``)."""
    return require_tensor("is_complex", input).dtype.is_complex


def is_floating_point(input: Tensor) -> builtins.bool:
    """Whether the dtype is a floating point one (``torch.is_floating_point``)."""
    return require_tensor("is_floating_point", input).dtype.is_floating_point
