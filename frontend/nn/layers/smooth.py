"""Smooth activations and gates, as layers."""

from __future__ import annotations

from graphc.errors import ShapeError
from graphc.frontend.nn.functional import exponential, gating
from graphc.frontend.nn.layers.activation import AlongDim, MayOverwrite
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = [
    "CELU",
    "ELU",
    "GLU",
    "SELU",
    "Mish",
    "Softmax2d",
    "Softmin",
    "Softsign",
    "Tanhshrink",
]  # fmt: skip


class _WithAlpha(Module):
    """A layer with a limit for small inputs."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class ELU(_WithAlpha):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` elsewhere (``torch.nn.ELU``).

    Args:
        alpha: minus the limit for small inputs.
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return exponential.elu(input, self.alpha, self.inplace)


class CELU(_WithAlpha):
    """``x`` above 0, ``alpha * (exp(x / alpha) - 1)`` elsewhere (``torch.nn.CELU``).

    Args:
        alpha: minus the limit for small inputs.
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return exponential.celu(input, self.alpha, self.inplace)


class SELU(MayOverwrite):
    """A scaled ELU that keeps mean 0 and variance 1 (``torch.nn.SELU``).

    Args:
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return exponential.selu(input, self.inplace)


class Mish(MayOverwrite):
    """``x * tanh(softplus(x))`` (``torch.nn.Mish``).

    Args:
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return exponential.mish(input, self.inplace)


class Softsign(Module):
    """``x / (1 + abs(x))`` (``torch.nn.Softsign``)."""

    def forward(self, input: Tensor) -> Tensor:
        return exponential.softsign(input)


class Tanhshrink(Module):
    """``x - tanh(x)`` (``torch.nn.Tanhshrink``)."""

    def forward(self, input: Tensor) -> Tensor:
        return exponential.tanhshrink(input)


class GLU(AlongDim):
    """One half of the input times the sigmoid of the other (``torch.nn.GLU``).

    Args:
        dim: the dim that is halved.
    """

    dim: int

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input: Tensor) -> Tensor:
        return gating.glu(input, self.dim)


class Softmin(AlongDim):
    """Softmax of ``-x`` along a dim (``torch.nn.Softmin``).

    Args:
        dim: the dim that sums to 1; required when it runs.
    """

    def forward(self, input: Tensor) -> Tensor:
        return gating.softmin(input, self.dim)


class Softmax2d(Module):
    """Softmax over the channels of images (``torch.nn.Softmax2d``).

    Raises:
        ShapeError: unless the input is ``(batch, channels, height, width)`` or has no batch.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ShapeError(
                "Softmax2d: expected (batch, channels, height, width) or (channels, height, width)",
                got=str(input.type), where=user_location_text(),
            )  # fmt: skip
        return gating.softmax(input, -3)
