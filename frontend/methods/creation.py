"""Methods of ``Tensor`` that make new tensors like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.dtypes import DTypeLike
from graphc.frontend.base import TensorBase
from graphc.frontend.functions import creation, exchange
from graphc.frontend.functions.convert import shape_argument
from graphc.frontend.functions.strides import empty_strided
from graphc.frontend.settings.devices import DeviceLike

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class CreationMethods(TensorBase):
    """New tensors of the same dtype, unless they are given another."""

    __slots__ = ()

    __dlpack__ = exchange.dlpack
    __dlpack_device__ = exchange.dlpack_device

    def new_tensor(
        self, data: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
        device: DeviceLike = None,
    ) -> Tensor:  # fmt: skip
        """A new tensor with a copy of the data (``torch.Tensor.new_tensor``)."""
        of = dtype or self.dtype
        return creation.tensor(data, dtype=of, requires_grad=requires_grad, device=device)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: DTypeLike | None = None,
        requires_grad: bool = False, device: DeviceLike = None,
    ) -> Tensor:  # fmt: skip
        """A new tensor filled with one value (``torch.Tensor.new_full``)."""
        of = dtype or self.dtype
        return creation.full(size, fill_value, dtype=of, requires_grad=requires_grad, device=device)

    def new_zeros(
        self, *sizes: Any, size: Any = None, dtype: DTypeLike | None = None,
        requires_grad: bool = False, device: DeviceLike = None,
    ) -> Tensor:  # fmt: skip
        """A new tensor of zeros (``torch.Tensor.new_zeros``)."""
        shape = shape_argument("new_zeros", sizes, size)
        return self.new_full(shape, 0, dtype=dtype, requires_grad=requires_grad, device=device)

    def new_ones(
        self, *sizes: Any, size: Any = None, dtype: DTypeLike | None = None,
        requires_grad: bool = False, device: DeviceLike = None,
    ) -> Tensor:  # fmt: skip
        """A new tensor of ones (``torch.Tensor.new_ones``)."""
        shape = shape_argument("new_ones", sizes, size)
        return self.new_full(shape, 1, dtype=dtype, requires_grad=requires_grad, device=device)

    def new_empty(
        self, *sizes: Any, size: Any = None, dtype: DTypeLike | None = None,
        requires_grad: bool = False, device: DeviceLike = None,
    ) -> Tensor:  # fmt: skip
        """A new tensor whose values do not matter (``torch.Tensor.new_empty``)."""
        shape = shape_argument("new_empty", sizes, size)
        return self.new_full(shape, 0, dtype=dtype, requires_grad=requires_grad, device=device)

    def new_empty_strided(
        self, size: Any, stride: Any, *, dtype: DTypeLike | None = None,
        requires_grad: bool = False, device: DeviceLike = None,
    ) -> Tensor:  # fmt: skip
        """A new tensor whose memory has these strides (``torch.Tensor.new_empty_strided``)."""
        of = dtype or self.dtype
        return empty_strided(size, stride, dtype=of, requires_grad=requires_grad, device=device)
