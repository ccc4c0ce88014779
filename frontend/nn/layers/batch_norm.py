"""Normalization by statistics of the batch or of each image, with running statistics."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from graphc.dtypes import DTypeLike, float64
from graphc.errors import ShapeError
from graphc.frontend.functions.pointwise import reciprocal
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.frontend.making import concrete
from graphc.frontend.modes import no_grad
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.channels import instance_norm
from graphc.frontend.nn.functional.normalization import batch_norm
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.layers.normalization import start_plain
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Buffer, Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d",
    "InstanceNorm3d",
]  # fmt: skip


class RunningNorm(Module):
    """A normalization per channel that may keep running statistics."""

    _version = 2
    ranks: ClassVar[tuple[int, ...]]
    shapes: ClassVar[str]
    takes_one: ClassVar[bool] = False
    """Whether the input may lack the batch."""
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float, momentum: float | None, affine: bool,
        track_running_stats: bool, device: object, dtype: DTypeLike | None, bias: bool,
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
        start_plain(self.weight, self.bias)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        """See ``Module``; before version 2 there was no count of batches."""
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.num_batches_tracked is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _check_rank(self, input: Tensor) -> None:
        if input.ndim not in self.ranks:
            raise ShapeError(
                f"{type(self).__name__}: expected {self.shapes}", got=str(input.type),
                where=user_location_text(),
            )  # fmt: skip

    def _channel_dim(self, input: Tensor) -> int:
        return 0 if self.takes_one and input.ndim == self.ranks[0] else 1

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(RunningNorm):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, device: object = None,
        dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, input: Tensor) -> Tensor:
        self._check_rank(input)
        use_batch = self.training or (self.running_mean is None and self.running_var is None)
        moved = not self.training or self.track_running_stats
        momentum = self._count_batch() if self.training and moved else self.momentum or 0.0
        return batch_norm(
            input, self.running_mean if moved else None, self.running_var if moved else None,
            self.weight, self.bias, use_batch, momentum, self.eps,
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


class BatchNorm1d(_BatchNorm):
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

    ranks, shapes = (2, 3), "(batch, channels) or (batch, channels, length)"


class BatchNorm2d(_BatchNorm):
    """``BatchNorm1d`` over batch, height and width (``torch.nn.BatchNorm2d``)."""

    ranks, shapes = (4,), "(batch, channels, height, width)"


class BatchNorm3d(_BatchNorm):
    """``BatchNorm1d`` over batch, depth, height and width (``torch.nn.BatchNorm3d``)."""

    ranks, shapes = (5,), "(batch, channels, depth, height, width)"


class _InstanceNorm(RunningNorm):
    takes_one = True

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = False, track_running_stats: bool = False, device: object = None,
        dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, input: Tensor) -> Tensor:
        self._check_rank(input)
        channels = self._channel_dim(input)
        self._check_channels(input, channels)
        batched = channels == 1
        x = input if batched else unsqueeze(input, 0)
        normal = instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, self.momentum or 0.0, self.eps,
        )  # fmt: skip
        return normal if batched else drop_dims(normal, (0,))

    def _check_channels(self, input: Tensor, dim: int) -> None:
        if agree(input.shape[dim : dim + 1], (self.num_features,)):
            return
        what = f"{type(self).__name__}: the number of channels is not num_features"
        if self.affine:
            raise ShapeError(
                what, got=str(input.type), expected=f"{self.num_features} channels",
                where=user_location_text(),
            )  # fmt: skip
        warnings.warn(f"{what}, which has no effect without affine", UserWarning, stacklevel=3)


class InstanceNorm1d(_InstanceNorm):
    """Normalize each channel of each element of the batch (``torch.nn.InstanceNorm1d``).

    Args:
        num_features: number of channels.
        eps: added to the variance.
        momentum: how far the running statistics move.
        affine: learn a factor and a summand per channel.
        track_running_stats: keep running statistics, and evaluate with them.
        device: None or ``"cpu"``.
        dtype: of parameters and statistics; default float32.
        bias: learn the summand.

    Input ``(batch, channels, length)`` or ``(channels, length)``.
    """

    ranks, shapes = (2, 3), "(batch, channels, length) or (channels, length)"


class InstanceNorm2d(_InstanceNorm):
    """``InstanceNorm1d`` over height and width (``torch.nn.InstanceNorm2d``)."""

    ranks, shapes = (3, 4), "(batch, channels, height, width) or (channels, height, width)"


class InstanceNorm3d(_InstanceNorm):
    """``InstanceNorm1d`` over depth, height and width (``torch.nn.InstanceNorm3d``)."""

    ranks, shapes = (4, 5), "(batch, channels, depth, height, width), or without the batch"
