"""What a tensor is: a concrete array or a node of a graph, and its place in autograd.

``TensorBase`` holds state and applies operations. ``graphc.frontend.tensor.Tensor`` adds the
methods that users call; the functions in ``graphc.frontend.functions`` need only this base.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import DType, of_array
from graphc.errors import AutogradError, GraphcError, SymbolicValueError
from graphc.frontend.autograd.tape import GradFn, record
from graphc.frontend.modes import modes
from graphc.node import Node
from graphc.opdef import OpDef, Trait
from graphc.provenance import describe, user_location_text
from graphc.storage import Array, Storage
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.recorder import Recorder
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
    _hooks: list[Callable[[Tensor], Tensor | None]] | None
    _requires_grad: bool
    _retains_grad: bool

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
        return TensorType(array.shape, of_array(array))

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

    def __apply__(
        self, op: OpDef, inputs: tuple[TensorBase, ...], attrs: Mapping[str, Any]
    ) -> Tensor:
        recorder = modes.recorder or next((x.recorder for x in inputs if x.recorder), None)
        if recorder is not None:
            return recorder.record(op, inputs, attrs)
        return run_now(op, inputs, attrs)

    def __literal__(self, value: Any) -> Tensor:
        return concrete(np.asarray(value))

    def array(self, wanted: str = "a value") -> Array:
        """The concrete values, not a copy.

        Raises:
            SymbolicValueError: while recording, since the value exists only at run time.
        """
        if self.node is not None:
            raise SymbolicValueError(
                f"{wanted} was asked of a symbolic tensor, whose values exist only at run time",
                got=f"{self.node.type} made at {describe(self.node)}",
                fix="gc.where chooses between values, gc.cond between branches, gc.scan repeats; "
                "return the tensor as an output to read it after session.run",
                where=user_location_text(),
            )
        return self.storage.array


tensor_class: list[type[Tensor]] = []
"""Holds ``Tensor`` once its module is loaded; results of operations are made of it."""


def concrete(array: Array, requires_grad: bool = False, grad_fn: GradFn | None = None) -> Tensor:
    """A tensor over this array, not a copy."""
    return _make(Storage(array), None, None, requires_grad, grad_fn)


def symbolic(node: Node, recorder: Recorder, requires_grad: bool = False) -> Tensor:
    """A tensor for a node of a graph."""
    return _make(_NO_STORAGE, node, recorder, requires_grad, None)


_NO_STORAGE = Storage(np.empty(0))


def _make(
    storage: Storage,
    node: Node | None,
    recorder: Recorder | None,
    requires_grad: bool,
    grad_fn: GradFn | None,
) -> Tensor:
    tensor = object.__new__(tensor_class[0])
    init(tensor, storage, node, recorder, requires_grad, grad_fn)
    return tensor


def init(
    tensor: TensorBase,
    storage: Storage,
    node: Node | None = None,
    recorder: Recorder | None = None,
    requires_grad: bool = False,
    grad_fn: GradFn | None = None,
) -> None:
    """Set all state of a new tensor."""
    tensor.storage = storage
    tensor.node = node
    tensor.recorder = recorder
    tensor.is_state = False
    tensor._grad = None
    tensor._grad_fn = grad_fn
    tensor._hooks = None
    tensor._requires_grad = requires_grad
    tensor._retains_grad = False


def run_now(op: OpDef, inputs: tuple[TensorBase, ...], attrs: Mapping[str, Any]) -> Tensor:
    """Apply an operation dynamically, and note it on the tape if a gradient may be asked."""
    try:
        with np.errstate(all="ignore"):
            result = op.eval(*[x.storage.array for x in inputs], **attrs)
    except Exception as error:
        raise _explained(error, op, inputs, attrs) from error
    storage = Storage(result, inputs[0].storage.version if op.traits & Trait.VIEW else None)
    if modes.grad_enabled and op.vjp is not None and any(x._requires_grad for x in inputs):
        output = _make(storage, None, None, True, None)
        output._grad_fn = record(op, inputs, output, attrs)
        return output
    return _make(storage, None, None, False, None)


def _explained(
    error: Exception, op: OpDef, inputs: tuple[TensorBase, ...], attrs: Mapping[str, Any]
) -> Exception:
    """Type inference explains better than numpy why an operation failed."""
    if isinstance(error, GraphcError):
        return error.located(user_location_text())
    try:
        op.infer(*(x.type for x in inputs), **attrs)
    except GraphcError as better:
        return better.located(user_location_text())
    return error


def require_differentiable(dtype: DType) -> None:
    """Raise AutogradError unless gradients exist for this dtype."""
    if not dtype.is_floating_point:
        raise AutogradError(
            "only floating point tensors can require gradients",
            got=dtype.name,
            fix="cast it first, e.g. x.float()",
        )
