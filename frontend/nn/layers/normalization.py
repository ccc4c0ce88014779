"""Normalization layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.dtypes import DTypeLike, float64
from graphc.errors import ShapeError
from graphc.frontend.base import concrete
from graphc.frontend.functions.pointwise import reciprocal
from graphc.frontend.modes import no_grad
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.normalization import batch_norm, layer_norm
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Buffer, Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


def _start_plain(weight: Parameter | None, bias: Parameter | None) -> None:
    """Begin as the plain normalization."""
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)


class BatchNorm1d(Module):
    """Normalize each channel over the batch (``torch.nn.BatchNorm1d``).

    Args:
        num_features: number of channels.
        eps: added to the variance.
        momentum: how far the running statistics move; None averages over all batches.
        affine: learn a factor and a summand per channel.
        track_running_stats: keep running statistics, and evaluate with them.
        device: None or ``"cpu"``.
        dtype: of parameters and statistics; default float32.
        bias: learn the summand.

    Input ``(batch, channels)`` or ``(batch, channels, length)``. State: ``weight``, ``bias``,
    ``running_mean``, ``running_var``, ``num_batches_tracked``.
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, device: object = None,
        dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        of = element_type(device, dtype)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        shape = (num_features,)
        for name, wanted in (("weight", True), ("bias", bias)):
            parameter = Parameter(zeros(shape, of)) if affine and wanted else None
            self.register_parameter(name, parameter)
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, Buffer(zeros(shape, of)) if track_running_stats else None)
        count = Buffer(concrete(np.zeros((), np.int64))) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches."""
        for buffer, start in (
            (self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0),
        ):  # fmt: skip
            if buffer is not None:
                init.constant_(buffer, start)

    def reset_parameters(self) -> None:
        """Forget all batches and what was learned."""
        self.reset_running_stats()
        _start_plain(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (2, 3):
            raise ShapeError(
                "BatchNorm1d: expected (batch, channels) or (batch, channels, length)",
                got=str(input.type), where=user_location_text(),
            )  # fmt: skip
        training = self.training
        use_batch = training or self.running_mean is None
        momentum = self._count_batch() if training else 0.0
        return batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, use_batch, momentum,
            self.eps,
        )  # fmt: skip

    def _count_batch(self) -> float | Tensor:
        """Count a batch, and tell how far its statistics move the running ones."""
        if self.num_batches_tracked is None:
            return 0.0 if self.momentum is None else self.momentum
        with no_grad():
            self.num_batches_tracked.add_(1)
            if self.momentum is not None:
                return self.momentum
            return reciprocal(self.num_batches_tracked.to(float64))

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


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
        _start_plain(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        text = (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
        return f"{text}, bias={self.bias is not None}"
