"""Recording: operations become nodes, memory becomes variables, writes become updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from graphc.dims import Dim, Shape, Size
from graphc.dtypes import DType, DTypeLike, as_dtype, int64
from graphc.errors import ArgumentError, RecordingError
from graphc.frontend.autograd.recorded import RecordedGradFn
from graphc.frontend.autograd.tape import edges_of, move
from graphc.frontend.base import TensorBase
from graphc.frontend.control.recorded import record_results
from graphc.frontend.guards.guards import Guards
from graphc.frontend.making import become_symbolic, symbolic
from graphc.frontend.memory.aliases import AliasTable
from graphc.frontend.memory.view_layout import must_copy
from graphc.frontend.memory.views import View, follow_tape, view_of
from graphc.frontend.memory.write_back import put_back
from graphc.frontend.memory.writing import fitted, require_writable
from graphc.frontend.modes import modes, set_grad_enabled
from graphc.frontend.recording import errors
from graphc.frontend.recording.gradients import Gradients
from graphc.frontend.recording.names import VariableNames
from graphc.graph import Graph as CoreGraph
from graphc.node import Node, constant
from graphc.opdef import OpDef
from graphc.ops.elementwise import add
from graphc.ops.leaf import placeholder, variable
from graphc.ops.random import random_bits
from graphc.ops.shape import reshape
from graphc.storage import HostValue, Storage
from graphc.types import TensorType

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphc.frontend.autograd.custom import FunctionStep
    from graphc.frontend.autograd.function import Function
    from graphc.frontend.functions.generators import Generator
    from graphc.frontend.tensor import Tensor


class Recorder:
    """The state of one recording; ``graphc.frontend.graph.Graph`` is its public face."""

    def __init__(self) -> None:
        self.placeholders: dict[str, Tensor] = {}
        self._inputs: list[Node] = []
        self.outputs: dict[str, Tensor] = {}
        self.current: dict[Storage, Node] = {}
        self.gradients = Gradients(self)
        self.guards = Guards()
        self._variables: dict[Storage | HostValue, Node] = {}
        self._tensors: dict[Storage, Tensor] = {}
        self._captured: dict[Storage, Node] = {}
        self._made: WeakSet[Storage] = WeakSet()
        self._names = VariableNames()
        self._random_calls: dict[Storage, int] = {}
        self._aliases = AliasTable()
        self.arguments: dict[int, str] = {}
        """The names of a traced function's arguments by the id of their arrays."""
        self.is_over = False
        """Whether the program is compiled, so that nothing can be added to it."""

    def placeholder(
        self, shape: Sequence[Size | str | None], dtype: DTypeLike, name: str | None,
        requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        """Add an input; see ``gc.placeholder``."""
        name = name or f"x{len(self.placeholders)}"
        if name in self.placeholders:
            raise ArgumentError(f"the graph has a placeholder called {name!r} already")
        node = placeholder(name, TensorType(_sizes(name, shape), as_dtype(dtype)))
        tensor = symbolic(node, self, requires_grad)
        self.placeholders[name] = tensor
        self._inputs.append(node)
        return tensor

    def record(self, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]) -> Tensor:
        """Apply an operation to nodes; concrete operands become variables or constants."""
        if self.is_over:
            raise errors.kept_too_long(inputs)
        nodes = tuple([self.node_of(x) for x in inputs])
        node = nodes[0].__apply__(op, nodes, attrs)
        result = symbolic(node, self)
        if op.is_view and not (op is reshape and must_copy(inputs[0], result.shape)):
            result._viewed = view_of(inputs[0], ((op, attrs),), nodes[0])
        if modes.grad_enabled and op.vjp is not None and result.dtype.is_differentiable:
            edges = edges_of(inputs)
            if any(edge is not None for edge in edges):
                result._requires_grad = True
                result._grad_fn = RecordedGradFn(op, attrs, edges, nodes, node, self)
        return result

    def record_results(
        self, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]
    ) -> tuple[Tensor, ...]:
        """Apply an operation with several results to nodes."""
        if self.is_over:
            raise errors.kept_too_long(inputs)
        return record_results(self, op, inputs, attrs)

    def node_of(self, x: Tensor) -> Node:
        """The node that stands for a tensor now.

        Raises:
            RecordingError: if the tensor belongs to another recording.
        """
        if x.node is not None:
            if x.recorder is not self:
                assert x.recorder is not None, "only recorders make symbolic tensors"
                raise x.recorder.used_elsewhere(x)
            if x._viewed is not None:
                self._refresh(x, x._viewed)
            return x.node
        if x._viewed is not None:
            follow_tape(x, x._viewed)
        storage = self._aliases.owner(x.storage)
        if storage in self.current:
            return self.current[storage]
        if not (x._requires_grad or x.is_state):
            self.guards.note_captured(x)
            return self._capture(storage)
        if x._requires_grad and x._grad_fn is not None:
            raise errors.tape_is_dynamic(x)
        return self._variable(x)

    def used_elsewhere(self, x: Tensor) -> RecordingError:
        """The error for a tensor of this recording that another one cannot use."""
        return errors.kept_too_long([x]) if self.is_over else errors.of_another_graph(x)

    def _refresh(self, x: Tensor, view: View) -> None:
        """Let a view show what was written to its tensor since."""
        fresh = view.whole
        if self.node_of(fresh) is view.value:
            return
        for op, attrs in view.steps:
            fresh = self.record(op, (fresh,), attrs)
        x.node, x._viewed = fresh.node, fresh._viewed
        move(x, fresh)

    def note_value(self, x: TensorBase, wanted: str) -> None:
        """The values of a concrete tensor are read: they are fixed in the program.

        Raises:
            SymbolicValueError: if the program writes them, so that they exist only at run time.
        """
        storage = self._aliases.owner(x.storage)
        if storage in self._made:
            return
        self._require_unwritten(storage, x, wanted)
        self.guards.note_value(storage, x, wanted)

    def _require_unwritten(self, storage: Storage, x: TensorBase, wanted: str) -> None:
        if self.current.get(storage) is not self._variables.get(storage):
            raise errors.value_is_written(x, wanted)

    def finish_guards(self) -> None:
        """Let a compiled function notice writes to tensors that were captured or read.

        The recording is over.

        Raises:
            SymbolicValueError: if the program writes a tensor whose values were read.
        """
        for storage, x, wanted in self.guards.finish():
            self._require_unwritten(storage, x, wanted)

    def lifted(self, x: Tensor) -> Tensor:
        """A value of the graph for a concrete tensor; a leaf stays what gradients refer to."""
        if x.node is not None or x._requires_grad:
            return x
        return symbolic(self.node_of(x), self)

    def _capture(self, storage: Storage) -> Node:
        if storage not in self._captured:
            self._captured[storage] = constant(np.array(storage.array, order="K"))
        return self._captured[storage]

    def _variable(self, x: Tensor) -> Node:
        storage = self._aliases.owner(x.storage)
        if storage not in self._variables:
            argument = self.arguments.get(id(x.storage.array))
            if argument is not None and x._requires_grad:
                raise errors.is_an_argument(x, argument)
            if not storage.array.flags.c_contiguous:
                raise errors.not_contiguous(x)
            name = self._names.suggested(storage) or f"v{len(self._variables)}"
            name = self._names.take(name)
            self._variables[storage] = variable(name, x.type, storage)
            self._tensors[storage] = x
            self.guard(lambda: x._requires_grad, f"requires_grad of {name}", (x, "_requires_grad"))
        self.current.setdefault(storage, self._variables[storage])
        return self.current[storage]

    def suggest_name(self, x: Tensor, name: str) -> None:
        """Call the variable of this tensor so, if it becomes one."""
        if x.node is None:
            self._names.suggest(x.storage, name)

    def suggested_name(self, x: Tensor) -> str | None:
        """The name that ``suggest_name`` gave this tensor, if any."""
        return self._names.suggested(x.storage)

    def host_value(self, source: HostValue, dtype: DType, name: str) -> Tensor:
        """A Python number that is read at each run."""
        if source not in self._variables:
            self._variables[source] = variable(
                self._names.take(name), TensorType((), dtype), source
            )
        return symbolic(self._variables[source], self)

    def guard(
        self, read: Callable[[], Any], what: str, cell: tuple[TensorBase, str] | None = None,
        is_announced: Callable[[], bool] | None = None,
    ) -> Any:  # fmt: skip
        """Read a Python value that shapes the program; a compiled function retraces on change."""
        return self.guards.add(read, what, cell, is_announced)

    def assign(self, x: Tensor, value: Tensor) -> None:
        """Record an in-place write to a tensor; the variable gets it after the run."""
        require_writable(x)
        value = fitted(x, value)
        if x.node is not None:
            self._assign_symbolic(x, value)
            return
        storage = self._aliases.owner(x.storage)
        if storage in self._made and not (x._requires_grad or x.is_state):
            if x._viewed is not None or x.storage.version.shared:
                raise errors.has_views(x)
            become_symbolic(x, self._capture(storage), self)
            self._assign_symbolic(x, value)
            return
        if value._requires_grad and modes.grad_enabled:
            raise errors.write_is_tracked(value)
        if storage in self._captured:
            raise errors.is_captured(x)
        self.set_next_value(x, value)

    def set_next_value(self, x: Tensor, value: Tensor) -> None:
        """Let the memory of a concrete tensor hold this value after the run."""
        self._variable(x)
        self.current[self._aliases.owner(x.storage)] = self.node_of(value)

    def note_made(self, storage: Storage) -> None:
        """A concrete tensor was made while recording: each run begins with it as it is."""
        self._made.add(storage)

    def _assign_symbolic(self, x: Tensor, value: Tensor) -> None:
        if self.is_over:
            raise errors.kept_too_long([x])
        view = x._viewed
        if view is None:
            x.node = self.node_of(value)
            if modes.grad_enabled:
                move(x, value)
            return
        with set_grad_enabled(modes.grad_enabled and not view.is_detached):
            self.assign(view.whole, put_back(view.whole, view.steps, value))
        self.node_of(x)

    def draw_bits(self, generator: Generator, shape: Shape) -> Tensor:
        """Record a call of ``generator.bits``."""
        state = generator.state
        call = self._random_calls.get(state.storage, 0)
        self._random_calls[state.storage] = call + 1
        return random_bits(symbolic(self.random_state(state), self), call=call, shape=shape)

    def place_of(self, x: Tensor) -> Storage:
        """The storage that was met first of all those with the memory of a concrete tensor."""
        return self._aliases.owner(x.storage)

    def random_position(self, state: Tensor) -> Tensor:
        """A generator's state as it is by now, after the calls so far."""
        node, calls = self.random_state(state), self._random_calls.get(state.storage, 0)
        return symbolic(add(node, constant(np.array([0, calls]))) if calls else node, self)

    def go_on_from(self, state: Tensor, position: Tensor) -> None:
        """Let a generator's later calls go on from this state."""
        self.set_next_value(state, position)
        self._random_calls.pop(state.storage, None)

    def note_wanted(self, inputs: Sequence[Tensor]) -> None:
        """Gradients with respect to these tensors are asked for."""

    def note_function(
        self, function: type[Function], args: Sequence[Any], results: Sequence[Any]
    ) -> None:
        """A custom function was called: a program's tape knows its gradient already."""

    def note_step(self, step: FunctionStep, args: Sequence[Any], results: Sequence[Any]) -> None:
        """A custom function's step is on the tape, and what it keeps is saved."""

    @property
    def states(self) -> dict[Node, Tensor]:
        """The variables that are tensors, each with one of these."""
        return {self._variables[storage]: x for storage, x in self._tensors.items()}

    def require_untouched_inputs(self) -> None:
        """Raise if an input was written in place: the caller's array would not change."""
        for (name, tensor), node in zip(self.placeholders.items(), self._inputs, strict=True):
            if tensor.node is not node:
                raise errors.input_is_written(name, node)

    def mark_output(self, tensor: Tensor, name: str) -> None:
        """Give a result a name."""
        if name in self.outputs:
            raise ArgumentError(f"the graph has an output called {name!r} already")
        self.outputs[name] = tensor

    def program(self, outputs: Mapping[str, Tensor] | None = None) -> CoreGraph:
        """The graph as recorded so far.

        Args:
            outputs: results by name; default: the marked ones.
        """
        results = self.outputs if outputs is None else outputs
        self.gradients.keep()
        updates = {
            self._variables[storage]: node
            for storage, node in self.current.items()
            if node is not self._variables[storage]
        }
        for storage, calls in self._random_calls.items():
            state = self._variables[storage]
            updates[state] = add(updates.get(state, state), constant(np.array([0, calls])))
        written = [storage for storage in self.current if self._variables[storage] in updates]
        self._aliases.require_apart(self.current, written, self._captured)
        return CoreGraph(
            self._inputs,
            {name: self.node_of(x) for name, x in results.items()},
            updates,
        )

    def random_state(self, state: Tensor) -> Node:
        """The node of a generator's state at the start of the run."""
        if state.dtype is not int64:
            raise RecordingError("a generator's state must be int64", got=state.dtype.name)
        return self._variable(state)


def _sizes(name: str, shape: Sequence[Size | str | None]) -> Shape:
    """The shape of a placeholder: words and None are sizes that are known at run time."""
    sizes: list[Size] = []
    for position, size in enumerate(shape):
        if size is None:
            size = Dim.named(f"{name}_{position}" if name.isidentifier() else f"d{position}")
        elif isinstance(size, str):
            size = Dim.named(size)
        elif isinstance(size, int) and size < 0:
            raise ArgumentError(f"placeholder {name!r}: a size is negative", got=str(size))
        sizes.append(size)
    return tuple(sizes)
