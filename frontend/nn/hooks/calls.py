"""Calls of modules that have hooks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.frontend.base import is_tensor
from graphc.frontend.nn.hooks.backward import BackwardHooks
from graphc.frontend.nn.hooks.every_module import every_module
from graphc.frontend.nn.hooks.hook import Hook, Kind
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.nn.module import Module


def call_hooked(module: Module, /, *args: Any, **kwargs: Any) -> Any:
    """Call ``module.forward`` with the hooks of all modules and its own around it."""
    call = _Call(module, args, kwargs)
    try:
        return call.run()
    except Exception:
        call.run_remaining()
        raise


class _Call:
    """One call; it knows which hooks have run.

    Args:
        module: what is called.
        args: its arguments, which hooks may replace.
        kwargs: the same.
    """

    def __init__(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._module, self._args, self._kwargs = module, args, kwargs
        self._result: Any = None
        self._started: list[Hook] = []

    def _hooks(self, kind: Kind) -> list[Hook]:
        own, common = self._module._call_hooks, every_module.calls
        if not common:
            return [hook for hook in own.values() if hook.kind == kind]
        return [hook for hook in (*common.values(), *own.values()) if hook.kind == kind]

    def run(self) -> Any:
        """The result of ``forward``, or what hooks made of it."""
        for hook in self._hooks("forward_pre"):
            self._before(hook)
        backward = None
        pre, full = self._hooks("backward_pre"), self._hooks("backward")
        if pre or full:
            backward = BackwardHooks(
                self._module, [each.function for each in full], [each.function for each in pre]
            )
            self._args = backward.at_inputs(self._args)
        self._result = self._module.forward(*self._args, **self._kwargs)
        for hook in self._hooks("forward"):
            self._started.append(hook)
            self._after(hook)
        if backward is not None:
            if not is_tensor(self._result) and not isinstance(self._result, tuple):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple "
                    f"of Tensors but received {type(self._result)}",
                    stacklevel=4,
                )
            self._result = backward.at_outputs(self._result)
        return self._result

    def run_remaining(self) -> None:
        """Call the hooks that are always called and did not run; their errors become warnings."""
        for hook in self._hooks("forward"):
            if not hook.always_call or any(hook is each for each in self._started):
                continue
            try:
                self._after(hook)
            except Exception as error:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was "
                    f"silenced as another error was raised in forward: {error}",
                    stacklevel=4,
                )

    def _before(self, hook: Hook) -> None:
        if not hook.with_kwargs:
            found = hook.function(self._module, self._args)
            if found is not None:
                self._args = found if isinstance(found, tuple) else (found,)
            return
        found = hook.function(self._module, self._args, self._kwargs)
        if found is None:
            return
        if not isinstance(found, tuple) or len(found) != 2:
            raise ArgumentError(
                "a forward pre-hook with keyword arguments must return None or a tuple of "
                "arguments and keyword arguments",
                got=repr(found), where=user_location_text(),
            )  # fmt: skip
        self._args, self._kwargs = found

    def _after(self, hook: Hook) -> None:
        given = (self._args, self._kwargs) if hook.with_kwargs else (self._args,)
        found = hook.function(self._module, *given, self._result)
        if found is not None:
            self._result = found
