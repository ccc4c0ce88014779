"""What a tensor is: a concrete array or a node of a graph, and its place in autograd.

``TensorBase`` holds state and applies operations. ``graphc.frontend.tensor.Tensor`` adds the
methods that users call; the functions in ``graphc.frontend.functions`` need only this base.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from graphc.dtypes import DType, as_dtype, of_array
from graphc.errors import AutogradError, DTypeError, ShapeError, SymbolicValueError
from graphc.frontend.autograd.hooks import Hooks
from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.eager import run_now
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.memory.views import View
from graphc.frontend.modes import modes
from graphc.node import Node
from graphc.opdef import OpDef
from graphc.provenance import describe, user_location_text
from graphc.storage import Array, Storage
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class TensorBase:
    """A concrete value (``storage``) or a symbolic one (``node`` in a ``recorder``)."""

    __slots__ = (
        "__weakref__",
        "_grad",
        "_grad_fn",
        "_hooks",
        "_requires_grad",
        "_retains_grad",
        "_viewed",
        "is_state",
        "node",
        "recorder",
        "storage",
    )

    storage: Storage
    node: Node | None
    recorder: Recorder | None
    is_state: bool
    _grad: Tensor | None
    _grad_fn: GradFn | None
    _hooks: Hooks | None
    _requires_grad: bool
    _retains_grad: bool
    _viewed: View | None

    @property
    def is_symbolic(self) -> bool:
        """True for a value of a graph that is being recorded."""
        return self.node is not None

    @property
    def type(self) -> TensorType:
        """Shape and dtype as one value."""
        if self.node is not None:
            return self.node.type
        array = self.storage.array
        return _type_of(array.shape, array.dtype)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return of_array(self.storage.array) if self.node is None else self.node.type.dtype

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes; unknown ones are ``Dim`` while recording."""
        return self.storage.array.shape if self.node is None else self.node.type.shape

    @property
    def ndim(self) -> int:
        """The number of dims."""
        return len(self.shape)

    def __apply__(self, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]) -> Tensor:
        recorder = modes.recorder
        if recorder is None:
            for x in inputs:
                if x.recorder is not None:
                    recorder = x.recorder
                    break
            else:
                return run_now(op, inputs, attrs)
        return recorder.record(op, inputs, attrs)

    def __literal__(self, value: Any) -> Tensor:
        return concrete(np.asarray(value))

    def __results__(
        self, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]
    ) -> tuple[Tensor, ...]:
        recorder = modes.recorder or next((x.recorder for x in inputs if x.recorder), None)
        if recorder is None:
            return run_results[0](op, inputs, attrs)
        return recorder.record_results(op, inputs, attrs)

    def __leaf__(self, node: Node) -> Tensor:
        recorder = modes.recorder or self.recorder
        if recorder is None:
            return concrete(np.asarray(node.op.eval(**node.attrs)))
        return symbolic(node, recorder)

    def array(self, wanted: str = "a value") -> Array:
        """The concrete values, not a copy; a recording notes that they were read.

        Raises:
            SymbolicValueError: while recording, if the value exists only at run time.
        """
        if self.node is not None:
            raise SymbolicValueError(
                f"{wanted} was asked of a symbolic tensor, whose values exist only at run time",
                got=f"{self.node.type} made at {describe(self.node)}",
                fix="gc.where chooses between values, gc.cond between functions; gc.while_loop and "
                "gc.scan are loops; return the tensor as an output to read it after session.run",
                where=user_location_text(),
            )
        if modes.recorder is not None:
            modes.recorder.note_value(self, wanted)
        return self.storage.array


@functools.lru_cache(maxsize=4096)
def _type_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> TensorType:
    return TensorType(shape, as_dtype(dtype))


def is_tensor(x: object) -> TypeGuard[Tensor]:
    """True for tensors: ``Tensor`` is the only class over ``TensorBase``."""
    return isinstance(x, TensorBase)


Results = Callable[[OpDef, "tuple[Tensor, ...]", Mapping[str, Any]], "tuple[Tensor, ...]"]

run_results: list[Results] = []
"""Holds what applies an operation with several results, once its module is loaded."""


def require_differentiable(dtype: DType) -> None:
    """Raise AutogradError unless gradients exist for this dtype."""
    if not dtype.is_differentiable:
        raise AutogradError(
            "only floating point and complex tensors can require gradients",
            got=dtype.name,
            fix="cast it first, e.g. x.float()",
            where=user_location_text(),
        )


def require_like(what: str, value: TensorBase, other: TensorBase) -> None:
    """Raise DTypeError or ShapeError unless a value has the dtype and shape of another."""
    if value.dtype is not other.dtype or value.shape != other.shape:
        kind = DTypeError if value.dtype is not other.dtype else ShapeError
        raise kind(
            f"{what} must be as the tensor is", got=str(value.type), expected=str(other.type),
            where=user_location_text(),
        )  # fmt: skip
