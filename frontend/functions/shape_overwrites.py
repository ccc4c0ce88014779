"""Methods that give a tensor another shape in place: the same memory, looked at differently."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError, RecordingError
from graphc.frontend.functions import shaping
from graphc.frontend.functions.aliases import also_called
from graphc.frontend.functions.convert import normalize_dim, require_tensor, shape_argument
from graphc.frontend.making import concrete
from graphc.frontend.memory.writing import require_writable
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def _become(name: str, x: Tensor, look: Callable[[Tensor], Tensor]) -> Tensor:
    """Let a tensor look at its memory as a view of it does.

    Raises:
        AutogradError: for a leaf that requires a gradient, and if views of the tensor exist, which
            could not tell any more what they show.
        RecordingError: while recording, where a value has one shape.
    """
    if modes.recorder is not None or x.is_symbolic:
        raise RecordingError(
            f"{name} changes a tensor's shape in place while recording", got=str(x.type),
            fix=f"use the method without _, e.g. x = x.{name.rstrip('_')}(...)",
            where=user_location_text(),
        )  # fmt: skip
    require_writable(x)
    if x.is_state or (x._viewed is None and x.storage.version.shared):
        raise AutogradError(
            f"{name} would change the shape of a tensor that others refer to", got=str(x.type),
            fix=f"use the method without _, e.g. x = x.{name.rstrip('_')}(...)",
            where=user_location_text(),
        )  # fmt: skip
    whole = x
    if x._viewed is None:
        whole = concrete(x.storage.array, x._requires_grad, x._grad_fn)
        whole.storage = x.storage
    seen = look(whole)
    if seen is not whole:
        x.storage, x._viewed = seen.storage, seen._viewed
        x._grad_fn, x._requires_grad = seen._grad_fn, seen._requires_grad
    return x


def t_(self: Tensor) -> Tensor:
    """Transpose in place (``torch.Tensor.t_``); dynamically only."""
    return _become("t_", self, shaping.t)


def _swapping(name: str) -> Callable[..., Tensor]:
    """One of the methods that do the same, with errors that say its own name."""

    @also_called(axis0="dim0", axis1="dim1")
    def swap(self: Tensor, dim0: int, dim1: int) -> Tensor:
        first, second = (normalize_dim(name, dim, self.ndim) for dim in (dim0, dim1))
        return _become(name, self, lambda x: shaping.transpose(x, first, second))

    swap.__name__ = swap.__qualname__ = name
    swap.__doc__ = f"""Swap two dims in place (``torch.Tensor.{name}``); dynamically only."""
    return swap


transpose_ = _swapping("transpose_")
swapaxes_ = _swapping("swapaxes_")
swapdims_ = _swapping("swapdims_")


def squeeze_(self: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Drop dims of size 1 in place (``torch.Tensor.squeeze_``); dynamically only."""
    return _become("squeeze_", self, lambda x: shaping.squeeze(x, dim))


def unsqueeze_(self: Tensor, dim: int) -> Tensor:
    """Insert a dim of size 1 in place (``torch.Tensor.unsqueeze_``); dynamically only."""
    return _become("unsqueeze_", self, lambda x: shaping.unsqueeze(x, dim))


def resize_(self: Tensor, *sizes: Any) -> Tensor:
    """Give a tensor another shape in place; what is new is 0 (``torch.Tensor.resize_``).

    The elements stay in their order. Dynamically only.

    Raises:
        AutogradError: for a tensor of the tape, and if others refer to it.
    """
    shape = shape_argument("resize_", sizes)
    if self._requires_grad or self._viewed is not None:
        raise AutogradError(
            "resize_ of a view, or of a tensor that requires a gradient", got=str(self.type),
            fix="use reshape, narrow or pad", where=user_location_text(),
        )  # fmt: skip
    return _become("resize_", self, lambda x: _resized(x, shape))


def _resized(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    old = x.storage.array.reshape(-1)
    made = np.zeros(math.prod(shape), old.dtype)
    kept = min(made.size, old.size)
    made[:kept] = old[:kept]
    return concrete(made.reshape(shape))


def resize_as_(self: Tensor, the_template: Tensor) -> Tensor:
    """Give a tensor the shape of another in place; see ``resize_`` (``torch.resize_as_``)."""
    return resize_(self, require_tensor("resize_as_", the_template).shape)
