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
from graphc.errors import AutogradError, DTypeError, GraphcError, ShapeError, SymbolicValueError
from graphc.frontend.autograd.hooks import Hooks
from graphc.frontend.autograd.tape import GradFn, step_of_run
from graphc.frontend.memory.views import View, follow_tape, view_of
from graphc.frontend.modes import modes
from graphc.frontend.numpy_warnings import evaluate
from graphc.node import Node
from graphc.opdef import OpDef
from graphc.provenance import describe, user_location_text
from graphc.storage import Array, InferenceVersion, Storage
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


tensor_class: list[type[Tensor]] = []
"""Holds ``Tensor`` once its module is loaded; results of operations are made of it."""


Results = Callable[[OpDef, "tuple[Tensor, ...]", Mapping[str, Any]], "tuple[Tensor, ...]"]

run_results: list[Results] = []
"""Holds what applies an operation with several results, once its module is loaded."""


def concrete(array: Array, requires_grad: bool = False, grad_fn: GradFn | None = None) -> Tensor:
    """A tensor over this array, not a copy."""
    version = InferenceVersion() if modes.inference else None
    storage = Storage(array, version)
    if modes.recorder is not None:
        modes.recorder.note_made(storage)
    return _make(storage, None, None, requires_grad, grad_fn)


def over(storage: Storage) -> Tensor:
    """A tensor over this memory."""
    return _make(storage, None, None, False, None)


def symbolic(
    node: Node, recorder: Recorder, requires_grad: bool = False, grad_fn: GradFn | None = None
) -> Tensor:
    """A tensor for a node of a graph."""
    return _make(_NO_STORAGE, node, recorder, requires_grad, grad_fn)


def become_symbolic(x: Tensor, node: Node, recorder: Recorder) -> None:
    """Let a concrete tensor be a node of a graph from now on."""
    x.storage, x.node, x.recorder = _NO_STORAGE, node, recorder


_NO_STORAGE = Storage(np.empty(0))


def _make(
    storage: Storage,
    node: Node | None,
    recorder: Recorder | None,
    requires_grad: bool,
    grad_fn: GradFn | None,
) -> Tensor:
    tensor = _new(tensor_class[0])
    tensor.storage = storage  # as ``init`` does; results are made often, and a call costs
    tensor.node = node
    tensor.recorder = recorder
    tensor.is_state = False
    tensor._grad = None
    tensor._grad_fn = grad_fn
    tensor._hooks = None
    tensor._requires_grad = requires_grad
    tensor._retains_grad = False
    tensor._viewed = None
    return tensor


_new = object.__new__


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
    tensor._viewed = None


def run_now(op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]) -> Tensor:
    """Apply an operation dynamically, and note it on the tape if a gradient may be asked."""
    arrays = [x.storage.array for x in inputs]
    try:
        kind: tuple[Any, ...] = (op, *[array.dtype for array in arrays])
        if not op.types_follow_dtypes and not attrs:
            kind = (*kind, *[array.shape for array in arrays])
        if kind not in _accepted:
            _require_types(op, inputs, attrs, kind)
        if op.is_view:
            storage = Storage(op.eval(*arrays, **attrs), inputs[0].storage.version)
        else:
            storage = Storage(evaluate(op.eval, arrays, attrs))
    except Exception as error:
        raise _explained(error, op, inputs, attrs) from error
    output = _make(storage, None, None, False, None)
    if modes.grad_enabled and op.vjp is not None:
        for x in inputs:
            if x._viewed is not None:
                follow_tape(x, x._viewed)
        for x in inputs:
            if x._requires_grad:
                _put_on_tape(op, inputs, output, attrs)
                break
    elif modes.inference and not op.is_view:
        storage.version = InferenceVersion()
    if op.is_view and share_memory(arrays[0], storage.array):
        storage.version.shared = True
        output._viewed = view_of(inputs[0], ((op, attrs),))
    return output


def _put_on_tape(
    op: OpDef, inputs: tuple[Tensor, ...], output: Tensor, attrs: Mapping[str, Any]
) -> None:
    """Let a result of tensors that require gradients require one, too, if its dtype can."""
    if of_array(output.storage.array).is_differentiable:
        output._requires_grad = True
        output._grad_fn = step_of_run(op, inputs, output, attrs)
        if modes.anomaly:
            output._grad_fn.origin = user_location_text()


def share_memory(source: Array, result: Array) -> bool:
    """False for a view operation that had to copy, such as ``reshape`` of a transpose."""
    return bool(source.flags.c_contiguous) or np.may_share_memory(source, result)


_ACCEPTED_LIMIT = 4096
_accepted: set[tuple[Any, ...]] = set()
"""Operations with operand dtypes, and shapes where these matter, that type inference accepted."""


def _require_types(
    op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any], kind: tuple[Any, ...]
) -> None:
    """Accept the types that recording accepts, though numpy may compute with others."""
    op.infer(*(x.type for x in inputs), **attrs)
    if op.types_follow_dtypes or not attrs:
        if len(_accepted) >= _ACCEPTED_LIMIT:
            _accepted.clear()
        _accepted.add(kind)


def _explained(
    error: Exception, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]
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
