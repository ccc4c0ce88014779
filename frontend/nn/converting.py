"""Other dtypes for all parameters and buffers of a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from graphc.dtypes import DTypeLike, as_dtype, bfloat16, float16, float32, float64
from graphc.errors import DTypeError
from graphc.frontend.functions.creation import empty_like
from graphc.frontend.methods.conversion import target_dtype
from graphc.frontend.modes import no_grad, running_now
from graphc.frontend.nn.state_dict import Stateful
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Converting(Stateful):
    """Conversions in place: parameters and buffers stay the objects that they are."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the values of all parameters, their gradients, and buffers.

        Args:
            fn: takes a tensor and gives another, or the same.
            recurse: go through the modules below, too.
        """
        if recurse:
            for child in {id(each): each for each in self._modules.values()}.values():
                if child is not None:
                    child._apply(fn)
        with no_grad(), running_now():
            for x in (*self._parameters.values(), *self._buffers.values()):
                for tensor in () if x is None else (x, x._grad):
                    if tensor is not None:
                        _replace(tensor, fn(tensor))
        self._parameters.changed()
        self._buffers.changed()
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Give all floating point and complex parameters and buffers another dtype, in place.

        It takes ``to(dtype)``, ``to(device, dtype)`` and ``to(tensor)``, each followed by
        ``non_blocking``.

        Args:
            args: dtype, device or a tensor whose dtype is taken.
            kwargs: the same by keyword: ``dtype``, ``device``, ``tensor``, ``non_blocking``.

        Raises:
            DTypeError: for a dtype that is neither floating point nor complex.
            ArgumentError: for another device than the CPU.

        Source: ``torch.nn.Module.to``.

        Example:
            >>> import graphc as gc
            >>> from graphc import nn
            >>> nn.Linear(2, 1).to("cpu", gc.float64).weight.dtype
            graphc.float64
        """
        if "tensor" in kwargs:
            kwargs["other"] = kwargs.pop("tensor")
        wanted = target_dtype(*args, **kwargs)
        if wanted is None:
            return self
        if not wanted.is_differentiable:
            raise DTypeError(
                "Module.to: parameters must be floating point or complex", got=wanted.name,
                where=user_location_text(),
            )  # fmt: skip
        return self._apply(lambda x: x.to(wanted) if x.dtype.is_differentiable else x)

    def _floating(self, dtype: DTypeLike) -> Self:
        return self._apply(lambda x: x.to(dtype) if x.dtype.is_floating_point else x)

    def type(self, dst_type: DTypeLike) -> Self:
        """Give all parameters and buffers this dtype, integers included (``Module.type``)."""
        wanted = as_dtype(dst_type)
        return self._apply(lambda x: x.to(wanted))

    def float(self) -> Self:
        """Make all floating point parameters and buffers float32."""
        return self._floating(float32)

    def double(self) -> Self:
        """Make all floating point parameters and buffers float64."""
        return self._floating(float64)

    def half(self) -> Self:
        """Make all floating point parameters and buffers float16."""
        return self._floating(float16)

    def bfloat16(self) -> Self:
        """Make all floating point parameters and buffers bfloat16."""
        return self._floating(bfloat16)

    def cpu(self) -> Self:
        """The module itself, which is there already (``torch.nn.Module.cpu``)."""
        return self

    def to_empty(self, *, device: DeviceLike, recurse: bool = True) -> Self:
        """Forget all values (``torch.nn.Module.to_empty``).

        Args:
            device: the CPU.
            recurse: go through the modules below, too.
        """
        require_cpu(device)
        return self._apply(empty_like, recurse)


def _replace(tensor: Tensor, made: Tensor) -> None:
    """Give a tensor the values of another, in that one's memory."""
    if made is tensor or made.storage.array is tensor.storage.array:
        return
    tensor.storage.array = np.ascontiguousarray(made.storage.array).reshape(made.shape)
    tensor.storage.version.count += 1
