"""Special functions of Python floats, by mpmath and the math module, with IEEE corners."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mp

Corners = dict[float, float]
NAN, INF = math.nan, math.inf


def exactly(function: Callable[..., Any], corners: Corners | None = None) -> Callable[..., float]:
    """A function of mpmath for finite floats; ``corners`` says what holds at the others.

    Args:
        function: takes and gives mpmath's numbers.
        corners: results at arguments such as infinity and 0; NaN where nothing is said of an
            infinite one.
    """
    known = corners or {}

    def run(x: float) -> float:
        if math.isnan(x):
            return NAN
        if x in known:
            return known[x]
        if math.isinf(x):
            return NAN
        with mp.workprec(120):
            try:
                value = function(mpmath.mpf(x))
            except (ValueError, ZeroDivisionError):
                return NAN
            return NAN if isinstance(value, mpmath.mpc) else float(value)

    return run


def inside(low: float, high: float, function: Callable[[float], float]) -> Callable[[float], float]:
    """A function that is NaN outside ``low .. high``."""
    return lambda x: function(x) if low <= x <= high else NAN


def inverse_error_function(x: Any) -> Any:
    """erfinv; mpmath's own returns nothing useful below 1e-30."""
    return x * mp.sqrt(mp.pi) / 2 if abs(x) < 1e-20 else mp.erfinv(x)


def normal_quantile(p: Any) -> Any:
    """ndtri by Newton's method on the logarithm of the distribution function."""
    if p > 0.5:
        return -normal_quantile(1 - p)
    x = -mp.sqrt(-2 * mp.log(p)) if p < 0.1 else mp.mpf(0)
    for _ in range(60):
        below = mp.erfc(-x / mp.sqrt(2)) / 2
        density = mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)
        x -= (mp.log(below) - mp.log(p)) * below / density
    return x


def log_normal_distribution(x: Any) -> Any:
    """log_ndtr by its series where the distribution function underflows."""
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) if x > -100 else _tail(x)


def _tail(x: Any) -> Any:
    series = sum((-1) ** k * mp.fac2(2 * k - 1) / x ** (2 * k) for k in range(4))
    return -x * x / 2 - mp.log(-x * mp.sqrt(2 * mp.pi)) + mp.log(series)


def scaled_complement(x: Any) -> Any:
    """erfcx; its series where exp overflows."""
    if x > 1000:
        return (1 - 1 / (2 * x * x)) / (x * mp.sqrt(mp.pi))
    return mp.exp(x * x) * mp.erfc(x) if x > -100 else mp.inf


def entropy(x: float) -> float:
    """-x log x."""
    if x <= 0 or math.isnan(x):
        return x if math.isnan(x) else (0.0 if x == 0 else -INF)
    return -x * math.log(x) if x < INF else -INF


def log_gamma(x: float) -> float:
    """lgamma; infinite at its poles."""
    try:
        return INF if math.isinf(x) and x > 0 else math.lgamma(x)
    except (ValueError, OverflowError):
        return INF


def log_of_sum(base: Any) -> Callable[[float, float], float]:
    """The logarithm of a sum of two powers."""

    def run(a: float, b: float) -> float:
        larger, smaller = max(a, b), min(a, b)
        if math.isnan(a) or math.isnan(b):
            return NAN
        if math.isinf(larger):
            return larger
        with mp.workprec(120):
            share = mp.power(base, mpmath.mpf(smaller) - mpmath.mpf(larger))
            return float(larger + mp.log1p(share) / mp.log(base))

    return run


def times_log(logarithm: Callable[[Any], Any], start: float) -> Callable[[float, float], float]:
    """x times a logarithm whose domain begins at ``start``; 0 where x is 0."""

    def run(x: float, y: float) -> float:
        if math.isnan(x) or math.isnan(y):
            return NAN
        if x == 0:
            return 0.0
        if y < start:
            return NAN
        if y == start or math.isinf(y):
            return x * (-INF if y == start else INF)
        if math.isinf(x) or y == start + 1:
            return x * (float(logarithm(y)) or 0.0 * (y if start else 1.0))
        with mp.workprec(120):
            return float(mpmath.mpf(x) * logarithm(mpmath.mpf(y)))

    return run


def _log_odds(x: float) -> float:
    with mp.workprec(120):
        return float(mp.log(mpmath.mpf(x) / (1 - mpmath.mpf(x))))


def odds(x: float) -> float:
    """logit."""
    if not 0 <= x <= 1:
        return NAN
    return {0.0: -INF, 1.0: INF}[x] if x in (0, 1) else _log_odds(x)


def poly_gamma(x: float, *, n: int) -> float:
    """The n-th derivative of digamma; its poles go to infinity by the side of positive numbers."""
    if math.isnan(x) or x == -INF:
        return NAN
    if x == INF:
        return 0.0 if n % 2 else -0.0
    if x <= 0 and x == math.floor(x):
        return INF if n % 2 else -INF
    with mp.workprec(200):
        return float(mp.polygamma(n, mpmath.mpf(x)))


def hurwitz(x: float, q: float) -> float:
    """zeta for q > 0 and x > 1."""
    with mp.workprec(80):
        return float(mp.zeta(mpmath.mpf(x), mpmath.mpf(q)))


def incomplete_gamma(a: float, x: float) -> float:
    """The regularized lower incomplete gamma function."""
    with mp.workprec(120):
        return float(mp.gammainc(a, 0, x, regularized=True))


def upper_gamma(a: float, x: float) -> float:
    """The regularized upper incomplete gamma function."""
    with mp.workprec(120):
        return float(mp.gammainc(a, x, mp.inf, regularized=True))


def divisor(a: int, b: int) -> int:
    """The greatest common divisor."""
    return math.gcd(a, b)


def mantissa(x: float) -> float:
    """frexp's first result."""
    return math.frexp(x)[0]


def exponent(x: float) -> int:
    """frexp's second result."""
    return math.frexp(x)[1] if math.isfinite(x) else 0


def truncated_remainder(a: Any, b: Any) -> Any:
    """C's fmod, exact for integers; by zero NaN or 0."""
    if isinstance(a, int):
        return 0 if b == 0 else int(math.copysign(1, a)) * (abs(a) % abs(b))
    if b == 0 or math.isinf(a) or math.isnan(a) or math.isnan(b):
        return NAN
    return math.fmod(a, b)
