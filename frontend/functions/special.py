"""Special functions: those of ``graphc.special``, and what ``gc.`` has of them.

scipy evaluates what has no formula of simpler functions; derivatives are PyTorch's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import TensorLike, as_float, promote_float, scalar_tensor
from graphc.frontend.functions.exponential import sigmoid
from graphc.frontend.functions.factories import binary, binary_float, unary
from graphc.frontend.functions.trigonometric import sine_over
from graphc.ops import comparison, elementwise, elementwise_exponential, select
from graphc.ops import elementwise_special as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "i0",
    "igamma",
    "igammac",
    "lgamma",
    "mvlgamma",
    "polygamma",
]

erf = unary(elementwise.erf, "erf", "The error function.")
erfc = unary(ops.erfc, "erfc", "``1 - erf(x)``, accurate where that is small.")
erfinv = unary(ops.erfinv, "erfinv", "The inverse of ``erf``; NaN outside -1 .. 1.")
erfcx = unary(ops.erfcx, "special.erfcx", "``exp(x^2) erfc(x)`` without overflow.")
lgamma = gammaln = unary(ops.lgamma, "lgamma", "The logarithm of the magnitude of gamma(x).")
digamma = psi = unary(ops.digamma, "digamma", "The derivative of ``lgamma``.")
i0 = unary(ops.i0, "i0", "The modified Bessel function of the first kind of order 0.")
i0e = unary(ops.i0e, "special.i0e", "``exp(-abs(x)) i0(x)``.")
i1 = unary(ops.i1, "special.i1", "The modified Bessel function of the first kind of order 1.")
i1e = unary(ops.i1e, "special.i1e", "``exp(-abs(x)) i1(x)``.")
entr = unary(ops.entr, "special.entr", "``-x log x``, 0 at 0 and -inf below.")
ndtri = unary(ops.ndtri, "special.ndtri", "The inverse of ``ndtr``; NaN outside 0 .. 1.")
log_ndtr = unary(ops.log_ndtr, "special.log_ndtr", "``log(ndtr(x))``, accurate far below 0.")

_SECOND = "modified Bessel function of the second kind"
bessel_j0 = unary(ops.bessel_j0, "special.bessel_j0", "The Bessel function of order 0.")
bessel_j1 = unary(ops.bessel_j1, "special.bessel_j1", "The Bessel function of order 1.")
bessel_y0 = unary(ops.bessel_y0, "special.bessel_y0", "The second Bessel function of order 0.")
bessel_y1 = unary(ops.bessel_y1, "special.bessel_y1", "The second Bessel function of order 1.")
modified_bessel_i0 = unary(ops.i0, "special.modified_bessel_i0", "The same function as ``i0``.")
modified_bessel_i1 = unary(ops.i1, "special.modified_bessel_i1", "The same function as ``i1``.")
modified_bessel_k0 = unary(
    ops.bessel_k0, "special.modified_bessel_k0", f"The {_SECOND} of order 0."
)
modified_bessel_k1 = unary(
    ops.bessel_k1, "special.modified_bessel_k1", f"The {_SECOND} of order 1."
)
scaled_modified_bessel_k0 = unary(
    ops.bessel_k0e, "special.scaled_modified_bessel_k0", "``exp(x) modified_bessel_k0(x)``."
)
scaled_modified_bessel_k1 = unary(
    ops.bessel_k1e, "special.scaled_modified_bessel_k1", "``exp(x) modified_bessel_k1(x)``."
)
airy_ai = unary(ops.airy_ai, "special.airy_ai", "The Airy function Ai.")


def spherical_bessel_j0(input: Tensor) -> Tensor:
    """``sin(x) / x``, and 1 at 0 (``torch.special.spherical_bessel_j0``)."""
    x = as_float("spherical_bessel_j0", input)
    endless = comparison.eq(elementwise.abs_(x), scalar_tensor(math.inf, x.dtype))
    zero = scalar_tensor(0, x.dtype)
    return select.where(endless, zero, sine_over(select.where(endless, zero, x)))


def ndtr(input: Tensor) -> Tensor:
    """The distribution function of the standard normal (``torch.special.ndtr``)."""
    x = as_float("ndtr", input)
    below = elementwise.mul(x, scalar_tensor(-math.sqrt(0.5), x.dtype))
    return elementwise.mul(ops.erfc(below), scalar_tensor(0.5, x.dtype))


def xlog1py(input: TensorLike, other: TensorLike) -> Tensor:
    """``input * log1p(other)``, 0 where the input is 0 (``torch.special.xlog1py``)."""
    return elementwise_exponential.xlog1py(*promote_float("special.xlog1py", input, other))


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of ``digamma`` (``torch.polygamma``).

    Args:
        n: the order, 0 or more.
        input: tensor.

    Raises:
        ArgumentError: for a negative order.

    Example:
        >>> import graphc as gc
        >>> gc.polygamma(1, gc.tensor([1.0, 0.5]))
        tensor([1.6449, 4.9348])
    """
    _require_whole("polygamma: the order", n, 0)
    x = as_float("polygamma", input)
    return ops.digamma(x) if n == 0 else ops.polygamma(x, n=n)


def _require_whole(what: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise ArgumentError(
            f"{what} is a whole number, {least} or more", got=repr(value),
            where=user_location_text(),
        )  # fmt: skip


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function (``torch.mvlgamma``).

    Args:
        input: tensor of numbers above ``(p - 1) / 2``.
        p: the dimension, 1 or more.

    Raises:
        ArgumentError: for p below 1.
    """
    _require_whole("mvlgamma: p", p, 1)
    x = as_float("mvlgamma", input)
    total = scalar_tensor(p * (p - 1) / 4 * math.log(math.pi), x.dtype)
    for step in range(p):
        shifted = elementwise.sub(x, scalar_tensor(step / 2, x.dtype)) if step else x
        total = elementwise.add(total, ops.lgamma(shifted))
    return total


multigammaln = mvlgamma
expit = sigmoid

_NO_FIRST = "There is no gradient by the first argument, as in PyTorch."

zeta = binary_float(ops.zeta, "special.zeta", f"The Hurwitz zeta function. {_NO_FIRST}")


gammainc = igamma = binary(
    ops.gammainc, "special.gammainc",
    f"The regularized lower incomplete gamma function. {_NO_FIRST}",
)  # fmt: skip
gammaincc = igammac = binary(
    ops.gammaincc, "special.gammaincc",
    f"The regularized upper incomplete gamma function. {_NO_FIRST}",
)  # fmt: skip
