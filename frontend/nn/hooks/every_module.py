"""Hooks of all modules of the process: around their calls, and where something is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.frontend.guards.observed import Observed
from graphc.frontend.nn.hooks.hook import Hook, HookDict, Kind, RemovableHandle, add_hook, hooks_of


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
