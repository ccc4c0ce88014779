"""Hooks of modules: where they are kept, and the handle that takes one off again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple
from weakref import ref

from graphc.errors import ArgumentTypeError
from graphc.frontend.guards.observed import OwnedDict
from graphc.provenance import user_location_text

Kind = Literal[
    "forward", "forward_pre", "backward", "backward_pre",
    "state_dict", "state_dict_pre", "state_dict_post", "load_state_dict_pre",
    "load_state_dict_post", "parameter", "buffer", "module",
]  # fmt: skip
"""When a hook is called; ``state_dict`` is the older form of ``state_dict_post``, which may return
another state, and the last three are called when something is registered."""


class Hook(NamedTuple):
    """A function that a user hung on a module, or on all modules.

    Attributes:
        kind: when it is called.
        function: what is called.
        with_kwargs: whether it takes the keyword arguments of the call, too.
        always_call: whether it is also called when the call raises.
    """

    kind: Kind
    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


class _Ever:
    """Whether any module of this process ever had a hook; else calls need not look for one."""

    hooked = False


ever = _Ever()


class HookDict(OwnedDict[Hook]):
    """Hooks by name, in the order of their calls; compiled functions notice every change."""

    def changed(self) -> None:
        """Note a change."""
        ever.hooked = True
        super().changed()


_count = itertools.count()


class RemovableHandle:
    """What registering a hook returns; ``remove`` takes the hook off again.

    As a context manager it takes the hook off at the end of the block. It keeps no module alive.

    Args:
        hooks: where the hook is.
        name: its key there.

    Source: ``torch.utils.hooks.RemovableHandle``.
    """

    def __init__(self, hooks: HookDict, name: str) -> None:
        self._hooks, self._name = ref(hooks), name

    def remove(self) -> None:
        """Take the hook off; nothing happens the second time."""
        hooks = self._hooks()
        if hooks is not None and self._name in hooks:
            del hooks[self._name]

    def __getstate__(self) -> tuple[HookDict | None, str]:
        return self._hooks(), self._name

    def __setstate__(self, state: tuple[HookDict | None, str]) -> None:
        hooks, self._name = state
        self._hooks = ref(HookDict() if hooks is None else hooks)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def add_hook(hooks: HookDict, hook: Hook, prepend: bool = False) -> RemovableHandle:
    """Keep a hook.

    Args:
        hooks: where.
        hook: the hook.
        prepend: call it before those that are there.

    Raises:
        ArgumentTypeError: if it cannot be called.
    """
    if not callable(hook.function):
        raise ArgumentTypeError(
            "a hook must be callable", got=type(hook.function).__name__, where=user_location_text()
        )
    name = f"{hook.kind} hook {next(_count)}"
    before = dict(hooks) if prepend else {}
    hooks[name] = hook
    for key, value in before.items():
        del hooks[key]
        hooks[key] = value
    return RemovableHandle(hooks, name)


def hooks_of(hooks: HookDict, kind: Kind) -> list[Hook]:
    """The hooks of one kind; a copy, since hooks may take themselves off."""
    return [hook for hook in hooks.values() if hook.kind == kind] if hooks else []
