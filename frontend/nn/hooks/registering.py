"""The methods of modules that register hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.frontend.nn.attributes import Attributes
from graphc.frontend.nn.hooks.hook import Hook, RemovableHandle, add_hook


class _WithoutModule:
    """A hook that does not take the module.

    Args:
        hook: the hook.
    """

    def __init__(self, hook: Callable[..., Any]) -> None:
        self._hook = hook

    def __call__(self, module: Attributes, *args: Any) -> Any:
        return self._hook(*args)


class HookMethods(Attributes):
    """Functions that users hang on a module; compiled functions notice them, and are traced again.

    While a function is recorded, hooks see symbolic tensors, and what they compute becomes part of
    the program.
    """

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``.

        Args:
            hook: what it returns, if it is not None, are the arguments instead: a tuple, or one.
            prepend: call it before the other hooks of this module.
            with_kwargs: call ``hook(module, args, kwargs)``, which returns None or both anew.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_forward_pre_hook``.
        """
        return add_hook(self._call_hooks, Hook("forward_pre", hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:  # fmt: skip
        """Call ``hook(module, args, output)`` after ``forward``.

        Args:
            hook: what it returns, if it is not None, is the output instead.
            prepend: call it before the other hooks of this module.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it also when ``forward`` raises.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_forward_hook``.

        Example:
            >>> import graphc as gc
            >>> from graphc import nn
            >>> layer = nn.Flatten(0)
            >>> with layer.register_forward_hook(lambda module, args, output: output * 10):
            ...     print(layer(gc.ones(1, 2)))
            tensor([10., 10.])
        """
        return add_hook(self._call_hooks, Hook("forward", hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before gradients go through the module.

        Args:
            hook: takes one gradient per output, None for what has none; what it returns, if it
                is not None, are the gradients instead.
            prepend: call it before the other hooks of this module.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_full_backward_pre_hook``.
        """
        return add_hook(self._call_hooks, Hook("backward_pre", hook), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after gradients went through the module.

        Args:
            hook: takes one gradient per positional argument and per output, None for what has
                none; what it returns, if it is not None, are the gradients of the arguments
                instead.
            prepend: call it before the other hooks of this module.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_full_backward_hook``.
        """
        return add_hook(self._call_hooks, Hook("backward", hook), prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict`` collects this module.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_state_dict_pre_hook``.
        """
        return add_hook(self._state_dict_hooks, Hook("state_dict_pre", hook))

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after ``state_dict``.

        Args:
            hook: may change ``state_dict`` in place, and returns None.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_state_dict_post_hook``.
        """
        return add_hook(self._state_dict_hooks, Hook("state_dict_post", hook))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Like ``register_state_dict_post_hook``; ``hook`` may return another state."""
        return add_hook(self._state_dict_hooks, Hook("state_dict", hook))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a hook before ``load_state_dict`` loads this module.

        Args:
            hook: ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
                unexpected_keys, error_msgs)`` may change these in place.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_load_state_dict_pre_hook``.
        """
        return add_hook(self._state_dict_hooks, Hook("load_state_dict_pre", hook))

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """Like ``register_load_state_dict_pre_hook``; ``hook`` gets no module by default."""
        return self.register_load_state_dict_pre_hook(hook if with_module else _WithoutModule(hook))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after ``load_state_dict`` loaded this module.

        Args:
            hook: may change both lists in place; what it takes out is no error, though strict.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.nn.Module.register_load_state_dict_post_hook``.
        """
        return add_hook(self._state_dict_hooks, Hook("load_state_dict_post", hook))
