"""``backward`` and ``grad`` in both executions, hooks and kept gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from graphc.errors import AutogradError, ShapeError
from graphc.frontend.autograd.engine import accumulate, run_backward
from graphc.frontend.autograd.hooks import RemovableHandle, add_hook
from graphc.frontend.base import TensorBase, concrete
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.recorder import Recorder
    from graphc.frontend.tensor import Tensor

Hook = Callable[["Tensor"], "Tensor | None"]


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
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
    start = _start(self, gradient)
    recorder = _recorder_of([self])
    keep = create_graph if retain_graph is None else retain_graph
    found = run_backward(
        [self], [start], inputs=inputs, retain_graph=keep, create_graph=create_graph,
        recorder=recorder,
    )  # fmt: skip
    for x in inputs or ():
        if id(x) in found:
            accumulate(x, found[id(x)], create_graph, recorder)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of outputs with respect to inputs; ``grad`` stays untouched.

    Args:
        outputs: tensor or tensors.
        inputs: tensor or tensors.
        grad_outputs: one gradient per output; may be left out for outputs of one element.
        retain_graph: keep what a second walk needs; default: ``create_graph``.
        create_graph: let the gradients themselves have gradients.
        allow_unused: accept inputs that the outputs do not depend on; their gradient is None.
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
    ends = [outputs] if isinstance(outputs, TensorBase) else list(outputs)
    wanted = [inputs] if isinstance(inputs, TensorBase) else list(inputs)
    if grad_outputs is None:
        starts: list[Any] = [None] * len(ends)
    else:
        starts = [grad_outputs] if isinstance(grad_outputs, TensorBase) else list(grad_outputs)
    if len(starts) != len(ends):
        raise AutogradError(
            "one grad_output per output", got=f"{len(starts)} for {len(ends)} outputs",
            where=user_location_text(),
        )  # fmt: skip
    found = _gradients(ends, wanted, starts, retain_graph, create_graph)
    for position, (x, result) in enumerate(zip(wanted, found, strict=True)):
        if result is None and materialize_grads:
            found[position] = x * 0
        elif result is None and not allow_unused:
            raise AutogradError(
                f"input {position} was not used to compute the outputs",
                got=str(x.type),
                fix="allow_unused=True gives None for it",
                where=user_location_text(),
            )
    return tuple(found)


def _gradients(
    ends: list[Tensor], wanted: list[Tensor], starts: list[Any], retain_graph: bool | None,
    create_graph: bool,
) -> list[Tensor | None]:  # fmt: skip
    for x in (*ends, *wanted):
        _require_gradient(x)
    keep = create_graph if retain_graph is None else retain_graph
    grads = [_start(end, start) for end, start in zip(ends, starts, strict=True)]
    by_id = run_backward(
        ends, grads, inputs=wanted, retain_graph=keep, create_graph=create_graph,
        recorder=_recorder_of([*ends, *wanted]),
    )  # fmt: skip
    return [by_id.get(id(x)) for x in wanted]


def _recorder_of(tensors: list[Tensor]) -> Recorder | None:
    """What a walk from or to these tensors is recorded into; all of them must belong there."""
    recorder = modes.recorder or next((x.recorder for x in tensors if x.recorder), None)
    if recorder is not None:
        for x in tensors:
            recorder.node_of(x)
    return recorder


def _require_gradient(x: Tensor) -> None:
    if not x.requires_grad:
        raise AutogradError(
            "the tensor does not require a gradient, and nothing it was made from does",
            got=str(x.type),
            fix="set requires_grad=True on what you differentiate by; check no_grad() and detach()",
            where=user_location_text(),
        )


def _require_start(output: Tensor, gradient: Tensor | None) -> None:
    if gradient is None and output.dtype.is_complex:
        raise AutogradError(
            "a gradient can be left out only for a real tensor",
            got=str(output.type),
            fix="make it real first, e.g. .abs() or .real, or pass the gradient",
            where=user_location_text(),
        )
    if gradient is None and output.numel() != 1:
        raise AutogradError(
            "a gradient can be left out only for a tensor of one element",
            got=str(output.type),
            fix="reduce it first, e.g. .sum(), or pass the gradient",
            where=user_location_text(),
        )
    if gradient is not None and gradient.shape != output.shape:
        raise ShapeError(
            "the gradient must have the shape of its tensor",
            got=str(gradient.type),
            expected=str(output.type),
            where=user_location_text(),
        )
    if gradient is not None and gradient.dtype is not output.dtype:
        raise AutogradError(
            "the gradient must have the dtype of its tensor",
            got=str(gradient.type),
            expected=str(output.type),
            where=user_location_text(),
        )


def _start(output: Tensor, gradient: Tensor | None) -> Tensor:
    _require_gradient(output)
    _require_start(output, gradient)
    if gradient is not None:
        return gradient
    return concrete(np.ones(output.shape, output.dtype.numpy))


def retain_grad(self: Tensor) -> None:
    """Make ``backward`` set ``grad`` of this result too (``torch.Tensor.retain_grad``)."""
    _require_gradient(self)
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
    _require_gradient(self)
    return add_hook(self._grad_fn or self, "arriving", hook)


def backward_all(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of several tensors to the leaves' ``grad`` (``torch.autograd.backward``).

    Args:
        tensors: tensor or tensors.
        grad_tensors: one gradient per tensor; may be left out for tensors of one element.
        retain_graph: keep what a second backward needs.
        create_graph: let the gradients themselves have gradients.
        inputs: only these tensors' ``grad``.
    """
    ends = [tensors] if isinstance(tensors, TensorBase) else list(tensors)
    starts = [grad_tensors] if isinstance(grad_tensors, TensorBase) else list(grad_tensors or ())
    starts += [None] * (len(ends) - len(starts))
    for position, (end, start) in enumerate(zip(ends, starts, strict=True)):
        last = position == len(ends) - 1
        backward(end, start, retain_graph if last else True, create_graph, inputs)
