"""Functions that users hang on optimizers: around steps, and around checkpoints."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.frontend.guards.changes import announced_changes
from graphc.frontend.guards.containers import ObservableList
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.optim.optimizer import Optimizer

Hook = Callable[..., Any]


class Hooks(ObservableList[Hook]):
    """Hooks of one kind in the order in which they run; compiled steps notice changes."""

    def changed(self) -> None:
        """Let compiled steps look at the hooks again."""
        announced_changes.mark()

    def add(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Hang on a hook, behind the others or before them.

        Raises:
            ArgumentError: if it cannot be called.
        """
        if not callable(hook):
            raise ArgumentError(
                "a hook must be callable", got=type(hook).__name__, where=user_location_text()
            )
        entry = functools.partial(hook)  # an object of its own, also for the same hook twice
        self.insert(0 if prepend else len(self), entry)
        return RemovableHandle(self, entry)

    def replace(self, optimizer: Optimizer, value: Any) -> Any:
        """Call all with the optimizer and a value, which becomes what one returns."""
        for hook in [*self]:
            found = hook(optimizer, value)
            value = value if found is None else found
        return value


class RemovableHandle:
    """What registering a hook returns; ``remove`` takes the hook off again.

    Args:
        hooks: where it hangs.
        entry: its entry there.
    """

    def __init__(self, hooks: Hooks, entry: Hook) -> None:
        self._hooks, self._entry = hooks, entry

    def remove(self) -> None:
        """Take the hook off; nothing happens the second time."""
        if self._entry in self._hooks:
            self._hooks.remove(self._entry)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


before_any_step, after_any_step = Hooks(), Hooks()
"""The hooks of all optimizers."""


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before every step of every optimizer.

    Args:
        hook: see ``Optimizer.register_step_pre_hook``.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.optim.optimizer.register_optimizer_step_pre_hook``.
    """
    return before_any_step.add(hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after every step of every optimizer.

    Args:
        hook: what it returns is ignored.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.optim.optimizer.register_optimizer_step_post_hook``.
    """
    return after_any_step.add(hook)


def with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """A class's ``step`` between the hooks; those of a step inside another one do not run."""

    @functools.wraps(step)
    def wrapped(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        own = vars(self)  # written as a dict: whether a step goes on changes no compiled step
        before = [*before_any_step, *self._before_step]
        after = [*self._after_step, *after_any_step]
        if own.get("_is_stepping") or not (before or after):
            return step(self, *args, **kwargs)
        args = (self, *args)
        own["_is_stepping"] = True
        try:
            for hook in before:
                args, kwargs = _changed(hook(self, args, kwargs), args, kwargs)
            result = step(*args, **kwargs)
            for hook in after:
                hook(self, args, kwargs)
        finally:
            own["_is_stepping"] = False
        return result

    return wrapped


def _changed(found: Any, args: Any, kwargs: Any) -> Any:
    if found is None:
        return args, kwargs
    if not isinstance(found, tuple) or len(found) != 2:
        raise ArgumentError(
            "a hook before a step must return None, or the arguments and keyword arguments",
            got=repr(found), where=user_location_text(),
        )  # fmt: skip
    return found
