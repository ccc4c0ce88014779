"""Orthogonal polynomials by their recurrences (``torch.special.chebyshev_polynomial_t`` ...).

Unlike PyTorch's they have gradients; the degree is a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import as_float
from graphc.frontend.functions.creation import full_like
from graphc.frontend.functions.factories import named
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Polynomial = Callable[["Tensor", float], "Tensor"]
Next = Callable[[Any, int, Any, Any], Any]
"""The polynomial of degree k + 1 from x, k, and those of degree k and k - 1."""


def _polynomial(kind: str, doc: str, first: Callable[[Any], Any], following: Next) -> Polynomial:
    """A family of polynomials; that of degree 0 is 1, and those below are 0."""

    def polynomial(input: Tensor, n: float) -> Tensor:
        x = as_float(kind, input)
        if isinstance(n, bool) or not isinstance(n, int | float):
            raise ArgumentError(
                f"{kind}: the degree must be a number", got=type(n).__name__,
                where=user_location_text(),
            )  # fmt: skip
        degree = int(n)
        below, current = full_like(x, 1), first(x)
        if degree < 1:
            return below if degree == 0 else full_like(x, 0)
        for k in range(1, degree):
            below, current = current, following(x, k, current, below)
        made: Tensor = current
        return made

    return named(polynomial, f"special.{kind}", f"{doc} of degree n.")


def _chebyshev(x: Any, k: int, current: Any, below: Any) -> Any:
    return 2 * x * current - below


def _shifted(x: Any, k: int, current: Any, below: Any) -> Any:
    return 2 * (2 * x - 1) * current - below


def _hermite(x: Any, k: int, current: Any, below: Any) -> Any:
    return 2 * x * current - 2 * k * below


def _hermite_of_chance(x: Any, k: int, current: Any, below: Any) -> Any:
    return x * current - k * below


def _laguerre(x: Any, k: int, current: Any, below: Any) -> Any:
    return ((2 * k + 1 - x) * current - k * below) / (k + 1)


def _legendre(x: Any, k: int, current: Any, below: Any) -> Any:
    return ((2 * k + 1) * x * current - k * below) / (k + 1)


_FIRST: dict[str, Callable[[Any], Any]] = {
    "t": lambda x: x, "u": lambda x: 2 * x, "v": lambda x: 2 * x - 1, "w": lambda x: 2 * x + 1
}  # fmt: skip


def _kind(letter: str) -> Polynomial:
    doc = f"The Chebyshev polynomial {letter.upper()}"
    return _polynomial(f"chebyshev_polynomial_{letter}", doc, _FIRST[letter], _chebyshev)


def _shifted_kind(letter: str) -> Polynomial:
    doc = f"The Chebyshev polynomial {letter.upper()} of ``2 x - 1``"
    name = f"shifted_chebyshev_polynomial_{letter}"
    return _polynomial(name, doc, lambda x: _FIRST[letter](2 * x - 1), _shifted)


chebyshev_polynomial_t, chebyshev_polynomial_u = _kind("t"), _kind("u")
chebyshev_polynomial_v, chebyshev_polynomial_w = _kind("v"), _kind("w")
shifted_chebyshev_polynomial_t, shifted_chebyshev_polynomial_u = map(_shifted_kind, "tu")
shifted_chebyshev_polynomial_v, shifted_chebyshev_polynomial_w = map(_shifted_kind, "vw")
hermite_polynomial_h = _polynomial(
    "hermite_polynomial_h", "The Hermite polynomial", lambda x: 2 * x, _hermite
)
hermite_polynomial_he = _polynomial(
    "hermite_polynomial_he", "The Hermite polynomial of probability theory", lambda x: x,
    _hermite_of_chance,
)  # fmt: skip
laguerre_polynomial_l = _polynomial(
    "laguerre_polynomial_l", "The Laguerre polynomial", lambda x: 1 - x, _laguerre
)
legendre_polynomial_p = _polynomial(
    "legendre_polynomial_p", "The Legendre polynomial", lambda x: x, _legendre
)
