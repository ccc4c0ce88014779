"""Complex numbers: their parts, conjugates, angles and magnitudes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.errors import DTypeError, ShapeError
from graphc.frontend.functions.convert import as_float, require_tensor, scalar_tensor
from graphc.frontend.functions.pieces import stack
from graphc.frontend.functions.pointwise import sign
from graphc.frontend.functions.shaping import drop_dims
from graphc.ops import comparison, elementwise, elementwise_numbers, select
from graphc.ops import elementwise_parts as ops
from graphc.ops.elementwise_trigonometric import atan2 as atan2_op
from graphc.ops.linalg import swap_last
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "adjoint",
    "angle",
    "complex",
    "conj",
    "conj_physical",
    "imag",
    "is_conj",
    "is_neg",
    "polar",
    "real",
    "resolve_conj",
    "resolve_neg",
    "sgn",
    "view_as_complex",
    "view_as_real",
]


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


def adjoint(input: Tensor) -> Tensor:
    """Matrices transposed and conjugated (``torch.adjoint``).

    Raises:
        ShapeError: without two dims.
    """
    x = require_tensor("adjoint", input)
    if x.ndim < 2:
        raise ShapeError("adjoint: expected matrices", got=str(x.type), where=user_location_text())
    return conj(swap_last(x))


def is_conj(input: Tensor) -> bool:
    """Whether conjugation is still to be done: never, ``conj`` does it (``torch.is_conj``)."""
    require_tensor("is_conj", input)
    return False


def is_neg(input: Tensor) -> bool:
    """Whether negation is still to be done: never (``torch.is_neg``)."""
    require_tensor("is_neg", input)
    return False


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: ``conj`` has done its work already (``torch.resolve_conj``)."""
    return require_tensor("resolve_conj", input)


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: no negation waits (``torch.resolve_neg``)."""
    return require_tensor("resolve_neg", input)


def view_as_real(input: Tensor) -> Tensor:
    """Both parts along a new last dim of size 2 (``torch.view_as_real``). A copy, no view.

    Raises:
        DTypeError: for a real dtype.

    Example:
        >>> import graphc as gc
        >>> gc.view_as_real(gc.tensor([1 + 2j]))
        tensor([[1., 2.]])
    """
    x = require_tensor("view_as_real", input)
    if not x.dtype.is_complex:
        raise DTypeError(
            "view_as_real: the numbers are real already", got=x.dtype.name,
            expected="a complex dtype", where=user_location_text(),
        )  # fmt: skip
    return stack([ops.real(x), ops.imag(x)], -1)


def view_as_complex(input: Tensor) -> Tensor:
    """Complex numbers from a last dim of size 2 with both parts (``torch.view_as_complex``).

    A copy, no view.

    Args:
        input: float32 or float64 tensor.

    Raises:
        DTypeError: for another dtype.
        ShapeError: for another last dim.
    """
    x = require_tensor("view_as_complex", input)
    if x.ndim == 0 or x.shape[-1] != 2:
        raise ShapeError(
            "view_as_complex: the last dim must have size 2", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    both = [drop_dims(narrow(x, x.ndim - 1, at, at + 1), [x.ndim - 1]) for at in (0, 1)]
    return join(*both)


def angle(input: Tensor) -> Tensor:
    """The angle in the complex plane: for real numbers 0, or pi below 0 (``torch.angle``)."""
    x = as_float("angle", input)
    if x.dtype.is_complex:
        across, along = ops.imag(x), ops.real(x)
        return atan2_op(across, along)
    zero, half = scalar_tensor(0, x.dtype), scalar_tensor(math.pi, x.dtype)
    turned = select.where(comparison.lt(x, zero), half, zero)
    return select.where(comparison.ne(x, x), select.detach(x), turned)


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
