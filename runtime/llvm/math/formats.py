"""What the algorithms need to know about the two floating-point formats."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math import coefficients


@dataclass(frozen=True, slots=True)
class Format:
    """Constants of one format. ``x_high + x_low`` is x with twice the format's precision.

    Args:
        integer: the integer type with the same bits.
        mantissa: number of explicit mantissa bits.
        bias: exponent bias.
        smallest_normal: below it numbers are denormal.
        shifter: added to a number, leaves the nearest integer in the lowest mantissa bits.
        exp_low: at and below it exp gives 0.
        exp_high: at and above it exp gives infinity.
        expm1_low: at and below it expm1 gives -1.
        tiny: below it, f(x) = x for expm1 and log1p.
        ln2_high: ln 2, rounded.
        ln2_low: the rest of ln 2.
        exp: polynomial of the exponential.
        log: polynomial of the logarithm.
    """

    integer: str
    mantissa: int
    bias: int
    smallest_normal: float
    shifter: float
    exp_low: float
    exp_high: float
    expm1_low: float
    tiny: float
    ln2_high: float
    ln2_low: float
    exp: tuple[float, ...]
    log: tuple[float, ...]


FLOAT32 = Format(
    integer="i32",
    mantissa=23,
    bias=127,
    smallest_normal=2.0**-126,
    shifter=1.5 * 2.0**23,
    exp_low=-104.0,
    exp_high=89.0,
    expm1_low=-18.0,
    tiny=2.0**-25,
    ln2_high=0.693147182464599609375,
    ln2_low=-1.9046542999577680e-09,
    exp=coefficients.EXP_F32,
    log=coefficients.LOG_F32,
)

FLOAT64 = Format(
    integer="i64",
    mantissa=52,
    bias=1023,
    smallest_normal=2.0**-1022,
    shifter=1.5 * 2.0**52,
    exp_low=-746.0,
    exp_high=710.0,
    expm1_low=-38.0,
    tiny=2.0**-54,
    ln2_high=0.6931471805599453094,
    ln2_low=2.3190468138462995584e-17,
    exp=coefficients.EXP_F64,
    log=coefficients.LOG_F64,
)


def format_of(x: Value) -> Format:
    """The format of a value."""
    return FLOAT64 if x.elem == "double" else FLOAT32
