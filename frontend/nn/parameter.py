"""Tensors that a module owns: trained parameters, and buffers that are state but not trained."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DType, DTypeLike, as_dtype, float32
from graphc.errors import ArgumentError, RecordingError
from graphc.frontend.base import TensorBase, require_differentiable
from graphc.frontend.functions.creation import tensor
from graphc.frontend.making import concrete, init
from graphc.frontend.modes import modes
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.storage import Storage

_birth: WeakKeyDictionary[Storage, ref[Recorder]] = WeakKeyDictionary()


class Parameter(Tensor):
    """A tensor that is trained: a variable of every graph that uses it (``torch.nn.Parameter``).

    Assigned to an attribute of a module, it becomes one of the module's parameters.

    Args:
        data: a tensor, whose memory is shared, or what ``gc.tensor`` accepts.
        requires_grad: track gradients.

    Raises:
        RecordingError: if ``data`` is symbolic.

    Example:
        >>> from graphc import nn
        >>> nn.Parameter([1.0, 2.0])
        Parameter containing:
        tensor([1., 2.], requires_grad=True)
    """

    def __init__(self, data: Any = (), requires_grad: bool = True) -> None:
        storage = _memory_of("Parameter", data)
        init(self, storage, requires_grad=requires_grad)
        self.is_state = True
        if requires_grad:
            require_differentiable(self.dtype)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """State that is not trained, such as running statistics (``torch.nn.Buffer``).

    Assigned to an attribute of a module, it becomes one of the module's buffers.

    Args:
        data: a tensor, whose memory is shared, or what ``gc.tensor`` accepts.
        persistent: let ``state_dict`` contain it.

    Raises:
        RecordingError: if ``data`` is symbolic.
    """

    def __init__(self, data: Any = (), *, persistent: bool = True) -> None:
        init(self, _memory_of("Buffer", data))
        self.is_state = True
        self.persistent = persistent


def _memory_of(kind: str, data: Any) -> Storage:
    if isinstance(data, TensorBase):
        require_concrete(kind, data)
        storage = data.storage
    else:
        storage = tensor(data).storage
    if not storage.array.flags.c_contiguous:
        storage = Storage(np.ascontiguousarray(storage.array))
    if modes.recorder is not None:
        _birth[storage] = ref(modes.recorder)
    return storage


def require_concrete(kind: str, x: TensorBase) -> None:
    """Raise RecordingError for a symbolic tensor: state needs memory of its own."""
    if x.is_symbolic:
        raise RecordingError(
            f"{kind}: a symbolic tensor has no memory",
            got=str(x.type),
            fix="create modules before the graph is recorded, or fill with nn.init.*",
            where=user_location_text(),
        )


def is_new(x: TensorBase) -> bool:
    """True for a parameter or buffer that was made during the recording that goes on now.

    Filling it is part of making it, so that happens once and is no part of the program.
    """
    made_in = _birth.get(x.storage)
    return made_in is not None and made_in() is modes.recorder


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Drop a gradient, or fill it with zeros."""
    if set_to_none:
        parameter.grad = None
    elif parameter.grad is not None:
        parameter.grad.zero_()


def element_type(device: object, dtype: DTypeLike | None) -> DType:
    """The dtype of a new layer's parameters.

    Raises:
        ArgumentError: for a device other than the CPU.
    """
    if device is not None and str(device) != "cpu":
        raise ArgumentError("unknown device", got=str(device), expected="'cpu' or None")
    return float32 if dtype is None else as_dtype(dtype)


def zeros(shape: tuple[Size, ...], dtype: DType) -> Tensor:
    """Concrete zeros, also while recording."""
    return concrete(np.zeros([int(size) for size in shape], dtype.numpy))
