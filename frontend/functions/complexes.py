"""Complex numbers: their parts, conjugates, angles and magnitudes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.errors import DTypeError
from graphc.frontend.functions.convert import as_float, require_tensor, scalar_tensor
from graphc.frontend.functions.pointwise import sign
from graphc.ops import comparison, elementwise, elementwise_numbers, select
from graphc.ops import elementwise_parts as ops
from graphc.ops.elementwise_trigonometric import atan2 as atan2_op
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["angle", "complex", "conj", "conj_physical", "imag", "polar", "real", "sgn"]


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """Complex numbers from their parts (``torch.complex``).

    Args:
        real: float32 or float64 tensor.
        imag: tensor of the same dtype.

    Example:
        >>> import graphc as gc
        >>> gc.complex(gc.tensor([3.0]), gc.tensor([-4.0])).abs()
        tensor([5.])
    """
    return ops.complex_(require_tensor("complex", real), require_tensor("complex", imag))


join = complex


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """Complex numbers from magnitude and angle (``torch.polar``)."""
    size, turn = require_tensor("polar", abs), require_tensor("polar", angle)
    return complex(
        elementwise.mul(size, elementwise.cos(turn)), elementwise.mul(size, elementwise.sin(turn))
    )


def real(input: Tensor) -> Tensor:
    """The real part; real tensors as they are (``torch.real``). A copy, no view."""
    x = require_tensor("real", input)
    return ops.real(x) if x.dtype.is_complex else x


def imag(input: Tensor) -> Tensor:
    """The imaginary part (``torch.imag``). A copy, no view.

    Raises:
        DTypeError: for a real dtype.
    """
    x = require_tensor("imag", input)
    if not x.dtype.is_complex:
        raise DTypeError(
            "imag: real numbers have no imaginary part here", got=x.dtype.name,
            expected="a complex dtype", where=user_location_text(),
        )  # fmt: skip
    return ops.imag(x)


def parts(x: Tensor) -> tuple[Tensor, Tensor]:
    """Real and imaginary part of a complex tensor."""
    return ops.real(x), ops.imag(x)


def conj(input: Tensor) -> Tensor:
    """The complex conjugate; real tensors as they are (``torch.conj``). A copy, no view."""
    return ops.conjugated(require_tensor("conj", input))


conj_physical = conj


def angle(input: Tensor) -> Tensor:
    """The angle in the complex plane: for real numbers 0, or pi below 0 (``torch.angle``)."""
    x = as_float("angle", input)
    if x.dtype.is_complex:
        across, along = ops.imag(x), ops.real(x)
        return atan2_op(across, along)
    zero, half = scalar_tensor(0, x.dtype), scalar_tensor(math.pi, x.dtype)
    turned = select.where(comparison.lt(x, zero), half, zero)
    return select.where(comparison.ne(x, x), x, turned)


def sgn(input: Tensor) -> Tensor:
    """The sign; of a complex number ``z / abs(z)``, and 0 at 0 (``torch.sgn``)."""
    x = require_tensor("sgn", input)
    if not x.dtype.is_complex:
        return sign(x)
    size = elementwise_numbers.magnitude(x)
    at_zero = comparison.eq(size, scalar_tensor(0, size.dtype))
    divisor = select.where(at_zero, scalar_tensor(1, size.dtype), size)
    nothing = elementwise.sub(divisor, divisor)
    unit = elementwise.div(x, complex(divisor, nothing))
    return select.where(at_zero, scalar_tensor(0, x.dtype), unit)
