"""Compiled functions: a dynamic function, traced and compiled once per signature."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import AutogradError
from graphc.frontend.compile.backward import BackwardProgram
from graphc.frontend.compile.compiled_trace import CompiledTrace
from graphc.frontend.compile.fast_path import FastPath
from graphc.frontend.compile.options import CompileOptions
from graphc.frontend.compile.results import Results
from graphc.frontend.compile.session import make_plain_session, make_session
from graphc.frontend.compile.signature import Signature, difference, signature
from graphc.frontend.compile.trace_cache import CacheInfo, TraceCache
from graphc.frontend.compile.tracing import bound, signature_of, trace
from graphc.frontend.functions.creation import as_tensor
from graphc.frontend.guards.reads import tracking_reads
from graphc.frontend.modes import modes
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.recording.rollback import rolled_back_on_error
from graphc.frontend.structure import flatten
from graphc.frontend.tensor import Tensor
from graphc.runtime.sessions.session import Session

CACHE_SIZE = 32
"""How many signatures one compiled function keeps; the least recently used goes first."""


class CompiledFunction:
    """A function that runs as native code; made by ``gc.compile``.

    It is traced once per signature: shapes and dtypes of tensors, values of all other arguments,
    and the Python values that shaped the trace (a module's ``training``, an optimizer's options).
    """

    def __init__(self, function: Callable[..., Any], options: CompileOptions) -> None:
        functools.update_wrapper(self, function, updated=())  # a module's state is its own
        self.function = function
        self.options = options
        self._cache = TraceCache(CACHE_SIZE, self._difference)
        self._fast_path: FastPath | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as native code; inside a recording, record the function as part of it."""
        if kwargs:
            args, kwargs = self.arguments(args, kwargs)
        fast_path = self._fast_path
        if fast_path is not None and not kwargs:
            result = fast_path.run(args)
            if result is not NotImplemented:
                self._cache.direct_hits += 1
                return result
        if modes.recorder is not None:
            return self.function(*args, **kwargs)
        key, tensors = signature(args, kwargs)
        entry = self._entry(key, args, kwargs)
        self._fast_path = None if kwargs or modes.is_unusual else entry.fast_path
        return entry.call(tensors, args, kwargs)

    @functools.cached_property
    def _parameters(self) -> inspect.Signature:
        return signature_of(self.function)

    def entry(self, *args: Any, **kwargs: Any) -> CompiledTrace:
        """The traced and compiled form for these arguments; traces if there is none."""
        args, kwargs = self.arguments(args, kwargs)
        return self._entry(signature(args, kwargs)[0], args, kwargs)

    def arguments(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments in the order of the function's parameters, however the call spells them."""
        if not kwargs:
            return args, kwargs
        call = bound(self._parameters, args, kwargs)
        return call.args, call.kwargs

    def session(self, *args: Any, **kwargs: Any) -> Session:
        """The session that runs these arguments, e.g. for ``explain()``."""
        return self.entry(*args, **kwargs).session

    def cache_info(self) -> CacheInfo:
        """Hits, traces, kept signatures, and why each trace was needed."""
        return self._cache.info()

    def cache_clear(self) -> None:
        """Forget all traces; their sessions are freed when nobody holds them."""
        self._fast_path = None
        self._cache.clear()

    def __reduce__(self) -> str | tuple[Any, ...]:
        """A copy has traces of its own; a decorated function goes by its name, as others do."""
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (CompiledFunction, (self.function, self.options))

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """As a method: the function with its object, like any other method."""
        return self if instance is None else types.MethodType(self, instance)

    def _entry(self, key: Any, args: Any, kwargs: Any) -> CompiledTrace:
        return self._cache.find_or_make(key, lambda: self._trace(args, kwargs))

    def _difference(self, before: Signature, now: Signature) -> str:
        return difference(before, now, list(self._parameters.parameters))

    def _trace(self, args: Any, kwargs: Any) -> CompiledTrace:
        """Record one call and compile it; if that fails, everything is as before."""
        with tracking_reads() as reads:
            graph = trace(self.function, *args, **kwargs)
        recorder = graph.recorder
        with rolled_back_on_error(recorder), reads.settled():
            recorder.finish_guards()
            _, outputs, rebuild = flatten(graph.structure)
            grads = recorder.gradients.of_arguments
            results = graph.structure
            backward = self._backward_program(outputs, recorder)
            if grads or backward:
                results = {"output": results, "grad": {x.name: x.value for x in grads}}
            if backward:
                results["kept"] = backward.kept
            session = make_session(results, recorder.program, self.options)
        recorder.is_over = True
        tracked = [x._requires_grad for x in outputs]
        return CompiledTrace(graph, session, Results(tracked, rebuild, backward), reads)

    def _backward_program(
        self, outputs: list[Tensor], recorder: Recorder
    ) -> BackwardProgram | None:
        """The gradient of the results, unless the function has used up what it needs."""
        if not any(x._requires_grad for x in outputs):
            return None
        try:
            return BackwardProgram(
                outputs, recorder, recorder.program().updates,
                functools.partial(make_plain_session, options=self.options),
                self.function, functools.partial(CompiledFunction, options=self.options),
            )  # fmt: skip
        except AutogradError:
            return None


def as_arguments(args: Sequence[Any]) -> list[Any]:
    """Arrays as tensors, so that a dynamic function accepts what the compiled one does."""
    return [as_tensor(x) if isinstance(x, np.ndarray) else x for x in args]
