"""Steps of the tape for custom functions: one per call, and one per output that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from graphc.errors import AutogradError, DTypeError, ShapeError
from graphc.frontend.autograd.hooks import Grads, RemovableHandle
from graphc.frontend.autograd.saved import SavedTensor
from graphc.frontend.autograd.tape import Accumulation, Edge, GradFn
from graphc.frontend.autograd.zeros import zeros_of
from graphc.frontend.base import is_tensor
from graphc.ops.broadcasting import sum_to_shape
from graphc.ops.select import cast
from graphc.provenance import Origins, backward_of, made_for, user_location_text
from graphc.shapes import unify
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class FunctionStep(GradFn):
    """One call of a custom function; it takes the gradients of all outputs at once.

    Args:
        function: the name of the class.
        backward: takes one gradient per output, gives one per argument.
        edges: one per argument; None for what is no tensor or needs no gradient.
        inputs: the types of the tensors among the arguments.
        outputs: the types of the tensors among the outputs.
        materialize: give zeros for outputs without a gradient.

    Attributes:
        origins: where the outputs were recorded; empty if they were not.
    """

    __slots__ = (
        "__weakref__",
        "_backward",
        "_function",
        "_inputs",
        "_is_released",
        "_materialize",
        "_outputs",
        "_saved",
        "_steps",
        "origins",
    )

    def __init__(
        self,
        function: str,
        backward: Callable[..., Any],
        edges: tuple[Edge, ...],
        inputs: Sequence[TensorType | None],
        outputs: Sequence[TensorType | None],
        materialize: bool,
    ) -> None:
        super().__init__(edges)
        self._function, self._backward = function, backward
        self._inputs, self._outputs, self._materialize = inputs, outputs, materialize
        self._saved: Sequence[SavedTensor | None] = ()
        self._steps: dict[int, ReferenceType[FunctionOutput]] = {}
        self._is_released = False
        self.origins: Origins = frozenset()

    def name(self) -> str:
        """PyTorch's kind of name, e.g. ``ReverseBackward``."""
        return f"{self._function}Backward"

    def output(self, position: int) -> FunctionOutput:
        """The step of one output."""
        known = self._steps.get(position)
        found = None if known is None else known()
        if found is None:
            found = FunctionOutput(self, position)
            self._steps[position] = ref(found)
        return found

    def save(self, saved: Sequence[SavedTensor | None]) -> None:
        """Keep these until they are released."""
        self._saved = saved

    def restored(self) -> tuple[Tensor | None, ...]:
        """What was saved.

        Raises:
            AutogradError: if it was freed or overwritten.
        """
        if self._is_released:
            raise self.already_freed()
        return tuple(
            None if saved is None else saved.restored(self, self._output_of(saved))
            for saved in self._saved
        )

    def _output_of(self, saved: SavedTensor) -> FunctionOutput | None:
        return None if saved.position is None else self.output(saved.position)

    def release(self) -> None:
        """Free what was saved; if something was, a second backward raises."""
        self._is_released = self._is_released or bool(self._saved)
        self._saved = ()

    def gathered(self, parts: dict[int, Tensor]) -> Grads:
        """The gradients of all outputs, from those of some; None for the others."""
        return tuple(parts.get(position) for position in range(len(self._outputs)))

    def differentiate(self, grads: Grads) -> Grads:
        """The gradients of the arguments.

        Raises:
            AutogradError: if the user's backward does not give one gradient per argument.
        """
        if self._materialize:
            grads = tuple(
                zeros_of(kind) if grad is None and kind is not None else grad
                for grad, kind in zip(grads, self._outputs, strict=True)
            )
        if self.origins:
            with made_for(backward_of(self.origins)):
                results = self.results_of(grads)
        else:
            results = self.results_of(grads)
        found = list(results) if isinstance(results, tuple | list) else [results]
        while len(found) > len(self.edges) and found[-1] is None:
            found.pop()
        if len(found) != len(self.edges):
            raise AutogradError(
                f"{self.name()}: backward must return one gradient per argument of forward",
                got=str(len(found)), expected=str(len(self.edges)), where=user_location_text(),
            )  # fmt: skip
        return tuple(self._fitted(position, grad) for position, grad in enumerate(found))

    def results_of(self, grads: Grads) -> Any:
        """What the backward gives for the gradients of all outputs."""
        return self._backward(*grads)

    def _fitted(self, position: int, grad: Any) -> Tensor | None:
        """A gradient in the type of its argument."""
        if grad is None:
            return None
        kind = self._inputs[position]
        if kind is None or not is_tensor(grad):
            raise DTypeError(
                f"{self.name()}: gradient {position} must be "
                + ("None: the argument is no tensor" if kind is None else "a tensor or None"),
                got=type(grad).__name__,
                where=user_location_text(),
            )
        if self.edges[position] is None:
            return None
        fitted: Tensor = grad if grad.dtype is kind.dtype else cast(grad, dtype=kind.dtype)
        if fitted.shape == kind.shape:
            return fitted
        if not _sums_to(fitted.shape, kind.shape):
            raise ShapeError(
                f"{self.name()}: gradient {position} does not fit its argument",
                got=str(grad.type), expected=str(kind), where=user_location_text(),
            )  # fmt: skip
        return sum_to_shape(fitted, kind.shape)


class FunctionOutput(GradFn):
    """One output of a custom function's call; its gradient is one of those that the call takes.

    Args:
        step: the call.
        position: which output.
    """

    __slots__ = ("__weakref__", "position", "step")

    def __init__(self, step: FunctionStep, position: int) -> None:
        super().__init__((step,))
        self.step, self.position = step, position

    def name(self) -> str:
        """The name of the call."""
        return self.step.name()

    @property
    def next_functions(self) -> tuple[tuple[GradFn | Accumulation | None, int], ...]:
        """Where the gradients of the call flow to."""
        return self.step.next_functions

    def register_hook(self, hook: Callable[[Grads, Grads], Any]) -> RemovableHandle:
        """See ``GradFn.register_hook``; it sees the gradients of all outputs."""
        return self.step.register_hook(hook)

    def register_prehook(self, hook: Callable[[Grads], Any]) -> RemovableHandle:
        """See ``GradFn.register_prehook``; it sees the gradients of all outputs."""
        return self.step.register_prehook(hook)


def _sums_to(shape: Sequence[Any], target: Sequence[Any]) -> bool:
    """Whether a tensor of the target's shape could have been broadcast to this shape."""
    if len(shape) < len(target):
        return False
    tail = shape[len(shape) - len(target) :]
    return all(
        wanted == 1 or unify(size, wanted) is not None
        for size, wanted in zip(tail, target, strict=True)
    )
