"""Normalization layers without running statistics."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.channels import group_norm, local_response_norm
from graphc.frontend.nn.functional.normalization import layer_norm, rms_norm
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def start_plain(weight: Parameter | None, bias: Parameter | None) -> None:
    """Begin as the plain normalization."""
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)


class LayerNorm(Module):
    """Normalize over the last dims (``torch.nn.LayerNorm``).

    Args:
        normalized_shape: their sizes; an int for the last dim alone.
        eps: added to the variance.
        elementwise_affine: learn a factor, and with ``bias`` a summand, per element.
        bias: learn a summand.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5,
        elementwise_affine: bool = True, bias: bool = True, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        of = element_type(device, dtype)
        for name, wanted in (("weight", True), ("bias", bias)):
            parameter = Parameter(zeros(self.normalized_shape, of))
            self.register_parameter(name, parameter if elementwise_affine and wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Forget what was learned."""
        start_plain(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        text = (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
        return f"{text}, bias={self.bias is not None}"


class RMSNorm(Module):
    """Divide by the root of the mean square over the last dims (``torch.nn.RMSNorm``).

    Args:
        normalized_shape: their sizes; an int for the last dim alone.
        eps: added to the mean square; default: the dtype's resolution.
        elementwise_affine: learn a factor per element.
        device: None or ``"cpu"``.
        dtype: of the factor; default float32.
    """

    weight: Parameter | None

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None,
        elementwise_affine: bool = True, device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = Parameter(zeros(self.normalized_shape, element_type(device, dtype)))
        self.register_parameter("weight", weight if elementwise_affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Forget what was learned."""
        start_plain(self.weight, None)

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalize over groups of channels (``torch.nn.GroupNorm``).

    Args:
        num_groups: how many groups; divides the number of channels.
        num_channels: number of channels.
        eps: added to the variance.
        affine: learn a factor and a summand per channel.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.
        bias: learn the summand.

    Raises:
        ArgumentError: if the groups do not divide the channels.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device: object = None, dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ArgumentError(
                "GroupNorm: num_groups must divide num_channels",
                got=f"{num_groups} groups, {num_channels} channels", where=user_location_text(),
            )  # fmt: skip
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        of = element_type(device, dtype)
        for name, wanted in (("weight", True), ("bias", bias)):
            parameter = Parameter(zeros((num_channels,), of)) if affine and wanted else None
            self.register_parameter(name, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Forget what was learned."""
        start_plain(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class _ResponseNorm(Module):
    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class LocalResponseNorm(_ResponseNorm):
    """Divide by a power of the mean square of neighbouring channels.

    Args:
        size: number of neighbours.
        alpha: factor of the mean square.
        beta: the power.
        k: added to it.

    Source: ``torch.nn.LocalResponseNorm``.
    """

    def forward(self, input: Tensor) -> Tensor:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)


class CrossMapLRN2d(_ResponseNorm):
    """``LocalResponseNorm`` of images with as many neighbours on both sides.

    An even ``size`` has one neighbour less, though the sum of squares is divided by ``size``.
    PyTorch also counts the first channel for all those that it is no neighbour of.

    Args:
        size: number of neighbours.
        alpha: factor of the mean square.
        beta: the power.
        k: added to it.

    Source: ``torch.nn.CrossMapLRN2d``.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim != 4:
            raise ShapeError(
                "CrossMapLRN2d: expected (batch, channels, height, width)", got=str(input.type),
                where=user_location_text(),
            )  # fmt: skip
        neighbours = 2 * ((self.size + 1) // 2) - 1
        alpha = self.alpha * neighbours / self.size
        return local_response_norm(input, neighbours, alpha, self.beta, self.k)
