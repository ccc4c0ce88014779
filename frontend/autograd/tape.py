"""The tape of dynamic mode: what each result was made from, and nothing more than rules read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
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


Layout = tuple[tuple[int, ...], Any]
"""Shape and numpy dtype; a ``TensorType`` is made of it when a rule asks."""

Saved = tuple[Array, Version, int]
"""An operand's values, the counter of writes to their memory, and the count when saved."""


class GradFn:
    """One step of the tape: how to get the inputs' gradients from the output's.

    Attributes:
        op: the operation.
        attrs: the operation's static arguments.
        edges: per input where its gradient goes: a leaf tensor, another step, or None.
        pre_hooks: called with the output's gradient before the rule.
        retained: the output tensor whose ``grad`` shall be set.
    """

    __slots__ = (
        "_layouts",
        "_released",
        "_saved",
        "_saved_output",
        "attrs",
        "edges",
        "op",
        "pre_hooks",
        "retained",
    )

    def __init__(
        self,
        op: OpDef,
        attrs: Mapping[str, Any],
        edges: tuple[GradFn | Tensor | None, ...],
        layouts: Sequence[Layout] = (),
        saved: Sequence[Saved] | None = None,
        saved_output: Saved | None = None,
    ) -> None:
        self.op, self.attrs, self.edges = op, attrs, edges
        self._layouts = layouts
        self._saved = saved
        self._saved_output = saved_output
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

    def input_shape(self, position: int) -> tuple[int, ...]:
        """The shape of one input."""
        return self._layouts[position][0]

    def release(self) -> None:
        """Free what was kept; a second backward raises."""
        self._released = True
        self._saved = self._saved_output = None

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
                where=user_location_text(),
            )
        inputs: list[Any]
        if self._saved is None:
            inputs = [_type_only(layout) for layout in self._layouts[:-1]]
        else:
            pairs = zip(self._saved, self.edges, strict=True)
            inputs = [rebuild(self._intact(saved), edge) for saved, edge in pairs]
        output: Any = _type_only(self._layouts[-1])
        if self._saved_output is not None:
            output = rebuild(self._intact(self._saved_output), self)
        return inputs, output

    def _intact(self, saved: Saved) -> Array:
        array, version, count = saved
        if version.count != count:
            raise AutogradError(
                "a value that backward needs was overwritten in place",
                got=f"an operand of {self.name()} at version {version.count}",
                expected=f"version {count}",
                fix="use the out-of-place operation, or clone the value first",
                where=user_location_text(),
            )
        return array


def _type_only(layout: Layout) -> TypeOnly:
    shape, dtype = layout
    return TypeOnly(TensorType(shape, as_dtype(dtype)))


def _save(x: Tensor) -> Saved:
    storage = x.storage
    version = storage.version
    return storage.array, version, version.count


def record(
    op: OpDef, inputs: tuple[Tensor, ...], output: Tensor, attrs: Mapping[str, Any]
) -> GradFn:
    """Put one application on the tape."""
    edges: tuple[Any, ...] = tuple(
        [(x._grad_fn or x) if x._requires_grad else None for x in inputs]
    )
    layouts = [(x.storage.array.shape, x.storage.array.dtype) for x in (*inputs, output)]
    saved = [_save(x) for x in inputs] if op.saves_inputs else None
    return GradFn(op, attrs, edges, layouts, saved, _save(output) if op.saves_output else None)
