"""The tape: what each result was made from, and nothing more than gradient rules read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Union
from weakref import ReferenceType, ref

from graphc.dtypes import as_dtype
from graphc.errors import AutogradError
from graphc.frontend.autograd.hooks import Grads, Hooks, RemovableHandle, add_hook, replaced
from graphc.frontend.modes import modes
from graphc.opdef import OpDef
from graphc.ops.select import copy
from graphc.provenance import user_location_text
from graphc.storage import Array, Version
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.autograd.saved_hooks import PackedValue
    from graphc.frontend.tensor import Tensor


class TypeOnly(NamedTuple):
    """Stands for an operand whose values the rule does not read."""

    type: TensorType


class Overwritten:
    """Stands for an operand whose values are gone: a rule that reads them raises."""

    def __init__(self, type: TensorType, error: AutogradError) -> None:
        self.type, self._error = type, error

    def __getattr__(self, name: str) -> Any:
        raise self._error


Edge = Union["GradFn", "Tensor", None]
"""Where the gradient of an operand goes: to another step, to a leaf, or nowhere."""


class GradFn:
    """One step of the tape: how something was made, and where its gradients go.

    Attributes:
        edges: one per input.
        retained: the output tensor whose ``grad`` shall be set.
        origin: the user's line that made the step; only under anomaly detection.
    """

    __slots__ = ("_hooks", "edges", "origin", "retained")

    origin: str
    retained: ReferenceType[Tensor] | None
    _hooks: Hooks | None

    def __init__(self, edges: tuple[Edge, ...]) -> None:
        self.edges = edges
        self._hooks = self.retained = None

    def name(self) -> str:
        """PyTorch's kind of name, e.g. ``MulBackward0``."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    @property
    def next_functions(self) -> tuple[tuple[GradFn | Accumulation | None, int], ...]:
        """The steps that gradients flow to, as in PyTorch; leaves have an ``AccumulateGrad``."""
        return tuple((_as_step(edge), 0) for edge in self.edges)

    def register_hook(self, hook: Callable[[Grads, Grads], Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` after the step's gradients are computed.

        Args:
            hook: takes two tuples; a tuple that it returns replaces the first.

        Source: ``torch.autograd.graph.Node.register_hook``.
        """
        return add_hook(self, "after", hook)

    def register_prehook(self, hook: Callable[[Grads], Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before the step's gradients are computed.

        Args:
            hook: takes a tuple; a tuple that it returns replaces it.

        Source: ``torch.autograd.graph.Node.register_prehook``.
        """
        return add_hook(self, "before", hook)

    def already_freed(self) -> AutogradError:
        """The error for a second walk through a step that has freed what it kept."""
        return AutogradError(
            "backward was called a second time through values that are already freed",
            got=self.name(),
            fix="give the first call retain_graph=True",
            where=user_location_text(),
        )

    def overwritten(self, got: str) -> AutogradError:
        """The error for an operand whose values are gone."""
        return AutogradError(
            "a value that backward needs was overwritten in place",
            got=f"an operand of {self.name()} {got}",
            fix="use the out-of-place operation, or clone the value first",
            where=user_location_text(),
        )


class Accumulation:
    """Stands at the end of a path for the sum of a leaf's gradients (``AccumulateGrad``).

    Args:
        variable: the leaf.
    """

    next_functions = ()

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable

    def name(self) -> str:
        """PyTorch's name."""
        return "AccumulateGrad"

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Accumulation) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash(self.variable)

    def register_prehook(self, hook: Callable[[Grads], Any]) -> RemovableHandle:
        """Call ``hook((grad,))`` before the leaf's ``grad`` is added to."""

        def arriving(grad: Tensor) -> Tensor | None:
            return replaced(hook((grad,)), (grad,))[0]

        return add_hook(self.variable, "arriving", arriving)

    def register_hook(self, hook: Callable[[Grads, Grads], Any]) -> RemovableHandle:
        """Call ``hook((), ())`` after the leaf's ``grad`` was added to."""

        def after(leaf: Tensor) -> None:
            replaced(hook((), ()), ())

        return add_hook(self.variable, "after", after)


def _as_step(edge: Edge) -> GradFn | Accumulation | None:
    return edge if edge is None or isinstance(edge, GradFn) else Accumulation(edge)


class DeadEnd(GradFn):
    """A step that a gradient must not reach.

    Args:
        edges: where gradients would go.
        name: its own.
        what: the error's message.
        fix: what the user can do about it.
    """

    __slots__ = ("_fix", "_name", "_what")

    def __init__(self, edges: tuple[Edge, ...], name: str, what: str, fix: str) -> None:
        super().__init__(edges)
        self._name, self._what, self._fix = name, what, fix

    def name(self) -> str:
        """PyTorch's kind of name, e.g. ``CompiledFunctionBackward``."""
        return self._name

    def reached(self) -> AutogradError:
        """The error for a gradient that came here."""
        return AutogradError(self._what, fix=self._fix, where=user_location_text())


class OpGradFn(GradFn):
    """The step of an applied operation.

    Attributes:
        op: the operation.
        attrs: the operation's static arguments.
    """

    __slots__ = ("attrs", "op")

    def __init__(self, op: OpDef, attrs: Mapping[str, Any], edges: tuple[Edge, ...]) -> None:
        self.op, self.attrs, self.edges = op, attrs, edges  # super().__init__ would cost a call
        self._hooks = self.retained = None

    def name(self) -> str:
        """PyTorch's kind of name, e.g. ``MulBackward0``."""
        return "".join(part.capitalize() for part in self.op.name.split("_")) + "Backward0"


Layout = tuple[tuple[int, ...], Any]
"""Shape and numpy dtype; a ``TensorType`` is made of it when a rule asks."""

Saved = Union[tuple[Array, Version, int], "PackedValue"]
"""An operand's values, the counter of writes to their memory, and the count when saved; or what
a hook made of the values."""


class DynamicGradFn(OpGradFn):
    """A step that ran: it keeps the arrays that its rule reads, until they are released.

    Args:
        layouts: one per input, then the output's.
        saved: the inputs that the rule reads; None if it reads none of them.
        saved_output: the output, if the rule reads it.
    """

    __slots__ = ("_layouts", "_released", "_saved", "_saved_output")

    def __init__(
        self,
        op: OpDef,
        attrs: Mapping[str, Any],
        edges: tuple[Edge, ...],
        layouts: Sequence[Layout],
        saved: Sequence[Saved | None] | None = None,
        saved_output: Saved | None = None,
    ) -> None:
        super().__init__(op, attrs, edges)
        self._layouts = layouts
        self._saved = saved
        self._saved_output = saved_output
        self._released = False

    def input_shape(self, position: int) -> tuple[int, ...]:
        """The shape of one input."""
        return self._layouts[position][0]

    def release(self) -> None:
        """Free what was kept; if something was, a second backward raises."""
        self._released = self._saved is not None or self._saved_output is not None
        self._saved = self._saved_output = None

    def operands(self, rebuild: Callable[[Array, Edge], Tensor]) -> tuple[list[Any], Any]:
        """Inputs and output for the rule: tensors where saved and not overwritten, else types.

        Raises:
            AutogradError: if they were freed.
        """
        if self._released:
            raise self.already_freed()
        inputs: list[Any]
        if self._saved is None:
            inputs = [_type_only(layout) for layout in self._layouts[:-1]]
        else:
            triples = zip(self._saved, self.edges, self._layouts, strict=False)
            inputs = [
                _type_only(layout) if saved is None else self._operand(saved, edge, rebuild)
                for saved, edge, layout in triples
            ]
        output: Any = _type_only(self._layouts[-1])
        if self._saved_output is not None:
            output = self._operand(self._saved_output, self, rebuild)
        return inputs, output

    def _operand(self, saved: Saved, edge: Edge, rebuild: Callable[[Array, Edge], Tensor]) -> Any:
        if not isinstance(saved, tuple):
            array = saved.array()
            return rebuild(array, stand_in(edge, array))
        array, version, count = saved
        if version.count == count:
            return rebuild(array, edge)
        error = self.overwritten(f"at version {version.count}, it was {count}")
        return Overwritten(TensorType(array.shape, as_dtype(array.dtype)), error)


def stand_in(edge: Edge, array: Array) -> Edge:
    """A step for a leaf whose values come from elsewhere; other edges as they are."""
    if edge is None or isinstance(edge, GradFn):
        return edge
    layout = (array.shape, array.dtype)
    return DynamicGradFn(copy, {}, (edge,), (layout, layout))


@functools.lru_cache(maxsize=4096)
def _type_only(layout: Layout) -> TypeOnly:
    shape, dtype = layout
    return TypeOnly(TensorType(shape, as_dtype(dtype)))


def _save(x: Tensor) -> Saved:
    storage = x.storage
    version = storage.version
    if version.is_inference:
        raise for_inference_only(x)
    if modes.saved_hooks is not None:
        return modes.saved_hooks.packed(storage.array)
    return storage.array, version, version.count


def for_inference_only(x: Tensor) -> AutogradError:
    """The error for a tensor of inference mode that backward would read."""
    return AutogradError(
        "a tensor that was made in inference mode cannot be saved for backward",
        got=str(x.type), fix="clone() it outside of inference mode", where=user_location_text(),
    )  # fmt: skip


def move(x: Tensor, place: Tensor) -> None:
    """Let a tensor stand on the tape where another does; its kept gradient is the one there."""
    x._grad_fn, x._requires_grad = place._grad_fn, place._requires_grad
    if x._retains_grad and x._grad_fn is not None:
        x._grad_fn.retained = ref(x)


def edges_of(inputs: tuple[Tensor, ...]) -> tuple[Edge, ...]:
    """Where the gradients of these operands go."""
    return tuple([(x._grad_fn or x) if x._requires_grad else None for x in inputs])


def step_of_run(
    op: OpDef, inputs: tuple[Tensor, ...], output: Tensor, attrs: Mapping[str, Any]
) -> DynamicGradFn:
    """The step for an application that ran."""
    layouts = [(x.storage.array.shape, x.storage.array.dtype) for x in (*inputs, output)]
    saved: list[Saved | None] | None = None
    if op.saves_inputs:
        saved = [_save(x) for x in inputs]
    elif op.saves_positions:
        saved = [_save(x) if x.storage.array.dtype.kind in "iub" else None for x in inputs]
    saved_output = _save(output) if op.saves_output else None
    return DynamicGradFn(op, attrs, edges_of(inputs), layouts, saved, saved_output)
