"""``gc.trace``: one call of a dynamic function, recorded as a graph."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DTypeLike, float32, of_array
from graphc.errors import FeedError
from graphc.frontend.base import TensorBase
from graphc.frontend.compile.host_tensor import HostTensor
from graphc.frontend.graph import Graph
from graphc.frontend.nn.module import Module
from graphc.frontend.recording.rollback import rolled_back_on_error
from graphc.frontend.structure import map_leaves
from graphc.provenance import user_location_text


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
        call = bound(signature_of(function), args, kwargs)
        for name, value in call.arguments.items():
            call.arguments[name] = map_leaves(value, name, functools.partial(_symbolic, graph))
        result = function(*call.args, **call.kwargs)
        graph.structure = map_leaves(result, "output", lambda name, leaf: leaf)
    with rolled_back_on_error(graph.recorder):
        graph.recorder.require_untouched_inputs()
    return graph


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """The parameters of a function or module, as Python knows them."""
    try:
        return inspect.signature(function.forward if isinstance(function, Module) else function)
    except ValueError:  # a builtin without a signature
        return inspect.signature(lambda *args, **kwargs: None)


def bound(parameters: inspect.Signature, args: Any, kwargs: Any) -> inspect.BoundArguments:
    """The arguments of a call beside the names of a function's parameters.

    Raises:
        FeedError: if they do not fit.
    """
    try:
        return parameters.bind(*args, **kwargs)
    except TypeError as error:
        raise FeedError(
            f"the arguments do not fit the function: {error}", where=user_location_text()
        ) from None


def _symbolic(graph: Graph, name: str, leaf: Any) -> Any:
    """What the function gets for one leaf of its arguments: mostly a placeholder."""
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
