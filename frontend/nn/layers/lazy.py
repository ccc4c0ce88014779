"""Layers that learn the number of their features from the first input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.making import concrete
from graphc.frontend.nn.functional.shapes import require_channels
from graphc.frontend.nn.functional.windows import Ints
from graphc.frontend.nn.layers.batch_norm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    RunningNorm,
)  # fmt: skip
from graphc.frontend.nn.layers.convolution import Conv1d, Conv2d, Conv3d, ConvolutionBase
from graphc.frontend.nn.layers.linear import Linear
from graphc.frontend.nn.layers.transposed import (
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)  # fmt: skip
from graphc.frontend.nn.lazy import LazyModuleMixin
from graphc.frontend.nn.parameter import Buffer
from graphc.frontend.nn.uninitialized import (
    Uninitialized,
    UninitializedBuffer,
    UninitializedParameter,
)  # fmt: skip
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
    "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


def _materialize(tensor: Tensor | None, shape: Sequence[int]) -> None:
    if isinstance(tensor, Uninitialized):
        tensor.materialize(shape)


class _LazyWeights(LazyModuleMixin):
    """A lazy layer with a weight and perhaps a bias."""

    weight: Any
    bias: Any

    def _leave_open(self, bias: bool, device: object, dtype: DTypeLike | None) -> None:
        """Make parameters that have no shape yet."""
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)


class LazyLinear(_LazyWeights, Linear):
    """``Linear`` with ``in_features`` from the first input (``torch.nn.LazyLinear``).

    Args:
        out_features: last size of the output.
        bias: add a learned bias.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> layer = nn.LazyLinear(2)
        >>> layer(gc.ones(3, 5)).shape
        (3, 2)
        >>> layer
        Linear(in_features=5, out_features=2, bias=True)
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self._leave_open(bias, device, dtype)

    def reset_parameters(self) -> None:
        """Draw new start values, if there is something to fill."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give the parameters their shapes and start values."""
        if self.has_uninitialized_params():
            self.in_features = int(input.shape[-1])
            _materialize(self.weight, (self.out_features, self.in_features))
            _materialize(self.bias, (self.out_features,))
            self.reset_parameters()
        self.in_features = int(self.weight.shape[1])


class _LazyConvolution(_LazyWeights, ConvolutionBase):
    """A convolution that learns the number of its input channels."""

    def _make_lazy(
        self, out_channels: int, bias: bool, device: object, dtype: DTypeLike | None
    ) -> None:
        self.out_channels = out_channels
        if self.groups < 1 or out_channels % self.groups:
            raise ArgumentError(
                f"{type(self).__name__}: groups must divide the number of channels",
                got=f"{out_channels}, groups={self.groups}", where=user_location_text(),
            )  # fmt: skip
        self._leave_open(bias, device, dtype)

    def reset_parameters(self) -> None:
        """Draw new start values, if there is something to fill."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and start values."""
        if self.has_uninitialized_params():
            require_channels(type(self).__name__, input, self.dims)
            self.in_channels = int(input.shape[-self.dims - 1])
            self._check()
            shape = (self.out_channels, self.in_channels)
            outer, inner = reversed(shape) if self.transposed else shape
            _materialize(self.weight, (outer, inner // self.groups, *self.kernel_size))
            _materialize(self.bias, (self.out_channels,))
            self.reset_parameters()
        rows, columns = (int(size) for size in self.weight.shape[:2])
        self.in_channels = rows if self.transposed else columns * self.groups


class _LazyConv(_LazyConvolution):
    def __init__(
        self, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: str | Ints = 0,
        dilation: Ints = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, dilation, 0, groups, False, padding_mode, False,
            device, dtype,
        )  # fmt: skip
        self._make_lazy(out_channels, bias, device, dtype)


class _LazyTransposed(_LazyConvolution):
    def __init__(
        self, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0,
        output_padding: Ints = 0, groups: int = 1, bias: bool = True, dilation: Ints = 1,
        padding_mode: str = "zeros", device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, dilation, output_padding, groups, False,
            padding_mode, True, device, dtype,
        )  # fmt: skip
        self._make_lazy(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv):
    """``Conv1d`` that learns ``in_channels`` (``torch.nn.LazyConv1d``)."""

    dims, cls_to_become = 1, Conv1d


class LazyConv2d(_LazyConv):
    """``Conv2d`` that learns ``in_channels`` (``torch.nn.LazyConv2d``)."""

    dims, cls_to_become = 2, Conv2d


class LazyConv3d(_LazyConv):
    """``Conv3d`` that learns ``in_channels`` (``torch.nn.LazyConv3d``)."""

    dims, cls_to_become = 3, Conv3d


class LazyConvTranspose1d(_LazyTransposed):
    """``ConvTranspose1d`` that learns ``in_channels`` (``torch.nn.LazyConvTranspose1d``)."""

    dims, cls_to_become = 1, ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposed):
    """``ConvTranspose2d`` that learns ``in_channels`` (``torch.nn.LazyConvTranspose2d``)."""

    dims, cls_to_become = 2, ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposed):
    """``ConvTranspose3d`` that learns ``in_channels`` (``torch.nn.LazyConvTranspose3d``)."""

    dims, cls_to_become = 3, ConvTranspose3d


class _LazyNorm(_LazyWeights, RunningNorm):
    """A norm that learns the number of its channels."""

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: object = None, dtype: DTypeLike | None = None,
        *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(0, eps, momentum, False, False, device, dtype, False)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self._leave_open(bias, device, dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device, dtype)
            self.running_var = UninitializedBuffer(device, dtype)
            self.num_batches_tracked = Buffer(concrete(np.zeros((), np.int64)))

    def reset_parameters(self) -> None:
        """Forget all batches and what was learned, if there is something to fill."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give the parameters their shapes and start values."""
        tensors = (self.weight, self.bias, self.running_mean, self.running_var)
        if self.has_uninitialized_params():
            self._check_rank(input)
            self.num_features = int(input.shape[self._channel_dim(input)])
            for tensor in tensors:
                _materialize(tensor, (self.num_features,))
            self.reset_parameters()
        sizes = [int(tensor.shape[0]) for tensor in tensors if tensor is not None]
        self.num_features = sizes[0] if sizes else int(input.shape[self._channel_dim(input)])


class LazyBatchNorm1d(_LazyNorm):
    """``BatchNorm1d`` that learns ``num_features`` (``torch.nn.LazyBatchNorm1d``)."""

    cls_to_become = BatchNorm1d
    ranks, shapes = BatchNorm1d.ranks, BatchNorm1d.shapes


class LazyBatchNorm2d(_LazyNorm):
    """``BatchNorm2d`` that learns ``num_features`` (``torch.nn.LazyBatchNorm2d``)."""

    cls_to_become = BatchNorm2d
    ranks, shapes = BatchNorm2d.ranks, BatchNorm2d.shapes


class LazyBatchNorm3d(_LazyNorm):
    """``BatchNorm3d`` that learns ``num_features`` (``torch.nn.LazyBatchNorm3d``)."""

    cls_to_become = BatchNorm3d
    ranks, shapes = BatchNorm3d.ranks, BatchNorm3d.shapes


class _LazyInstanceNorm(_LazyNorm):
    takes_one = True


class LazyInstanceNorm1d(_LazyInstanceNorm):
    """``InstanceNorm1d`` that learns ``num_features`` (``torch.nn.LazyInstanceNorm1d``)."""

    cls_to_become = InstanceNorm1d
    ranks, shapes = InstanceNorm1d.ranks, InstanceNorm1d.shapes


class LazyInstanceNorm2d(_LazyInstanceNorm):
    """``InstanceNorm2d`` that learns ``num_features`` (``torch.nn.LazyInstanceNorm2d``)."""

    cls_to_become = InstanceNorm2d
    ranks, shapes = InstanceNorm2d.ranks, InstanceNorm2d.shapes


class LazyInstanceNorm3d(_LazyInstanceNorm):
    """``InstanceNorm3d`` that learns ``num_features`` (``torch.nn.LazyInstanceNorm3d``)."""

    cls_to_become = InstanceNorm3d
    ranks, shapes = InstanceNorm3d.ranks, InstanceNorm3d.shapes
