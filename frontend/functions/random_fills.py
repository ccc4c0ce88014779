"""Methods that overwrite a tensor with random numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.dims import Size
from graphc.dtypes import DType, float32
from graphc.errors import ArgumentError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions import pointwise
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.sampling import Generator, randint, randn, uniform_values
from graphc.frontend.functions.shaping import expand
from graphc.frontend.writing import assign
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def uniform_(
    self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with uniform numbers in ``[a, b)`` (``torch.Tensor.uniform_``)."""
    if a > b:
        raise _unsuitable("uniform_", f"a={a}, b={b}", "a <= b")
    drawn = uniform_values(self.shape, self.dtype, generator)
    return assign(self, pointwise.add(pointwise.mul(drawn, b - a), a))


def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with normal numbers (``torch.Tensor.normal_``)."""
    if std < 0:
        raise _unsuitable("normal_", f"std={std}", "std >= 0")
    drawn = randn(self.shape, dtype=self.dtype, generator=generator)
    return assign(self, pointwise.add(pointwise.mul(drawn, std), mean))


def log_normal_(
    self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with ``exp`` of normal numbers (``torch.Tensor.log_normal_``)."""
    if std <= 0:
        raise _unsuitable("log_normal_", f"std={std}", "std > 0")
    drawn = randn(self.shape, dtype=self.dtype, generator=generator)
    return assign(self, pointwise.exp(pointwise.add(pointwise.mul(drawn, std), mean)))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with exponential numbers of this rate (``torch.Tensor.exponential_``)."""
    if lambd <= 0:
        raise _unsuitable("exponential_", f"lambd={lambd}", "lambd > 0")
    drawn = uniform_values(self.shape, self.dtype, generator)
    return assign(self, pointwise.div(pointwise.log1p(pointwise.neg(drawn)), -lambd))


def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with numbers of a Cauchy distribution (``torch.Tensor.cauchy_``)."""
    if sigma <= 0:
        raise _unsuitable("cauchy_", f"sigma={sigma}", "sigma > 0")
    drawn = uniform_values(self.shape, self.dtype, generator)
    angle = pointwise.mul(pointwise.sub(drawn, 0.5), math.pi)
    return assign(self, pointwise.add(pointwise.mul(pointwise.tan(angle), sigma), median))


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with the number of tries to the first success (``torch.Tensor.geometric_``).

    Args:
        self: tensor; also of integers.
        p: how likely a try succeeds.
        generator: the source of random numbers.
    """
    if not 0 < p < 1:
        raise _unsuitable("geometric_", f"p={p}", "0 < p < 1")
    drawn = uniform_values(self.shape, _float_for(self.dtype), generator)
    tries = pointwise.div(pointwise.log1p(pointwise.neg(drawn)), math.log1p(-p))
    return assign(self, cast(pointwise.add(pointwise.floor(tries), 1), self.dtype))


def bernoulli_(
    self: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with 1 where a draw succeeds, else 0 (``torch.Tensor.bernoulli_``).

    Args:
        self: tensor of any dtype.
        p: how likely; a number, or a tensor that broadcasts.
        generator: the source of random numbers.
    """
    if not is_tensor(p) and not 0 <= p <= 1:
        raise _unsuitable("bernoulli_", f"p={p}", "0 <= p <= 1")
    drawn = uniform_values(self.shape, p.dtype if is_tensor(p) else float32, generator)
    limit = expand(p, self.shape) if is_tensor(p) else p
    return assign(self, cast(pointwise.lt(drawn, limit), self.dtype))


def random_(
    self: Tensor, from_: int = 0, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with whole numbers in ``from_ .. to - 1`` (``torch.Tensor.random_``).

    Args:
        self: tensor.
        from_: the smallest; if it stands alone, the bound.
        to: the bound; default: as many numbers as the dtype holds exactly.
        generator: the source of random numbers.
    """
    if to is None:
        from_, to = 0, from_ or _count_of(self.dtype)
    size: tuple[Size, ...] = self.shape
    drawn = randint(from_, to, size, generator=generator)
    return assign(self, cast(drawn, self.dtype))


def _float_for(dtype: DType) -> DType:
    return dtype if dtype.is_floating_point else float32


def _count_of(dtype: DType) -> int:
    """How many whole numbers from 0 the dtype holds exactly."""
    significands = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53, "bool": 1}
    if dtype.name in significands:
        return (1 << significands[dtype.name]) + (0 if dtype.name == "bool" else 1)
    bits = 8 * dtype.itemsize - (0 if dtype.name == "uint8" else 1)
    return min(1 << bits, (1 << 63) - 1)


def _unsuitable(function: str, got: str, expected: str) -> ArgumentError:
    return ArgumentError(
        f"{function}: unsuitable parameters", got=got, expected=expected,
        where=user_location_text(),
    )  # fmt: skip
