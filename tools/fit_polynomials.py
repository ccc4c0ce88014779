"""Derive the polynomial coefficients used by graphc.runtime.llvm.math.

Every table entry is the polynomial that interpolates a smooth function at Chebyshev nodes, solved
with 60 digits. Such a polynomial is within a small factor of the best one and needs no iteration.

Run ``python tools/fit_polynomials.py`` to print the tables as they stand in
``runtime/llvm/math/coefficients.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpmath import mp, mpf

mp.dps = 60


@dataclass(frozen=True)
class Fit:
    """One table: ``function(t)`` on ``[low, high]`` by a polynomial of the given degree in t."""

    name: str
    equation: str
    function: Callable[[Any], Any]
    low: Any
    high: Any
    degree: int


def interpolate(fit: Fit) -> list[Any]:
    """Coefficients, lowest power first, of the Chebyshev interpolant of ``fit``."""
    count = fit.degree + 1
    middle, half = (fit.low + fit.high) / 2, (fit.high - fit.low) / 2
    nodes = [middle + half * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
    powers = mp.matrix(count, count)
    for row, node in enumerate(nodes):
        for column in range(count):
            powers[row, column] = node**column
    values = mp.matrix([fit.function(node) for node in nodes])
    return list(mp.lu_solve(powers, values))


def largest_error(fit: Fit, coefficients: list[Any]) -> float:
    """Largest absolute difference over a dense grid."""
    worst = mpf(0)
    for step in range(1001):
        t = fit.low + (fit.high - fit.low) * step / 1000
        if t == 0:
            continue
        difference = abs(mp.polyval(coefficients[::-1], t) - fit.function(t))
        worst = max(worst, difference)
    return float(worst)


def exp_tail(r: Any) -> Any:
    """(exp(r) - 1 - r) / r^2."""
    if abs(r) < mpf(10) ** -20:
        return mpf(1) / 2 + r / 6
    return (mp.expm1(r) - r) / r**2


def log_tail(z: Any) -> Any:
    """2 (atanh(s)/s - 1) / z with z = s^2."""
    s = mp.sqrt(z)
    return 2 * (mp.atanh(s) / s - 1) / z


def tanh_tail(z: Any) -> Any:
    """(tanh(x)/x - 1) / z with z = x^2."""
    x = mp.sqrt(z)
    return (mp.tanh(x) / x - 1) / z


def erf_ratio(z: Any) -> Any:
    """erf(x)/x - 1 with z = x^2."""
    x = mp.sqrt(z)
    return mp.erf(x) / x - 1


def sin_tail(z: Any) -> Any:
    """(sin(x)/x - 1) / z with z = x^2."""
    x = mp.sqrt(z)
    return (mp.sin(x) / x - 1) / z


def cos_tail(z: Any) -> Any:
    """(cos(x) - 1 + z/2) / z^2 with z = x^2."""
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def erf_shifted(t: Any) -> Any:
    """erf(t + center): the far half of erf, up to where float32 rounds it to 1."""
    return mp.erf(t + ERF_CENTER)


ERF_CENTER = mpf("2.46875")
HALF_LN2 = mp.ln(2) / 2
LOG_RANGE = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2
QUADRANT = (mp.pi / 4) ** 2

FITS = (
    Fit("EXP_F32", "(exp(r) - 1 - r) / r^2", exp_tail, -HALF_LN2, HALF_LN2, 5),
    Fit("EXP_F64", "(exp(r) - 1 - r) / r^2", exp_tail, -HALF_LN2, HALF_LN2, 10),
    Fit("LOG_F32", "2 (atanh(s)/s - 1) / s^2, in s^2", log_tail, mpf(0), LOG_RANGE, 3),
    Fit("LOG_F64", "2 (atanh(s)/s - 1) / s^2, in s^2", log_tail, mpf(0), LOG_RANGE, 7),
    Fit("TANH_F32", "(tanh(x)/x - 1) / x^2, in x^2", tanh_tail, mpf(0), mpf(0.625) ** 2, 4),
    Fit("ERF_NEAR_F32", "erf(x)/x - 1, in x^2", erf_ratio, mpf(0), mpf(1), 6),
    Fit(
        "ERF_FAR_F32", "erf(t + 2.46875)", erf_shifted, 1 - ERF_CENTER, mpf("3.93") - ERF_CENTER, 14
    ),
    Fit("SIN_F64", "(sin(x)/x - 1) / x^2, in x^2", sin_tail, mpf(0), QUADRANT, 3),
    Fit("COS_F64", "(cos(x) - 1 + x^2/2) / x^4, in x^2", cos_tail, mpf(0), QUADRANT, 3),
)


def main() -> None:
    """Print every table with its largest error."""
    for fit in FITS:
        coefficients = interpolate(fit)
        print(f"# {fit.equation}; largest error {largest_error(fit, coefficients):.1e}")
        print(f"{fit.name} = (")
        for coefficient in coefficients:
            print(f"    {mp.nstr(coefficient, 20)},")
        print(")\n")


if __name__ == "__main__":
    main()
