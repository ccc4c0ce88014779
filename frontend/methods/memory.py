"""Methods of ``Tensor`` that tell what it is and how it lies in memory."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from graphc.dims import Dim
from graphc.frontend.base import TensorBase
from graphc.frontend.functions import facts
from graphc.frontend.functions.convert import normalize_dim

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class MemoryMethods(TensorBase):
    """What a tensor is, and where its elements are."""

    __slots__ = ()

    numel = nelement = facts.numel
    is_same_size = facts.is_same_size
    is_signed = facts.is_signed
    get_device = facts.get_device

    def dim(self) -> int:
        """The number of dims."""
        return self.ndim

    ndimension = dim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its sizes."""
        return self.shape if dim is None else self.shape[normalize_dim("size", dim, self.ndim)]

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int | Dim:
        """Bytes of all elements."""
        return self.type.numel * self.dtype.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Elements from one to the next along each dim, or one dim (``torch.Tensor.stride``).

        Raises:
            SymbolicValueError: while recording, when there is no memory yet.
        """
        array = self.array("its strides")
        strides = tuple(step // array.itemsize for step in array.strides)
        return strides if dim is None else strides[normalize_dim("stride", dim, self.ndim)]

    def data_ptr(self) -> int:
        """The address of the first element (``torch.Tensor.data_ptr``)."""
        return int(self.array("its address").__array_interface__["data"][0])

    def storage_offset(self) -> int:
        """How many elements of the memory come first (``torch.Tensor.storage_offset``)."""
        array = self.array("its place in memory")
        base: Any = array
        while base.base is not None and hasattr(base.base, "__array_interface__"):
            base = base.base
        first = base.__array_interface__["data"][0]
        return int((array.__array_interface__["data"][0] - first) // array.itemsize)

    def dim_order(self) -> tuple[int, ...]:
        """The dims from the outermost to the innermost in memory (``torch.Tensor.dim_order``)."""
        strides = self.array("its strides").strides
        return tuple(sorted(range(self.ndim), key=lambda dim: (-strides[dim], dim)))

    def is_set_to(self, tensor: Tensor) -> builtins.bool:
        """Whether both have the same memory, shape and strides (``torch.Tensor.is_set_to``)."""
        one, other = self.array("its memory"), tensor.array("its memory")
        return one.__array_interface__ == other.__array_interface__

    @property
    def is_cpu(self) -> builtins.bool:
        """True: there is no other device."""
        return True

    def _never(self) -> builtins.bool:
        """False: there are no such tensors here."""
        return False

    is_cuda = is_mps = is_xpu = is_xla = is_meta = is_mkldnn = is_vulkan = property(_never)
    is_sparse = is_sparse_csr = is_quantized = is_nested = property(_never)
    is_pinned = is_shared = is_coalesced = _never
