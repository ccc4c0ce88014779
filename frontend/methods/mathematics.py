"""Methods of ``Tensor`` that are functions of numbers, beyond the basic arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ShapeError
from graphc.frontend.base import TensorBase
from graphc.frontend.functions import (
    checks,
    complexes,
    exponential,
    numbers,
    special,
    trigonometric,
)  # fmt: skip
from graphc.frontend.functions.convert import TensorLike, require_tensor, to_operand
from graphc.frontend.functions.stft import istft, stft
from graphc.frontend.nn.functional import piecewise
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class MathMethods(TensorBase):
    """Functions of numbers; see the functions of the same names."""

    __slots__ = ()

    asin = arcsin = trigonometric.asin
    acos = arccos = trigonometric.acos
    atan = arctan = trigonometric.atan
    sinh = trigonometric.sinh
    cosh = trigonometric.cosh
    asinh = arcsinh = trigonometric.asinh
    acosh = arccosh = trigonometric.acosh
    atanh = arctanh = trigonometric.atanh
    atan2 = arctan2 = trigonometric.atan2
    hypot = trigonometric.hypot
    deg2rad = trigonometric.deg2rad
    rad2deg = trigonometric.rad2deg
    sinc = trigonometric.sinc
    exp2 = exponential.exp2
    log2 = exponential.log2
    log10 = exponential.log10
    logaddexp = exponential.logaddexp
    logaddexp2 = exponential.logaddexp2
    logit = exponential.logit
    xlogy = exponential.xlogy
    float_power = exponential.float_power
    ldexp = exponential.ldexp
    frexp = exponential.frexp
    positive = numbers.positive
    copysign = numbers.copysign
    nextafter = numbers.nextafter
    gcd = numbers.gcd
    lcm = numbers.lcm
    fmod = numbers.fmod
    heaviside = numbers.heaviside
    nan_to_num = numbers.nan_to_num
    fmax = numbers.fmax
    fmin = numbers.fmin
    clamp_min = numbers.clamp_min
    clamp_max = numbers.clamp_max
    lerp = numbers.lerp
    addcmul = numbers.addcmul
    addcdiv = numbers.addcdiv
    angle = complexes.angle
    conj = complexes.conj
    conj_physical = complexes.conj_physical
    adjoint = complexes.adjoint
    is_conj = complexes.is_conj
    is_neg = complexes.is_neg
    resolve_conj = complexes.resolve_conj
    resolve_neg = complexes.resolve_neg
    sgn = complexes.sgn
    erfc = special.erfc
    erfinv = special.erfinv
    lgamma = special.lgamma
    digamma = special.digamma
    mvlgamma = special.mvlgamma
    i0 = special.i0
    igamma = special.igamma
    igammac = special.igammac
    hardshrink = piecewise.hardshrink
    prelu = piecewise.prelu
    isclose = checks.isclose
    allclose = checks.allclose
    equal = checks.equal
    isposinf = checks.isposinf
    isneginf = checks.isneginf
    isreal = checks.isreal
    signbit = checks.signbit
    is_nonzero = checks.is_nonzero
    is_complex = checks.is_complex
    stft = stft
    istft = istft

    def polygamma(self, n: int) -> Tensor:
        """The n-th derivative of ``digamma``."""
        return special.polygamma(n, require_tensor("polygamma", self))

    @property
    def real(self) -> Tensor:
        """The real part; a real tensor itself."""
        return complexes.real(require_tensor("real", self))

    @real.setter
    def real(self, value: TensorLike) -> None:
        x = require_tensor("real", self)
        if not x.dtype.is_complex:
            x.copy_(value)
            return
        across = x.imag
        x.copy_(complexes.join(to_operand(value, across.dtype), across))

    @property
    def imag(self) -> Tensor:
        """The imaginary part of complex numbers."""
        return complexes.imag(require_tensor("imag", self))

    @imag.setter
    def imag(self, value: TensorLike) -> None:
        x = require_tensor("imag", self)
        along, _ = complexes.parts(x)
        x.copy_(complexes.join(along, to_operand(value, along.dtype)))

    @property
    def mH(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """The last two dims swapped, and conjugated."""
        return complexes.adjoint(require_tensor("mH", self))

    @property
    def H(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """A matrix transposed and conjugated; numbers only conjugated.

        Raises:
            ShapeError: for other numbers of dims.
        """
        x = require_tensor("H", self)
        if x.ndim not in (0, 2):
            raise ShapeError(
                "H: expected a matrix or a number", got=str(x.type), fix="use mH",
                where=user_location_text(),
            )  # fmt: skip
        return complexes.adjoint(x) if x.ndim else complexes.conj(x)
