"""Functions that users hang on tensors and on steps of the tape, to see and change gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from graphc.errors import AutogradError
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.autograd.tape import GradFn
    from graphc.frontend.tensor import Tensor

Grads = tuple[Union["Tensor", None], ...]
"""One gradient per input or output of a step; None where there is none."""


class Hooks(NamedTuple):
    """The hooks of one tensor or step, in the order in which they came.

    A change makes another object, so that compiled functions notice it.

    Attributes:
        arriving: take a tensor's complete gradient; what they return replaces it.
        before: of a step, before its rule: take the gradients of its outputs.
        after: of a step, after its rule: take the gradients of its inputs and outputs. Of a leaf,
            after its ``grad`` was added to: take the leaf.
    """

    arriving: tuple[Callable[[Tensor], Tensor | None], ...] = ()
    before: tuple[Callable[[Grads], Any], ...] = ()
    after: tuple[Callable[..., Any], ...] = ()


class RemovableHandle:
    """What registering a hook returns; ``remove`` takes the hook off again.

    Args:
        owner: a tensor or a step.
        kind: the field of ``Hooks``.
        hook: the function.
    """

    def __init__(self, owner: Tensor | GradFn, kind: str, hook: Callable[..., Any]) -> None:
        self._owner, self._kind, self._hook = owner, kind, hook

    def remove(self) -> None:
        """Take the hook off; nothing happens the second time."""
        hooks = self._owner._hooks
        if hooks is None:
            return
        kept = list(getattr(hooks, self._kind))
        if self._hook in kept:
            kept.remove(self._hook)
            fewer = hooks._replace(**{self._kind: tuple(kept)})
            self._owner._hooks = fewer if any(fewer) else None

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def add_hook(owner: Tensor | GradFn, kind: str, hook: Callable[..., Any]) -> RemovableHandle:
    """Hang a hook on a tensor or step.

    Args:
        owner: the tensor or step.
        kind: the field of ``Hooks``.
        hook: the function.

    Raises:
        AutogradError: if it cannot be called.
    """
    if not callable(hook):
        raise AutogradError(
            "a hook must be callable", got=type(hook).__name__, where=user_location_text()
        )
    hooks = owner._hooks or Hooks()
    owner._hooks = hooks._replace(**{kind: (*getattr(hooks, kind), hook)})
    return RemovableHandle(owner, kind, hook)


def arrived_at(hooks: Hooks | None, grad: Tensor) -> Tensor:
    """A tensor's complete gradient after its hooks."""
    for hook in () if hooks is None else hooks.arriving:
        changed = hook(grad)
        if changed is not None:
            grad = _same_type(changed, grad)
    return grad


def before_rule(hooks: Hooks | None, grads: Grads) -> Grads:
    """The gradients of a step's outputs after the hooks that come before its rule."""
    for hook in () if hooks is None else hooks.before:
        grads = replaced(hook(grads), grads)
    return grads


def after_rule(hooks: Hooks | None, inputs: Grads, outputs: Grads) -> Grads:
    """The gradients of a step's inputs after the hooks that come after its rule."""
    for hook in () if hooks is None else hooks.after:
        inputs = replaced(hook(inputs, outputs), inputs)
    return inputs


def after_accumulation(leaf: Tensor) -> None:
    """Call the hooks of a leaf whose ``grad`` was added to.

    Raises:
        AutogradError: if one returns something, which nobody would read.
    """
    for hook in () if leaf._hooks is None else leaf._hooks.after:
        found = hook(leaf)
        if found is not None:
            raise AutogradError(
                "a hook that comes after a grad was added to must return None",
                got=type(found).__name__, where=user_location_text(),
            )  # fmt: skip


def replaced(found: Any, grads: Grads) -> Grads:
    """What a hook of a step returned, in place of what it was given.

    Raises:
        AutogradError: if it does not fit.
    """
    if found is None:
        return grads
    if not isinstance(found, tuple) or len(found) != len(grads):
        raise AutogradError(
            "a hook of a step must return None or a tuple of as many gradients as it was given",
            got=f"{len(found)} gradients" if isinstance(found, tuple) else type(found).__name__,
            expected=str(len(grads)), where=user_location_text(),
        )  # fmt: skip
    return tuple(
        None if new is None else _same_type(new, old) for new, old in zip(found, grads, strict=True)
    )


def _same_type(changed: Tensor, grad: Tensor | None) -> Tensor:
    if grad is None or getattr(changed, "type", None) != grad.type:
        raise AutogradError(
            "a hook changed the type of a gradient",
            got=str(getattr(changed, "type", type(changed).__name__)),
            expected="None" if grad is None else str(grad.type),
            where=user_location_text(),
        )
    return changed
