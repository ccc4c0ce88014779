"""Sharing memory with other array libraries by DLPack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import of_array
from graphc.errors import ArgumentError, AutogradError, DTypeError
from graphc.frontend.base import concrete
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["from_dlpack"]


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
