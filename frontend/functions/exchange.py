"""Sharing memory with other libraries: DLPack, buffers, whatever may become a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import DTypeLike, as_dtype, of_array
from graphc.errors import ArgumentError, AutogradError, DTypeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.creation import as_tensor
from graphc.frontend.making import concrete
from graphc.frontend.modes import modes
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["asarray", "from_dlpack", "frombuffer", "to_dlpack"]


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares memory with an array of another library (``torch.from_dlpack``).

    Args:
        ext_tensor: anything with ``__dlpack__`` and ``__dlpack_device__``, on the CPU.

    Raises:
        ArgumentError: for something else, or memory of another device.
        DTypeError: for a dtype that graphc or numpy lacks.

    Example:
        >>> import graphc as gc
        >>> import numpy as np
        >>> array = np.zeros(2)
        >>> shared = gc.from_dlpack(array)
        >>> array[0] = 5
        >>> shared
        tensor([5., 0.], dtype=graphc.float64)
    """
    try:
        array = np.from_dlpack(ext_tensor)
    except (AttributeError, TypeError, BufferError, RuntimeError, ValueError) as error:
        raise ArgumentError(
            "from_dlpack: no array of a known dtype on the CPU", got=f"{error}",
            where=user_location_text(),
        ) from error  # fmt: skip
    of_array(array)
    return concrete(array)


def dlpack(self: Tensor, **options: Any) -> Any:
    """The capsule that other libraries make an array of; it shares memory.

    Raises:
        AutogradError: if gradients are tracked.
        DTypeError: for bfloat16, which numpy cannot hand on.
        SymbolicValueError: while recording.
    """
    array = self.array("its memory")
    if self.requires_grad and modes.grad_enabled:
        raise AutogradError(
            "sharing a tensor that requires a gradient would lose it", fix="x.detach()",
            where=user_location_text(),
        )  # fmt: skip
    if self.dtype.name == "bfloat16":
        raise DTypeError(
            "numpy cannot share bfloat16 by DLPack", fix="x.float()", where=user_location_text()
        )
    return array.__dlpack__(**options)


def dlpack_device(self: Tensor) -> tuple[int, int]:
    """The CPU, in DLPack's numbers."""
    device: tuple[int, int] = np.empty(0).__dlpack_device__()
    return device


def to_dlpack(tensor: Tensor) -> Any:
    """The capsule of DLPack that other libraries make an array of (``torch.to_dlpack``)."""
    return dlpack(tensor)


def frombuffer(
    buffer: Any, *, dtype: DTypeLike, count: int = -1, offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A vector that shares memory with a buffer such as a bytearray (``torch.frombuffer``).

    Args:
        buffer: an object with Python's buffer protocol; a tensor over ``bytes`` cannot be written.
        dtype: how the bytes are read.
        count: how many elements; -1 for all.
        offset: how many bytes to skip.
        requires_grad: track gradients.

    Raises:
        ArgumentError: if the buffer is empty, too short, or ends inside an element.

    Example:
        >>> import graphc as gc
        >>> gc.frombuffer(bytearray([1, 0, 2, 0]), dtype=gc.int16)
        tensor([1, 2], dtype=graphc.int16)
    """
    of = as_dtype(dtype)
    try:
        array = np.frombuffer(buffer, of.numpy, count, offset)
    except (TypeError, ValueError, BufferError) as error:
        raise ArgumentError(
            "frombuffer: no such elements in the buffer", got=str(error), where=user_location_text()
        ) from None
    if array.size == 0:
        raise ArgumentError("frombuffer: the buffer is empty", where=user_location_text())
    made = concrete(array)
    return made.requires_grad_() if requires_grad else made


def asarray(
    obj: Any, *, dtype: DTypeLike | None = None, device: DeviceLike = None,
    copy: bool | None = None, requires_grad: bool | None = None,
) -> Tensor:  # fmt: skip
    """Anything as a tensor: tensors, arrays, objects with DLPack, numbers, sequences.

    Args:
        obj: the data.
        dtype: element type; default: from the data.
        device: the CPU.
        copy: True copies always, False never, None where it must be.
        requires_grad: whether to track gradients; None as the data say.

    Raises:
        ArgumentError: if ``copy`` is False and there is no way without a copy.

    Source: ``torch.asarray``.

    Example:
        >>> import graphc as gc
        >>> gc.asarray([1, 2], dtype=gc.float32)
        tensor([1., 2.])
    """
    require_cpu(device)
    is_array = isinstance(obj, np.ndarray)
    is_foreign = hasattr(obj, "__dlpack__") and not is_array and not is_tensor(obj)
    source = from_dlpack(obj) if is_foreign else obj
    made = as_tensor(source, dtype)
    shares = (is_tensor(source) and made.dtype is source.dtype) or (
        is_array and made.dtype is of_array(obj)
    )
    if copy is False and not shares:
        raise ArgumentError(
            "asarray: a copy is needed", got=f"{type(obj).__name__} as {made.dtype.name}",
            fix="leave copy out", where=user_location_text(),
        )  # fmt: skip
    if copy and shares:
        made = made.clone()
    if requires_grad is None or requires_grad is made.requires_grad:
        return made
    return made.detach().requires_grad_(requires_grad)
