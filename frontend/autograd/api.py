"""``backward`` and ``grad`` in both executions, hooks and kept gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

from graphc.errors import ArgumentError, AutogradError
from graphc.frontend.autograd.engine import run_backward
from graphc.frontend.autograd.hooks import RemovableHandle, add_hook
from graphc.frontend.autograd.starts import each_of_batch, require_gradient, started
from graphc.frontend.autograd.zeros import zeros_of
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.convert import tensor_sequence
from graphc.frontend.modes import modes, recording_into
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor

Hook = Callable[["Tensor"], "Tensor | None"]


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of this tensor to the ``grad`` of the leaves that it depends on.

    Args:
        gradient: the gradient of this tensor; may be left out for one element.
        retain_graph: keep what a second backward needs; default: ``create_graph``.
        create_graph: let the gradients themselves have gradients.
        inputs: only these tensors' ``grad``; default: all leaves.

    Raises:
        AutogradError: if nothing requires a gradient, or ``gradient`` is missing.

    Source: ``torch.Tensor.backward``.
    """
    backward_all(self, gradient, retain_graph, create_graph, inputs=inputs)


def backward_all(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of several tensors to the leaves' ``grad`` (``torch.autograd.backward``).

    Args:
        tensors: tensor or tensors.
        grad_tensors: one gradient per tensor; may be left out for tensors of one element.
        retain_graph: keep what a second backward needs; default: ``create_graph``.
        create_graph: let the gradients themselves have gradients.
        inputs: only these tensors' ``grad``, and those of retained results; default: all leaves.

    Raises:
        AutogradError: if nothing requires a gradient, or a gradient is missing.
    """
    ends = _tensors("backward", tensors)
    wanted = None if inputs is None else _tensors("backward: inputs", inputs)
    if wanted == []:
        raise AutogradError("backward: inputs must not be empty", where=user_location_text())
    starts = started(ends, grad_tensors)
    for x in wanted or ():
        retain_grad(x)
    recorder = _recorder_of([*ends, *(wanted or ())])
    keep = create_graph if retain_graph is None else retain_graph
    run_backward(
        ends, starts, inputs=wanted, accumulates=True, retain_graph=keep,
        create_graph=create_graph, recorder=recorder,
    )  # fmt: skip


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of outputs with respect to inputs; ``grad`` stays untouched.

    Args:
        outputs: tensor or tensors.
        inputs: tensor or tensors.
        grad_outputs: one gradient per output; may be left out for outputs of one element.
        retain_graph: keep what a second walk needs; default: ``create_graph``.
        create_graph: let the gradients themselves have gradients.
        only_inputs: True; PyTorch has given up the other way.
        allow_unused: accept inputs that the outputs do not depend on; their gradient is None.
        is_grads_batched: each gradient in ``grad_outputs`` has one more dim in front, and so has
            each result: one walk for each index of it.
        materialize_grads: zeros in place of None.

    Returns:
        One gradient per input.

    Raises:
        AutogradError: for an unused input, unless allowed.

    Source: ``torch.autograd.grad``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor(3.0, requires_grad=True)
        >>> (first,) = gc.grad(x * x * x, x, create_graph=True)
        >>> gc.grad(first, x)
        (tensor(18.),)
    """
    ends, wanted = _tensors("grad", outputs), _tensors("grad: inputs", inputs)
    if not only_inputs or (materialize_grads and allow_unused is False):
        raise ArgumentError(
            "grad: only_inputs=False and materialize_grads with allow_unused=False do not exist",
            got=f"only_inputs={only_inputs}, allow_unused={allow_unused}",
            where=user_location_text(),
        )  # fmt: skip
    if not wanted:
        raise ArgumentError(
            "grad: there are no inputs", expected="one tensor or more", where=user_location_text()
        )
    for x in (*ends, *wanted):
        require_gradient(x)
    recorder = _recorder_of([*ends, *wanted])
    if recorder is not None:
        recorder.note_wanted(wanted)
    keep = create_graph if retain_graph is None else retain_graph

    def walked(starts: list[Tensor], keep: bool) -> list[Tensor | None]:
        by_id = run_backward(
            ends, starts, inputs=wanted, accumulates=False, retain_graph=keep,
            create_graph=create_graph, recorder=recorder,
        )  # fmt: skip
        return [by_id.get(id(x)) for x in wanted]

    if is_grads_batched:
        found = each_of_batch(ends, grad_outputs, walked, keep)
    else:
        found = walked(started(ends, grad_outputs), keep)
    for position, (x, result) in enumerate(zip(wanted, found, strict=True)):
        if result is None and materialize_grads:
            with recording_into(recorder):
                found[position] = zeros_of(x.type)
        elif result is None and not allow_unused:
            raise AutogradError(
                f"input {position} was not used to compute the outputs",
                got=str(x.type),
                fix="allow_unused=True gives None for it",
                where=user_location_text(),
            )
    return tuple(found)


def _tensors(what: str, given: Any) -> list[Tensor]:
    """A tensor, or a sequence of tensors, as a list."""
    return [given] if is_tensor(given) else tensor_sequence(what, given)


def _recorder_of(tensors: list[Tensor]) -> Recorder | None:
    """What a walk from or to these tensors is recorded into; all of them must belong there."""
    recorder = modes.recorder or next((x.recorder for x in tensors if x.recorder), None)
    if recorder is not None:
        for x in tensors:
            recorder.node_of(x)
    return recorder


def retain_grad(self: Tensor) -> None:
    """Let each walk set ``grad`` of this result too (``torch.Tensor.retain_grad``)."""
    require_gradient(self)
    self._retains_grad = not self.is_leaf
    if self._grad_fn is not None:
        self._grad_fn.retained = ref(self)


def register_hook(self: Tensor, hook: Hook) -> RemovableHandle:
    """Call ``hook(grad)`` when this tensor's gradient is known; what it returns replaces it.

    Args:
        hook: takes the gradient, returns another or None.

    Returns:
        A handle whose ``remove()`` takes the hook off.

    Source: ``torch.Tensor.register_hook``.
    """
    require_gradient(self)
    return add_hook(self._grad_fn or self, "arriving", hook)


def register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], None]
) -> RemovableHandle:
    """Call ``hook(leaf)`` each time after ``backward`` has added to this leaf's ``grad``.

    Args:
        hook: takes the leaf; it may use and clear its ``grad``.

    Returns:
        A handle whose ``remove()`` takes the hook off.

    Raises:
        AutogradError: for a tensor that is no leaf.

    Source: ``torch.Tensor.register_post_accumulate_grad_hook``.
    """
    require_gradient(self)
    if self._grad_fn is not None:
        raise AutogradError(
            "only leaves have hooks that come after their grad was added to",
            got=str(self.type), fix="use register_hook", where=user_location_text(),
        )  # fmt: skip
    return add_hook(self, "after", hook)
