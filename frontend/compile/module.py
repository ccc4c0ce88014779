"""``gc.compile(model)``: a module whose calls run as native code."""

from __future__ import annotations

from typing import Any, ClassVar

from graphc.frontend.compile.function import CompiledFunction
from graphc.frontend.compile.options import CompileOptions
from graphc.frontend.compile.trace_cache import CacheInfo
from graphc.frontend.nn.module import Module
from graphc.runtime.sessions.session import Session


class CompiledModule(Module):
    """The same module under another hat: calling it runs compiled code.

    It is an instance of the module's class and has the very same attributes, so parameters,
    ``state_dict`` keys, ``train()`` and everything else are those of the module, and a change of
    one is a change of both.
    """

    _function: ClassVar[tuple[CompiledFunction]]
    """In a tuple, or it would be a method."""

    def compiled_function(self) -> CompiledFunction:
        """What calls the module; it belongs to the class, since attributes are the module's."""
        return self._function[0]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the module as native code; inside a recording, as part of it."""
        return self.compiled_function()(*args, **kwargs)

    def session(self, *args: Any, **kwargs: Any) -> Session:
        """The session that runs these arguments, e.g. for ``explain()``."""
        return self.compiled_function().session(*args, **kwargs)

    def cache_info(self) -> CacheInfo:
        """Hits, traces, kept signatures, and why each trace was needed."""
        return self.compiled_function().cache_info()

    def cache_clear(self) -> None:
        """Forget all traces; their sessions are freed when nobody holds them."""
        self.compiled_function().cache_clear()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is the compiled form of a copy of the module."""
        compiled = self.compiled_function()
        return compiled_module, (compiled.function, compiled.options)


def compiled_module(module: Module, options: CompileOptions) -> Module:
    """The module with calls that run as native code.

    Args:
        module: what it shares everything with.
        options: how to compile it.
    """
    kind = type(module)
    members = {"_function": (CompiledFunction(module, options),), "__module__": kind.__module__}
    made = type(kind.__name__, (CompiledModule, kind), members)
    result: Module = object.__new__(made)
    object.__setattr__(result, "__dict__", module.__dict__)
    return result
