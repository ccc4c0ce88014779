"""``gc.trace`` and compiled functions: a dynamic function, recorded and compiled per signature."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DTypeLike, float32, of_array
from graphc.errors import AutogradError, FeedError
from graphc.frontend.autograd.outside import OutsideBackward
from graphc.frontend.base import TensorBase
from graphc.frontend.compiling import (
    CompileOptions,
    make_plain_session,
    make_session,
)
from graphc.frontend.functions.creation import as_tensor
from graphc.frontend.graph import Graph
from graphc.frontend.guards.reads import tracking_reads
from graphc.frontend.host_tensor import HostTensor
from graphc.frontend.modes import modes
from graphc.frontend.nn.module import Module
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.recording.rollback import rolled_back_on_error
from graphc.frontend.signature import Signature, difference, signature
from graphc.frontend.structure import flatten, map_leaves
from graphc.frontend.tensor import Tensor
from graphc.frontend.trace_cache import CacheInfo, TraceCache
from graphc.frontend.traced import Traced
from graphc.provenance import user_location_text
from graphc.runtime.sessions.session import Session

CACHE_SIZE = 32
"""How many signatures one compiled function keeps; the least recently used goes first."""


@dataclass(frozen=True)
class TensorSpec:
    """What ``gc.trace`` takes in place of a tensor.

    Args:
        shape: sizes; None or a name for one that is known at run time.
        dtype: element type.
        name: the placeholder's name; default: the function's parameter name.
    """

    shape: Sequence[Size | str | None]
    dtype: DTypeLike = float32
    name: str | None = None


def trace(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Graph:
    """Record one call of a function.

    Args:
        function: the dynamic function.
        args: per parameter a ``TensorSpec``, a tensor or array (its shape and dtype count), a
            nested structure of these, or a plain Python value, which is fixed in the graph.
        kwargs: the same by keyword.

    Returns:
        The graph; its outputs have the structure of what the function returned.

    Raises:
        SymbolicValueError: if the function asks a tensor for its values.
        RecordingError: if the function writes one of its arguments in place.

    Example:
        >>> import graphc as gc
        >>> graph = gc.trace(lambda x: x * 2, gc.TensorSpec((3,)))
        >>> graph.compile(backend="numpy").run({"x": [1.0, 2.0, 3.0]})
        array([2., 4., 6.], dtype=float32)
    """
    graph = Graph()
    with graph:
        bound = _bind(_parameters(function), args, kwargs)
        for name, value in bound.arguments.items():
            bound.arguments[name] = map_leaves(value, name, functools.partial(_symbolic, graph))
        result = function(*bound.args, **bound.kwargs)
        graph.structure = map_leaves(result, "output", lambda name, leaf: leaf)
    with rolled_back_on_error(graph.recorder):
        graph.recorder.require_untouched_inputs()
    return graph


def _parameters(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function.forward if isinstance(function, Module) else function)
    except ValueError:  # a builtin without a signature
        return inspect.signature(lambda *args, **kwargs: None)


def _bind(parameters: inspect.Signature, args: Any, kwargs: Any) -> inspect.BoundArguments:
    try:
        return parameters.bind(*args, **kwargs)
    except TypeError as error:
        raise FeedError(
            f"the arguments do not fit the function: {error}", where=user_location_text()
        ) from None


def _symbolic(graph: Graph, name: str, leaf: Any) -> Any:
    if isinstance(leaf, TensorSpec):
        return graph.placeholder(leaf.shape, leaf.dtype, leaf.name or name)
    if isinstance(leaf, HostTensor):
        return leaf
    if isinstance(leaf, TensorBase):
        if leaf.is_state and leaf.node is None:  # a parameter or buffer: read and updated in place
            return leaf
        if leaf.node is None:
            graph.recorder.arguments[id(leaf.storage.array)] = name
        return graph.placeholder(leaf.shape, leaf.dtype, name, leaf._requires_grad)
    if isinstance(leaf, np.ndarray):
        return graph.placeholder(leaf.shape, of_array(leaf), name)
    return leaf


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
        self._last: Traced | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as native code; inside a recording, record the function as part of it."""
        if kwargs:
            args, kwargs = self.arguments(args, kwargs)
        last = self._last
        if last is not None and not kwargs:
            result = last.again(args)
            if result is not NotImplemented:
                self._cache.direct_hits += 1
                return result
        if modes.recorder is not None:
            return self.function(*args, **kwargs)
        key, tensors = signature(args, kwargs)
        entry = self._entry(key, args, kwargs)
        self._last = None if kwargs or modes.is_unusual else entry
        return entry.call(tensors, args, kwargs)

    @functools.cached_property
    def _parameters(self) -> inspect.Signature:
        return _parameters(self.function)

    def entry(self, *args: Any, **kwargs: Any) -> Traced:
        """The traced and compiled form for these arguments; traces if there is none."""
        args, kwargs = self.arguments(args, kwargs)
        return self._entry(signature(args, kwargs)[0], args, kwargs)

    def arguments(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments in the order of the function's parameters, however the call spells them."""
        if not kwargs:
            return args, kwargs
        bound = _bind(self._parameters, args, kwargs)
        return bound.args, bound.kwargs

    def session(self, *args: Any, **kwargs: Any) -> Session:
        """The session that runs these arguments, e.g. for ``explain()``."""
        return self.entry(*args, **kwargs).session

    def cache_info(self) -> CacheInfo:
        """Hits, traces, kept signatures, and why each trace was needed."""
        return self._cache.info()

    def cache_clear(self) -> None:
        """Forget all traces; their sessions are freed when nobody holds them."""
        self._last = None
        self._cache.clear()

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """As a method: the function with its object, like any other method."""
        return self if instance is None else types.MethodType(self, instance)

    def _entry(self, key: Any, args: Any, kwargs: Any) -> Traced:
        return self._cache.find_or_make(key, lambda: self._trace(args, kwargs))

    def _difference(self, before: Signature, now: Signature) -> str:
        return difference(before, now, list(self._parameters.parameters))

    def _trace(self, args: Any, kwargs: Any) -> Traced:
        with tracking_reads() as reads:
            graph = trace(self.function, *args, **kwargs)
        recorder = graph.recorder
        with rolled_back_on_error(recorder), reads.settled():
            recorder.finish_guards()
            _, outputs, rebuild = flatten(graph.structure)
            grads = recorder.argument_grads
            results = graph.structure
            outside = self._outside(outputs, recorder)
            if grads or outside:
                results = {"output": results, "grad": {x.name: x.value for x in grads}}
            if outside:
                results["kept"] = outside.kept
            session = make_session(results, recorder.program, self.options)
        recorder.is_over = True
        tracked = [x._requires_grad for x in outputs]
        return Traced(graph, session, tracked, rebuild, reads, outside)

    def _outside(self, outputs: list[Tensor], recorder: Recorder) -> OutsideBackward | None:
        """The gradient of the results, unless the function has used up what it needs."""
        if not any(x._requires_grad for x in outputs):
            return None
        try:
            return OutsideBackward(
                outputs, recorder, recorder.program().updates,
                functools.partial(make_plain_session, options=self.options),
                self.function, functools.partial(CompiledFunction, options=self.options),
            )  # fmt: skip
        except AutogradError:
            return None


def as_arguments(args: Sequence[Any]) -> list[Any]:
    """Arrays as tensors, so that a dynamic function accepts what the compiled one does."""
    return [as_tensor(x) if isinstance(x, np.ndarray) else x for x in args]
