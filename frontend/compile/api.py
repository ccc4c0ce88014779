"""``gc.compile``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from graphc.errors import ArgumentTypeError
from graphc.frontend.compile.function import CompiledFunction
from graphc.frontend.compile.module import compiled_module
from graphc.frontend.compile.options import CompileOptions, Numerics, OptLevel
from graphc.frontend.nn.module import Module
from graphc.provenance import user_location_text


def compile(
    function: Callable[..., Any] | None = None,
    *,
    backend: str = "llvm",
    optimize: OptLevel = "O2",
    disable: Iterable[str] = (),
    threads: int | None = None,
    numerics: Numerics = "strict",
) -> Any:
    """Make a function or a module run as one compiled graph per signature; the same code, traced.

    Args:
        function: takes tensors, arrays, nested structures of them, and plain Python values. It
            may read and update parameters, buffers, optimizer state and random numbers. Or a
            module, whose calls are such a function.
        backend: ``"llvm"`` or ``"numpy"``.
        optimize: ``"O0"``, ``"O1"`` or ``"O2"``.
        disable: names of passes to leave out.
        threads: how many threads native code may use.
        numerics: ``"strict"``, ``"stable"`` or ``"fast"``.

    Returns:
        A ``CompiledFunction`` with the same arguments, which returns tensors; for a module: a
        ``CompiledModule``, which shares everything with it. Without ``function``: a decorator.
        ``cache_info()`` of the result tells how often it was traced, and why.

    Raises:
        ArgumentError: for an unknown backend, level, pass or numerics.
        ArgumentTypeError: for what is no function, for generators and coroutines.

    Source: ``torch.compile``.

    Example:
        >>> import graphc as gc
        >>> double = gc.compile(lambda x: x * 2, backend="numpy")
        >>> double(gc.tensor([1.0, 2.0]))
        tensor([2., 4.])
        >>> model = gc.compile(gc.nn.Linear(2, 1), backend="numpy")
        >>> model(gc.ones(3, 2)).sum().backward()
        >>> model.weight.grad
        tensor([[3., 3.]])
    """
    options = CompileOptions(backend, optimize, disable, threads, numerics)
    if function is None:
        return lambda wrapped: _compiled(wrapped, options)
    return _compiled(function, options)


def _compiled(function: Callable[..., Any], options: CompileOptions) -> Any:
    if isinstance(function, Module):
        _require_function(function.forward)
        return compiled_module(function, options)
    _require_function(function)
    return CompiledFunction(function, options)


def _require_function(function: object) -> None:
    """Raise ArgumentTypeError for what is no function, or would run after its trace only."""
    if not callable(function):
        raise ArgumentTypeError(
            "compile: expected a function or a module", got=type(function).__name__,
            where=user_location_text(),
        )  # fmt: skip
    kinds = (
        inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction,
    )  # fmt: skip
    if any(is_kind(function) for is_kind in kinds):
        raise ArgumentTypeError(
            "compile: a generator or coroutine runs after the call that is traced",
            got=getattr(function, "__name__", repr(function)),
            fix="compile the functions that it calls, or return a list",
            where=user_location_text(),
        )
