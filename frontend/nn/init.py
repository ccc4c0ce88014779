"""Filling parameters with start values (``torch.nn.init``)."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions import pointwise, sampling
from graphc.frontend.functions.generators import Generator
from graphc.frontend.making import concrete
from graphc.frontend.modes import no_grad, running_now
from graphc.frontend.nn.parameter import is_new
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0, "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0), "selu": 3.0 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity.

    Args:
        nonlinearity: ``"linear"``, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"``,
            ``"selu"``, or the name of a convolution.
        param: the negative slope for ``"leaky_relu"``; default 0.01.

    Raises:
        ArgumentError: for another name.

    Source: ``torch.nn.init.calculate_gain``.

    Example:
        >>> calculate_gain("tanh")
        1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ArgumentError(
            "calculate_gain: unknown nonlinearity", got=repr(nonlinearity),
            expected=", ".join([*_GAINS, "leaky_relu"]), where=user_location_text(),
        )  # fmt: skip
    return _GAINS[nonlinearity]


@contextlib.contextmanager
def filling(tensor: Tensor) -> Iterator[None]:
    """Untracked; and at once for a tensor that is being made, though a graph is recorded."""
    with no_grad(), running_now() if is_new(tensor) else contextlib.nullcontext():
        yield


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with uniform numbers in ``[a, b)`` (``torch.nn.init.uniform_``)."""
    with filling(tensor):
        drawn = sampling.uniform_values(tensor.shape, tensor.dtype, generator)
        return tensor.copy_(pointwise.add(pointwise.mul(drawn, b - a), a))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers (``torch.nn.init.normal_``)."""
    with filling(tensor):
        drawn = sampling.randn(tensor.shape, dtype=tensor.dtype, generator=generator)
        return tensor.copy_(pointwise.add(pointwise.mul(drawn, std), mean))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill with normal numbers between ``a`` and ``b`` (``torch.nn.init.trunc_normal_``).

    Runs at once, so it cannot be part of a graph.

    Raises:
        ArgumentError: if ``a`` is not below ``b``.
    """
    if not a < b:
        raise ArgumentError("trunc_normal_: expected a < b", got=f"{a}, {b}")
    from scipy.special import ndtr, ndtri

    low, high = ndtr((a - mean) / std), ndtr((b - mean) / std)
    with no_grad(), running_now():
        drawn = sampling.uniform_values(tensor.shape, "float64", generator).numpy()
        values = mean + std * ndtri(low + drawn * (high - low))
        return tensor.copy_(concrete(np.clip(values, a, b)))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number (``torch.nn.init.constant_``)."""
    with filling(tensor):
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones (``torch.nn.init.ones_``)."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros (``torch.nn.init.zeros_``)."""
    return constant_(tensor, 0.0)


def fan_in_and_out(tensor: Tensor) -> tuple[int, int]:
    """How many values each output is made of, and how many outputs each value goes to.

    Raises:
        ShapeError: for less than two dims.
    """
    if tensor.ndim < 2:
        raise ShapeError(
            "the fan of a tensor needs two dims or more", got=str(tensor.type),
            fix="use uniform_ or normal_", where=user_location_text(),
        )  # fmt: skip
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform with variance ``2 gain^2 / (fan_in + fan_out)``.

    Source: ``torch.nn.init.xavier_uniform_``.
    """
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(fan_in_and_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with variance ``2 gain^2 / (fan_in + fan_out)``.

    Source: ``torch.nn.init.xavier_normal_``.
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fan_in_and_out(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Uniform with variance ``gain^2 / fan``.

    Args:
        tensor: what to fill.
        a: the negative slope for ``"leaky_relu"``.
        mode: ``"fan_in"`` or ``"fan_out"``.
        nonlinearity: see ``calculate_gain``.
        generator: default: the global one.

    Source: ``torch.nn.init.kaiming_uniform_``.
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normal with variance ``gain^2 / fan`` (``torch.nn.init.kaiming_normal_``)."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(
            "kaiming: unknown mode", got=repr(mode), expected="'fan_in' or 'fan_out'",
            where=user_location_text(),
        )  # fmt: skip
    fan = fan_in_and_out(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0
