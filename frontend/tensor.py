"""The tensor that users see: PyTorch's methods, dynamic and symbolic alike."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, AutogradError
from graphc.frontend.autograd import api
from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.base import require_differentiable, require_like, run_results
from graphc.frontend.control.dynamic import results_now
from graphc.frontend.formatting import format_tensor
from graphc.frontend.functions import (
    choosing,
    creation,
    inplace,
    logic,
    pieces,
    pointwise,
    products,
    shaping,
    viewing,
)  # fmt: skip
from graphc.frontend.functions.convert import TensorLike, arrays_as_tensors, is_operand
from graphc.frontend.making import concrete, init, tensor_class
from graphc.frontend.memory.views import keeps_order, settled
from graphc.frontend.methods.conversion import ConversionMethods
from graphc.frontend.methods.creation import CreationMethods
from graphc.frontend.methods.indexing import IndexingMethods
from graphc.frontend.methods.inplace import InplaceMethods
from graphc.frontend.methods.memory import MemoryMethods
from graphc.frontend.methods.pointwise import PointwiseMethods
from graphc.frontend.methods.products import ProductMethods
from graphc.frontend.methods.reduction import ReductionMethods
from graphc.frontend.methods.sampling import SamplingMethods
from graphc.frontend.methods.shaping import ShapingMethods
from graphc.frontend.methods.values import ValueMethods
from graphc.frontend.modes import modes, no_grad
from graphc.frontend.pickling import reduce_tensor
from graphc.ops import select
from graphc.provenance import user_location_text
from graphc.storage import Array, Storage


class Tensor(
    CreationMethods,
    ConversionMethods,
    MemoryMethods,
    ShapingMethods,
    PointwiseMethods,
    ReductionMethods,
    ProductMethods,
    IndexingMethods,
    SamplingMethods,
    InplaceMethods,
    ValueMethods,
):
    """An array that runs dynamically, or a value of a graph that is being recorded.

    Make one by ``gc.tensor``, ``gc.zeros`` and the like, or by ``gc.placeholder``.

    Args:
        data: what ``gc.tensor`` accepts; floats become float32.

    Example:
        >>> import graphc as gc
        >>> a = gc.tensor(2.0, requires_grad=True)
        >>> b = gc.tensor(3.0, requires_grad=True)
        >>> (a * b + a + b).backward()
        >>> a.grad, b.grad
        (tensor(4.), tensor(3.))
    """

    __slots__ = ("__dict__",)
    __array_priority__ = 1000

    def __init__(self, data: Any = ()) -> None:
        init(self, Storage(creation.tensor(data).storage.array))

    # --- state ------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """True if gradients are tracked for this tensor."""
        return settled(self)._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Track gradients of this leaf, or stop tracking (``torch.Tensor.requires_grad_``).

        Raises:
            AutogradError: for a dtype without gradients, or switching off for a result.
        """
        if requires_grad:
            require_differentiable(self.dtype)
            if self.is_inference() and not modes.inference:
                raise AutogradError(
                    "a tensor that was made in inference mode cannot require a gradient",
                    got=str(self.type), fix="clone() it first", where=user_location_text(),
                )  # fmt: skip
        elif self._grad_fn is not None:
            raise AutogradError(
                "only a leaf can stop requiring gradients", fix="use x.detach()",
                where=user_location_text(),
            )  # fmt: skip
        self._requires_grad = bool(requires_grad)
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` has added up; None before."""
        recorder = self.recorder or modes.recorder
        return self._grad if recorder is None else recorder.gradients.slot(self).value

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and getattr(value, "type", None) != self.type:
            raise AutogradError(
                "a gradient must have its tensor's shape and dtype",
                got=str(getattr(value, "type", type(value).__name__)),
                expected=str(self.type), where=user_location_text(),
            )  # fmt: skip
        recorder = self.recorder or modes.recorder
        if recorder is None:
            self._grad = value
        else:
            recorder.gradients.assign(self, value)

    @property
    def grad_fn(self) -> GradFn | None:
        """The step of the tape that made this tensor; None for leaves."""
        return settled(self)._grad_fn

    @property
    def is_leaf(self) -> bool:
        """True if no tracked operation made this tensor."""
        return settled(self)._grad_fn is None

    @property
    def data(self) -> Tensor:
        """The same memory, not tracked.

        Assigning gives the tensor other values, without a trace on the tape: a copy of them, in
        memory of its own, so that what shared the memory before keeps the old ones.

        Raises:
            DTypeError, ShapeError: if a parameter or buffer, or a value of a graph, would get
                another dtype or shape.
        """
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        is_recorded = (self.recorder or modes.recorder or value.recorder) is not None
        if is_recorded or self._requires_grad or self.is_state:
            require_like("new data", value, self)
        if is_recorded:
            with no_grad():
                inplace.copy_(self, value)
        else:
            self.storage.array = np.array(value.storage.array, order="C")
            self.storage.version.count += 1

    def is_inference(self) -> builtins.bool:
        """True if it was made in ``inference_mode`` (``torch.Tensor.is_inference``)."""
        return self.storage.version.is_inference

    @property
    def retains_grad(self) -> bool:
        """True if ``retain_grad`` was called on this result."""
        return self._retains_grad

    backward = api.backward
    retain_grad = api.retain_grad
    register_hook = api.register_hook
    register_post_accumulate_grad_hook = api.register_post_accumulate_grad_hook

    def detach(self) -> Tensor:
        """The same values, cut off from gradients; shares memory (``torch.Tensor.detach``)."""
        if self.recorder is not None or modes.recorder is not None:
            return select.detach(self)
        made = concrete(self.storage.array)
        made.storage = Storage(self.storage.array, self.storage.version)
        self.storage.version.shared = True
        return made

    # --- as an object and a container -----------------------------------------------------------

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ArgumentError("len() of a tensor without dims", where=user_location_text())
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        return iter(pieces.unbind(self, 0))

    def __reversed__(self) -> Tensor:
        return shaping.flip(self, (0,)) if self.ndim else self

    def __repr__(self) -> str:
        return format_tensor(self)

    __hash__ = object.__hash__

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return reduce_tensor(self)

    def __contains__(self, element: TensorLike) -> bool:
        return bool(pointwise.eq(self, element).any())

    # --- shape ------------------------------------------------------------------------------

    def is_floating_point(self) -> bool:
        """True for the floating point dtypes."""
        return self.dtype.is_floating_point

    def is_contiguous(self) -> bool:
        """True if elements lie in memory in index order; while recording, if it is no part."""
        if self.is_symbolic:
            return self._viewed is None or keeps_order(self._viewed)
        return bool(self.storage.array.flags.c_contiguous)

    def contiguous(self) -> Tensor:
        """The same values in index order; itself if they are."""
        return self if self.is_contiguous() else self.clone()

    @property
    def T(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """All dims in reverse order."""
        return shaping.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """The last two dims swapped."""
        return shaping.transpose(self, -2, -1)

    def reshape_as(self, other: Tensor) -> Tensor:
        """The same elements in the shape of another tensor."""
        return shaping.reshape(self, other.shape)

    def view_as(self, other: Tensor) -> Tensor:
        """The same elements in the shape of another tensor, never as a copy."""
        return viewing.view(self, other.shape)

    # --- pointwise --------------------------------------------------------------------------

    def where(self, condition: Tensor, other: TensorLike) -> Tensor:
        """These elements where the condition is True, else ``other``."""
        return choosing.where(condition, self, other)

    # --- operators --------------------------------------------------------------------------

    __add__ = pointwise.add
    __sub__ = pointwise.sub
    __mul__ = pointwise.mul
    __truediv__ = pointwise.div
    __floordiv__ = pointwise.floor_divide
    __mod__ = pointwise.remainder
    __pow__ = pointwise.pow
    __matmul__ = products.matmul
    __neg__ = pointwise.neg
    __abs__ = pointwise.abs
    __invert__ = logic.bitwise_not
    __and__ = logic.bitwise_and
    __or__ = logic.bitwise_or
    __xor__ = logic.bitwise_xor
    __lshift__ = logic.bitwise_left_shift
    __rshift__ = logic.bitwise_right_shift
    __lt__ = pointwise.lt
    __le__ = pointwise.le
    __gt__ = pointwise.gt
    __ge__ = pointwise.ge

    def __eq__(self, other: object) -> Any:
        """Compare elements, also those of numpy's arrays; what is neither is not equal."""
        if isinstance(other, np.ndarray):
            other = creation.tensor(other)
        return pointwise.eq(self, other) if is_operand(other) else NotImplemented

    def __ne__(self, other: object) -> Any:
        if isinstance(other, np.ndarray):
            other = creation.tensor(other)
        return pointwise.ne(self, other) if is_operand(other) else NotImplemented

    def __pos__(self) -> Tensor:
        return self

    def __radd__(self, other: TensorLike) -> Tensor:
        return pointwise.add(other, self)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return pointwise.sub(other, self)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return pointwise.mul(other, self)

    def __rmatmul__(self, other: Array) -> Tensor:
        return products.matmul(*arrays_as_tensors(other, self))

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return pointwise.div(other, self)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return pointwise.floor_divide(other, self)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return pointwise.remainder(other, self)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return pointwise.pow(other, self)

    def __rlshift__(self, other: TensorLike) -> Tensor:
        return logic.bitwise_left_shift(other, self)

    def __rrshift__(self, other: TensorLike) -> Tensor:
        return logic.bitwise_right_shift(other, self)

    __rand__ = logic.bitwise_and
    __ror__ = logic.bitwise_or
    __rxor__ = logic.bitwise_xor


tensor_class.append(Tensor)
run_results.append(results_now)
