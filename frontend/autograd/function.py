"""``autograd.Function``: operations whose gradient the user writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import ReferenceType, ref

from graphc.errors import AutogradError, DTypeError, RecordingError
from graphc.frontend.autograd.anomaly import note_line
from graphc.frontend.autograd.custom import FunctionStep
from graphc.frontend.autograd.saved import SavedTensor
from graphc.frontend.autograd.tape import DeadEnd, Edge
from graphc.frontend.base import is_tensor
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.memory.views import settled
from graphc.frontend.modes import modes, recording_into, set_grad_enabled
from graphc.ops.select import copy
from graphc.provenance import origins_of, user_location_text

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class FunctionCtx:
    """What ``forward`` leaves for ``backward``: saved tensors, and attributes of any name.

    Attributes:
        needs_input_grad: one bool per argument of ``forward``.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._to_save: tuple[Tensor | None, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._not_differentiable: tuple[Tensor, ...] = ()
        self._materialize = True
        self._step: ReferenceType[FunctionStep] | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``backward``, which notices if they are overwritten meanwhile.

        Args:
            tensors: inputs, outputs or others; or None.

        Source: ``torch.autograd.function.FunctionCtx.save_for_backward``.
        """
        for x in tensors:
            if x is not None:
                _require_tensor("save_for_backward", x)
        self._to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Nothing: forward mode differentiates ``backward``, and calls no ``jvp`` of its own."""
        for x in tensors:
            if x is not None:
                _require_tensor("save_for_forward", x)

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that ``forward`` has written these inputs in place; it must return them."""
        for x in tensors:
            _require_tensor("mark_dirty", x)
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs have no gradient."""
        for x in tensors:
            _require_tensor("mark_non_differentiable", x)
        self._not_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (True, the default) or None for unused outputs."""
        self._materialize = value

    def taken(self) -> tuple[Tensor | None, ...]:
        """What is to be saved; the caller keeps it himself."""
        taken, self._to_save = self._to_save, ()
        return taken

    def is_marked(self, x: object) -> bool:
        """Whether this output was marked as one without a gradient."""
        return any(x is marked for marked in self._not_differentiable)

    @property
    def materializes(self) -> bool:
        """Whether ``backward`` gets zeros for unused outputs."""
        return self._materialize

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` got.

        Raises:
            AutogradError: if it was freed, or overwritten since.
        """
        step = None if self._step is None else self._step()
        return self._to_save if step is None else step.restored()


class Function:
    """An operation with a gradient of its own; subclass it and call ``apply``.

    ``forward(ctx, *args)`` computes, without gradients; or ``forward(*args)``, if there is a
    ``setup_context(ctx, inputs, output)``. ``backward(ctx, *grads)`` gets one gradient per output
    and returns one per argument, None where there is none. All of them are static methods. What
    ``backward`` computes has gradients itself. While recording, both become part of the graph.

    Source: ``torch.autograd.Function``.

    Example:
        >>> import graphc as gc
        >>> class Reversed(gc.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x, scale):
        ...         ctx.scale = scale
        ...         return x.clone()
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         return -ctx.scale * grad, None
        >>> x = gc.tensor(2.0, requires_grad=True)
        >>> Reversed.apply(x, 3.0).backward()
        >>> x.grad
        tensor(-3.)
    """

    def __init__(self) -> None:
        raise AutogradError(
            f"{type(self).__name__}: a Function has no instances",
            fix=f"call {type(self).__name__}.apply(...)",
            where=user_location_text(),
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: a tensor, or a tuple of tensors and others."""
        _missing("forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what ``backward`` needs, if ``forward`` takes no ``ctx``."""
        _missing("setup_context")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments from those of the outputs."""
        _missing("backward")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Call ``forward``; gradients of what it returns go through ``backward``.

        Args:
            args: tensors and other values; gradients flow to the tensors.

        Raises:
            AutogradError: if an input is written in place in a way that cannot be tracked.
        """
        given = [x for x in args if is_tensor(x)]
        recorder = modes.recorder or next((x.recorder for x in given if x.recorder), None)
        edges = tuple(_edge(x, recorder) if is_tensor(x) else None for x in args)
        ctx = FunctionCtx(tuple(edge is not None for edge in edges))
        with recording_into(recorder), set_grad_enabled(False):
            outputs = cls.run_forward(ctx, args)
        made = outputs if isinstance(outputs, tuple) else (outputs,)
        _require_outputs(cls.__name__, made, ctx)
        is_tracked = modes.grad_enabled and any(ctx.needs_input_grad)
        types = [x.type if is_tensor(x) else None for x in args]
        kinds = [x.type if is_tensor(x) else None for x in made]
        step = FunctionStep(
            cls.__name__, functools.partial(cls.backward, ctx), edges, types, kinds,
            ctx._materialize,
        )  # fmt: skip
        note_line(step)
        results = _Results(step, ctx, given, recorder, is_tracked).of(made)
        if recorder is not None:
            recorder.note_function(cls, args, results)
            nodes = [x.node for x in results if is_tensor(x) and x.node is not None]
            step.origins = frozenset().union(*map(origins_of, nodes))
        if is_tracked:
            ctx._step = ref(step)
            positions = {id(x): place for place, x in reversed(list(enumerate(made)))}
            step.save([_saved(x, recorder, positions) for x in ctx._to_save])
            if recorder is not None:
                recorder.note_step(step, args, results)
        ctx._to_save = ctx._dirty = ctx._not_differentiable = ()
        return results if isinstance(outputs, tuple) else results[0]

    @classmethod
    def run_forward(cls, ctx: FunctionCtx, args: Sequence[Any]) -> Any:
        """Call ``forward``, and ``setup_context`` if there is one."""
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args)
        outputs = cls.forward(*args)
        cls.setup_context(ctx, tuple(args), outputs)
        return outputs


class _Results:
    """Puts the outputs of a call on the tape.

    Args:
        step: the call.
        ctx: what ``forward`` said of its outputs.
        inputs: the tensors among the arguments.
        recorder: what records the call, if it is recorded.
        is_tracked: whether outputs have gradients.
    """

    def __init__(
        self, step: FunctionStep, ctx: FunctionCtx, inputs: list[Tensor],
        recorder: Recorder | None, is_tracked: bool,
    ) -> None:  # fmt: skip
        self._step, self._recorder, self._is_tracked = step, recorder, is_tracked
        self._dirty = {id(x) for x in ctx._dirty}
        self._without = {id(x) for x in ctx._not_differentiable}
        self._taken = {id(x) for x in inputs}

    def of(self, outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the caller gets for these outputs."""
        return tuple(
            self._result(place, x) if is_tensor(x) else x for place, x in enumerate(outputs)
        )

    def _result(self, place: int, x: Tensor) -> Tensor:
        has_gradient = self._is_tracked and x.dtype.is_differentiable and id(x) not in self._without
        if id(x) in self._dirty:
            if has_gradient:
                self._require_trackable(x)
        elif id(x) in self._taken or x._viewed is not None or x._requires_grad or x.is_state:
            x = self._apart(x)
        elif has_gradient and self._recorder is not None:
            x = self._recorder.lifted(x)
        self._taken.add(id(x))
        if has_gradient:
            x._requires_grad, x._grad_fn = True, self._step.output(place)
        return x

    def _apart(self, x: Tensor) -> Tensor:
        """The values as another tensor, of which the tape knows nothing."""
        if self._recorder is not None:
            return symbolic(self._recorder.node_of(x), self._recorder)
        with set_grad_enabled(False):
            return copy(x)

    def _require_trackable(self, x: Tensor) -> None:
        if x._requires_grad and x._grad_fn is None:
            raise AutogradError(
                f"{self._step.name()}: a leaf that requires a gradient was written in place",
                got=str(x.type), fix="give it a clone()", where=user_location_text(),
            )  # fmt: skip
        if x._viewed is not None:
            raise AutogradError(
                f"{self._step.name()}: a view was written in place",
                got=str(x.type), fix="give it a clone()", where=user_location_text(),
            )  # fmt: skip
        if self._recorder is not None and x.node is None:
            raise RecordingError(
                f"{self._step.name()}: a buffer was overwritten with a value that requires a "
                "gradient",
                got=str(x.type), fix="give it a clone()", where=user_location_text(),
            )  # fmt: skip


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a ``backward`` whose results must not be differentiated again.

    It runs without gradients; a second differentiation raises.

    Source: ``torch.autograd.function.once_differentiable``.
    """

    @functools.wraps(backward)
    def wrapped(ctx: FunctionCtx, *grads: Any) -> Any:
        with set_grad_enabled(False):
            results = backward(ctx, *grads)
        if not modes.grad_enabled:
            return results
        step = None if ctx._step is None else ctx._step()
        edges = [(x._grad_fn or x) for x in grads if is_tensor(x) and x._requires_grad]
        dead_end = DeadEnd(
            (*edges, *(() if step is None else step.edges)),
            "DelayedError",
            "a function that is once_differentiable was differentiated twice",
            "write its backward of differentiable operations, without once_differentiable",
        )
        found = results if isinstance(results, tuple | list) else (results,)
        return tuple(_standing_at(x, dead_end) if is_tensor(x) else x for x in found)

    return wrapped


def _standing_at(x: Tensor, step: DeadEnd) -> Tensor:
    """The values of a tensor at another place of the tape."""
    if x.node is not None and x.recorder is not None:
        return symbolic(x.node, x.recorder, True, step)
    return concrete(x.storage.array, True, step)


def _edge(x: Tensor, recorder: Recorder | None) -> Edge:
    """Where the gradient of an argument goes."""
    settled(x)
    if not x._requires_grad:
        return None
    if recorder is not None:
        recorder.node_of(x)  # it must belong there
    return x._grad_fn or x


def _saved(
    x: Tensor | None, recorder: Recorder | None, positions: dict[int, int]
) -> SavedTensor | None:
    return None if x is None else SavedTensor(x, recorder, positions.get(id(x)))


def _require_outputs(function: str, outputs: tuple[Any, ...], ctx: FunctionCtx) -> None:
    given = {id(x) for x in outputs}
    if any(id(x) not in given for x in ctx._dirty):
        raise AutogradError(
            f"{function}: forward must return what mark_dirty names", where=user_location_text()
        )
    if any(isinstance(x, list) and any(map(is_tensor, x)) for x in outputs):
        raise DTypeError(
            f"{function}: forward must return a tensor or a tuple", got="a list of tensors",
            fix="return tuple(...)", where=user_location_text(),
        )  # fmt: skip


def _require_tensor(method: str, x: Any) -> None:
    if not is_tensor(x):
        raise DTypeError(
            f"{method}: expected tensors", got=type(x).__name__,
            fix="keep other values as attributes of ctx", where=user_location_text(),
        )  # fmt: skip


def _missing(method: str) -> NoReturn:
    raise AutogradError(
        f"this Function needs a static method `{method}`", where=user_location_text()
    )
