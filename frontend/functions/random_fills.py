"""Methods that overwrite a tensor with random numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.dtypes import BOOLEAN, DType, float32, float64, int64
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.functions import pointwise, rounding
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.distributions import require_spread, successes
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.sampling import normal_values, uniform_values, whole_values
from graphc.frontend.memory.writing import assign
from graphc.frontend.modes import no_grad
from graphc.ops import quantiles
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


_from = also_called(**{"from": "from_"})
"""PyTorch's name is a word of Python, but can be in a dict of arguments."""


@_from
def uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with uniform numbers in ``[from_, to)`` (``torch.Tensor.uniform_``)."""
    if not from_ <= to:
        raise _unsuitable("uniform_", f"from_={from_}, to={to}", "from_ <= to")
    _require_float("uniform_", self.dtype)
    drawn = uniform_values(self.shape, self.dtype, generator)
    return assign(self, pointwise.add(pointwise.mul(drawn, to - from_), from_))


def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with normal numbers, also complex ones (``torch.Tensor.normal_``)."""
    require_spread("normal_", std)
    drawn = normal_values(self.shape, self.dtype, generator)
    return assign(self, pointwise.add(pointwise.mul(drawn, std), mean))


def log_normal_(
    self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with ``exp`` of normal numbers (``torch.Tensor.log_normal_``)."""
    if not std > 0:
        raise _unsuitable("log_normal_", f"std={std}", "std > 0")
    _require_float("log_normal_", self.dtype)
    drawn = normal_values(self.shape, self.dtype, generator)
    return assign(self, quantiles.log_normal(pointwise.add(pointwise.mul(drawn, std), mean)))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with exponential numbers of this rate (``torch.Tensor.exponential_``)."""
    if not lambd > 0:
        raise _unsuitable("exponential_", f"lambd={lambd}", "lambd > 0")
    _require_float("exponential_", self.dtype)
    return assign(self, cast(pointwise.div(_waits(self, generator), lambd), self.dtype))


def _waits(like: Tensor, generator: Generator | None) -> Tensor:
    """Exponential numbers of rate 1, with at least the accuracy of float32."""
    wide = float64 if like.dtype in (float64, int64) else float32
    return quantiles.exponential_quantile(uniform_values(like.shape, wide, generator))


def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with numbers of a Cauchy distribution (``torch.Tensor.cauchy_``)."""
    if not sigma > 0:
        raise _unsuitable("cauchy_", f"sigma={sigma}", "sigma > 0")
    _require_float("cauchy_", self.dtype)
    wide = float64 if self.dtype is float64 else float32
    one, other = (normal_values(self.shape, wide, generator) for _ in range(2))
    ratio = pointwise.add(pointwise.mul(pointwise.div(one, other), sigma), median)
    return assign(self, cast(ratio, self.dtype))


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with the number of tries to the first success (``torch.Tensor.geometric_``).

    Args:
        self: tensor; also of integers.
        p: how likely a try succeeds.
        generator: the source of random numbers.
    """
    if not 0 < p < 1:
        raise _unsuitable("geometric_", f"p={p}", "0 < p < 1")
    if self.dtype.category == BOOLEAN or self.dtype.is_complex:
        raise _wrong_dtype("geometric_", self.dtype, "an integer or floating point dtype")
    failures = rounding.floor(pointwise.div(_waits(self, generator), -math.log1p(-p)))
    return assign(self, cast(pointwise.add(failures, 1), self.dtype))


def bernoulli_(
    self: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with 1 where a draw succeeds, else 0 (``torch.Tensor.bernoulli_``).

    Args:
        self: tensor of any dtype.
        p: how likely; a number, or a tensor that broadcasts.
        generator: the source of random numbers.
    """
    with no_grad():
        drawn = successes("bernoulli_", self.shape, p, generator)
    return assign(self, cast(drawn, self.dtype))


@_from
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
    return assign(self, whole_values("random_", from_, to, self.shape, self.dtype, generator))


def _count_of(dtype: DType) -> int:
    """How many whole numbers from 0 the dtype holds exactly."""
    significands = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53, "bool": 1}
    if dtype.name in significands:
        return (1 << significands[dtype.name]) + (0 if dtype.name == "bool" else 1)
    return 1 << (8 * dtype.itemsize - (0 if dtype.name == "uint8" else 1))


def _require_float(function: str, dtype: DType) -> None:
    if not dtype.is_floating_point:
        raise _wrong_dtype(function, dtype, "a floating point dtype")


def _wrong_dtype(function: str, dtype: DType, expected: str) -> DTypeError:
    return DTypeError(
        f"{function}: these random numbers do not fit into the tensor", got=dtype.name,
        expected=expected, where=user_location_text(),
    )  # fmt: skip


def _unsuitable(function: str, got: str, expected: str) -> ArgumentError:
    return ArgumentError(
        f"{function}: unsuitable parameters", got=got, expected=expected,
        where=user_location_text(),
    )  # fmt: skip
