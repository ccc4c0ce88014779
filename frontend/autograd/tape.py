"""The tape: what each result was made from, and nothing more than gradient rules read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Union
from weakref import ReferenceType

from graphc.dtypes import as_dtype
from graphc.errors import AutogradError
from graphc.opdef import OpDef
from graphc.provenance import user_location_text
from graphc.storage import Array, Version
from graphc.types import TensorType

if TYPE_CHECKING:
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
    """One step of the tape: an applied operation and where its gradients go.

    Attributes:
        op: the operation.
        attrs: the operation's static arguments.
        edges: one per input.
        pre_hooks: called with the output's gradient before the rule.
        retained: the output tensor whose ``grad`` shall be set.
    """

    __slots__ = ("attrs", "edges", "op", "pre_hooks", "retained")

    def __init__(self, op: OpDef, attrs: Mapping[str, Any], edges: tuple[Edge, ...]) -> None:
        self.op, self.attrs, self.edges = op, attrs, edges
        self.pre_hooks: tuple[Callable[[Tensor], Tensor | None], ...] | None = None
        self.retained: ReferenceType[Tensor] | None = None

    def name(self) -> str:
        """PyTorch's kind of name, e.g. ``MulBackward0``."""
        return "".join(part.capitalize() for part in self.op.name.split("_")) + "Backward0"

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    @property
    def next_functions(self) -> tuple[tuple[Edge, int], ...]:
        """The steps (or leaf tensors) that gradients flow to, as in PyTorch."""
        return tuple((edge, 0) for edge in self.edges)

    def overwritten(self, got: str) -> AutogradError:
        """The error for an operand whose values are gone."""
        return AutogradError(
            "a value that backward needs was overwritten in place",
            got=f"an operand of {self.name()} {got}",
            fix="use the out-of-place operation, or clone the value first",
            where=user_location_text(),
        )


Layout = tuple[tuple[int, ...], Any]
"""Shape and numpy dtype; a ``TensorType`` is made of it when a rule asks."""

Saved = tuple[Array, Version, int]
"""An operand's values, the counter of writes to their memory, and the count when saved."""


class DynamicGradFn(GradFn):
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
        """Free what was kept; a second backward raises."""
        self._released = True
        self._saved = self._saved_output = None

    def operands(self, rebuild: Callable[[Array, Edge], Tensor]) -> tuple[list[Any], Any]:
        """Inputs and output for the rule: tensors where saved and not overwritten, else types.

        Raises:
            AutogradError: if they were freed.
        """
        if self._released:
            raise AutogradError(
                "backward was called a second time through values that are already freed",
                got=self.name(),
                fix="give the first call retain_graph=True",
                where=user_location_text(),
            )
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
        array, version, count = saved
        if version.count == count:
            return rebuild(array, edge)
        error = self.overwritten(f"at version {version.count}, it was {count}")
        return Overwritten(TensorType(array.shape, as_dtype(array.dtype)), error)


def _type_only(layout: Layout) -> TypeOnly:
    shape, dtype = layout
    return TypeOnly(TensorType(shape, as_dtype(dtype)))


def _save(x: Tensor) -> Saved:
    storage = x.storage
    version = storage.version
    return storage.array, version, version.count


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
