"""Methods of ``Tensor`` that make new tensors like it, and tell how it lies in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.dtypes import DTypeLike
from graphc.frontend.base import TensorBase
from graphc.frontend.functions import creation, exchange
from graphc.frontend.functions.convert import normalize_dim, shape_argument

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class CreationMethods(TensorBase):
    """New tensors of the same dtype, unless they are given another."""

    __slots__ = ()

    __dlpack__ = exchange.dlpack
    __dlpack_device__ = exchange.dlpack_device

    def new_tensor(
        self, data: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
    ) -> Tensor:
        """A new tensor with a copy of the data (``torch.Tensor.new_tensor``)."""
        return creation.tensor(data, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: DTypeLike | None = None,
        requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        """A new tensor filled with one value (``torch.Tensor.new_full``)."""
        of = dtype or self.dtype
        return creation.full(size, fill_value, dtype=of, requires_grad=requires_grad)

    def new_zeros(
        self, *size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False
    ) -> Tensor:
        """A new tensor of zeros (``torch.Tensor.new_zeros``)."""
        shape = shape_argument("new_zeros", size)
        return self.new_full(shape, 0, dtype=dtype, requires_grad=requires_grad)

    def new_ones(
        self, *size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False
    ) -> Tensor:
        """A new tensor of ones (``torch.Tensor.new_ones``)."""
        shape = shape_argument("new_ones", size)
        return self.new_full(shape, 1, dtype=dtype, requires_grad=requires_grad)

    def new_empty(
        self, *size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False
    ) -> Tensor:
        """A new tensor whose values do not matter (``torch.Tensor.new_empty``)."""
        shape = shape_argument("new_empty", size)
        return self.new_full(shape, 0, dtype=dtype, requires_grad=requires_grad)

    def stride(self, dim: int | None = None) -> Any:
        """Elements from one to the next along each dim, or one dim (``torch.Tensor.stride``).

        Raises:
            SymbolicValueError: while recording, when there is no memory yet.
        """
        array = self.array("its strides")
        strides = tuple(step // array.itemsize for step in array.strides)
        return strides if dim is None else strides[normalize_dim("stride", dim, self.ndim)]
