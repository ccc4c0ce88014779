"""Activations as layers."""

from __future__ import annotations

from graphc.frontend.nn.functional import activation, exponential, gating, piecewise
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor

__all__ = [
    "GELU",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]  # fmt: skip


class MayOverwrite(Module):
    """A layer that may let the input itself have the result's values."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(MayOverwrite):
    """``max(x, 0)`` (``torch.nn.ReLU``).

    Args:
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return activation.relu(input, self.inplace)


class SiLU(MayOverwrite):
    """``x * sigmoid(x)`` (``torch.nn.SiLU``).

    Args:
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return exponential.silu(input, self.inplace)


class LeakyReLU(Module):
    """``x`` above 0, ``negative_slope * x`` elsewhere (``torch.nn.LeakyReLU``).

    Args:
        negative_slope: factor below 0.
        inplace: let the input itself have the result's values.
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class GELU(Module):
    """``x * P(Z <= x)`` for a standard normal ``Z`` (``torch.nn.GELU``).

    Args:
        approximate: ``"none"`` or ``"tanh"``.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return activation.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Sigmoid(Module):
    """``1 / (1 + exp(-x))`` (``torch.nn.Sigmoid``)."""

    def forward(self, input: Tensor) -> Tensor:
        return activation.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent (``torch.nn.Tanh``)."""

    def forward(self, input: Tensor) -> Tensor:
        return activation.tanh(input)


class LogSigmoid(Module):
    """``log(sigmoid(x))`` (``torch.nn.LogSigmoid``)."""

    def forward(self, input: Tensor) -> Tensor:
        return exponential.logsigmoid(input)


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta`` (``torch.nn.Softplus``).

    Args:
        beta: how sharp the bend is.
        threshold: above it, ``x`` itself.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return exponential.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class AlongDim(Module):
    """A layer that works along one dim."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(AlongDim):
    """``exp(x) / sum(exp(x))`` along a dim (``torch.nn.Softmax``).

    Args:
        dim: the dim that sums to 1; required when it runs.
    """

    def forward(self, input: Tensor) -> Tensor:
        return gating.softmax(input, self.dim)


class LogSoftmax(AlongDim):
    """The logarithm of softmax along a dim (``torch.nn.LogSoftmax``).

    Args:
        dim: the dim whose probabilities sum to 1; required when it runs.
    """

    def forward(self, input: Tensor) -> Tensor:
        return gating.log_softmax(input, self.dim)
