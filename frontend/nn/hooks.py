"""Hooks of modules: where they are kept, and the handle that takes one off again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple
from weakref import ref

from graphc.errors import ArgumentTypeError
from graphc.frontend.guards.observed import Observed, OwnedDict
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


class EveryModule(Observed):
    """The hooks of all modules.

    Attributes:
        calls: those around calls.
        registration: those that see what is registered.
    """

    calls: HookDict
    registration: HookDict

    def __init__(self) -> None:
        self.calls, self.registration = HookDict(), HookDict()


every_module = EveryModule()


def registered(kind: Kind, module: object, name: str, value: Any) -> Any:
    """What is registered, after the hooks of all modules have seen it and perhaps replaced it."""
    for hook in hooks_of(every_module.registration, kind):
        replaced = hook.function(module, name, value)
        value = value if replaced is None else replaced
    return value


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before the ``forward`` of every module.

    Args:
        hook: what it returns, if it is not None, are the arguments instead.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.nn.modules.module.register_module_forward_pre_hook``.
    """
    return add_hook(every_module.calls, Hook("forward_pre", hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the ``forward`` of every module.

    Args:
        hook: what it returns, if it is not None, is the output instead.
        with_kwargs: call ``hook(module, args, kwargs, output)``.
        always_call: call it also when ``forward`` raises.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.nn.modules.module.register_module_forward_hook``.
    """
    return add_hook(every_module.calls, Hook("forward", hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before gradients go through any module.

    Args:
        hook: what it returns, if it is not None, are the gradients of the outputs instead.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.nn.modules.module.register_module_full_backward_pre_hook``.
    """
    return add_hook(every_module.calls, Hook("backward_pre", hook))


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after gradients went through any module.

    Args:
        hook: what it returns, if it is not None, are the gradients of the inputs instead.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.nn.modules.module.register_module_full_backward_hook``.
    """
    return add_hook(every_module.calls, Hook("backward", hook))


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` when any module gets a parameter.

    Args:
        hook: what it returns, if it is not None, is the parameter instead.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.nn.modules.module.register_module_parameter_registration_hook``.
    """
    return add_hook(every_module.registration, Hook("parameter", hook))


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` when any module gets a buffer.

    Args:
        hook: what it returns, if it is not None, is the buffer instead.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.nn.modules.module.register_module_buffer_registration_hook``.
    """
    return add_hook(every_module.registration, Hook("buffer", hook))


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` when any module gets a module.

    Args:
        hook: what it returns, if it is not None, is the module instead.

    Returns:
        A handle whose ``remove`` takes the hook off.

    Source: ``torch.nn.modules.module.register_module_module_registration_hook``.
    """
    return add_hook(every_module.registration, Hook("module", hook))
