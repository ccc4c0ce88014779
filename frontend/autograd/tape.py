"""The tape of dynamic mode: what each result was made from, and nothing more than rules read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ReferenceType

from graphc.errors import AutogradError
from graphc.opdef import OpDef, Saves
from graphc.storage import Array, Version
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.base import TensorBase
    from graphc.frontend.tensor import Tensor

_sequence = itertools.count()


class TypeOnly(NamedTuple):
    """Stands for an operand whose values the rule does not read."""

    type: TensorType


class Saved(NamedTuple):
    """An operand's values as they were, with the version that tells if they still are."""

    array: Array
    version: Version
    count: int


class GradFn:
    """One step of the tape: how to get the inputs' gradients from the output's.

    Attributes:
        op: the operation.
        edges: per input where its gradient goes: a leaf tensor, another step, or None.
        sequence: rises with time; backward goes down.
    """

    __slots__ = (
        "_released", "_saved", "_saved_output", "_types", "attrs", "edges", "op", "pre_hooks",
        "retained", "sequence",
    )  # fmt: skip

    def __init__(
        self, op: OpDef, attrs: Mapping[str, Any], edges: tuple[GradFn | Tensor | None, ...]
    ) -> None:
        self.op, self.attrs, self.edges = op, attrs, edges
        self.sequence = next(_sequence)
        self._types: tuple[TensorType, ...] = ()
        self._saved: tuple[Saved, ...] = ()
        self._saved_output: Saved | None = None
        self._released = False
        self.pre_hooks: list[Callable[[Tensor], Tensor | None]] | None = None
        self.retained: ReferenceType[Tensor] | None = None

    def name(self) -> str:
        """PyTorch's kind of name, e.g. ``MulBackward0``."""
        return "".join(part.capitalize() for part in self.op.name.split("_")) + "Backward0"

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    @property
    def next_functions(self) -> tuple[tuple[GradFn | Tensor | None, int], ...]:
        """The steps (or leaf tensors) that gradients flow to, as in PyTorch."""
        return tuple((edge, 0) for edge in self.edges)

    def input_type(self, position: int) -> TensorType:
        """The type of one input."""
        return self._types[position]

    def save(self, inputs: tuple[TensorBase, ...], output: TensorBase) -> None:
        """Keep what the rule reads, and types."""
        self._types = tuple(x.type for x in (*inputs, output))
        if self.op.saves & Saves.INPUTS:
            self._saved = tuple(_save(x) for x in inputs)
        if self.op.saves & Saves.OUTPUT:
            self._saved_output = _save(output)

    def release(self) -> None:
        """Free what was kept; a second backward raises."""
        self._released = True
        self._saved, self._saved_output = (), None

    def operands(
        self, rebuild: Callable[[Array, GradFn | Tensor | None], Tensor]
    ) -> tuple[list[Any], Any]:
        """Inputs and output for the rule: tensors where saved, else their types.

        Raises:
            AutogradError: if they were freed, or overwritten since.
        """
        if self._released:
            raise AutogradError(
                "backward was called a second time through values that are already freed",
                got=self.name(),
                fix="give the first call retain_graph=True",
            )
        inputs: list[Any] = [TypeOnly(type) for type in self._types[:-1]]
        if self.op.saves & Saves.INPUTS:
            pairs = zip(self._saved, self.edges, strict=True)
            inputs = [rebuild(self._intact(saved), edge) for saved, edge in pairs]
        output: Any = TypeOnly(self._types[-1])
        if self._saved_output is not None:
            output = rebuild(self._intact(self._saved_output), self)
        return inputs, output

    def _intact(self, saved: Saved) -> Array:
        if saved.version.count != saved.count:
            raise AutogradError(
                "a value that backward needs was overwritten in place",
                got=f"an operand of {self.name()} at version {saved.version.count}",
                expected=f"version {saved.count}",
                fix="use the out-of-place operation, or clone the value first",
            )
        return saved.array


def _save(x: TensorBase) -> Saved:
    storage = x.storage
    return Saved(storage.array, storage.version, storage.version.count)


def record(
    op: OpDef, inputs: tuple[TensorBase, ...], output: TensorBase, attrs: Mapping[str, Any]
) -> GradFn:
    """Put one application on the tape."""
    edges: tuple[Any, ...] = tuple((x._grad_fn or x) if x._requires_grad else None for x in inputs)
    step = GradFn(op, attrs, edges)
    step.save(inputs, output)
    return step
