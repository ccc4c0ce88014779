"""Compiled programs on disk: a process that meets a known program neither optimizes nor plans.

A file holds the optimized graph, the plan, what the passes did, and what the backend made of the
plan. The memory of variables, large constants and the user's places stay outside: a program is
loaded for the graph that asks for it, which has them.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import graphc.node
from graphc.config import CHECK
from graphc.errors import GraphcError
from graphc.fingerprint import fingerprint
from graphc.graph import Graph, topological
from graphc.literal import INTERN_LIMIT, Literal
from graphc.provenance import NOWHERE, Origin, add_origins, made_for, ordered_origins
from graphc.runtime.disk_cache import PROGRAM, DiskCache, graphc_version
from graphc.runtime.plan import Buffer, Plan, Step
from graphc.runtime.program_places import UNKNOWN, PlaceName, Places, with_bodies
from graphc.storage import HostValue, Storage


@dataclass(frozen=True, slots=True)
class Program:
    """What is known of a graph once it is compiled.

    Args:
        graph: the optimized graph.
        passes: what the optimizer did.
        plan: the plan.
        made: what the backend's ``prepare`` need not make again.
    """

    graph: Graph
    passes: Sequence[Any]
    plan: Plan
    made: Any


def program_key(graph: Graph, optimize: Callable[..., Any], *others: object) -> str | None:
    """The name of a graph's program, or None if it has none that another process can find.

    Args:
        graph: the graph, with all sizes known.
        optimize: a function of a module, or a partial one with options by name.
        others: whatever else decides what becomes of the graph; their ``repr`` counts.
    """
    function, options = optimize, {}
    if isinstance(optimize, functools.partial):
        function, options = optimize.func, optimize.keywords
        if optimize.args:
            return None
    name = f"{function.__module__}.{function.__qualname__}"
    shape = fingerprint(graph)
    if shape is None or "<" in name or CHECK.number():
        return None
    sources = _sources(function.__module__)
    content = repr((shape, name, sorted(options.items()), sources, graphc_version(), others))
    return hashlib.sha256(content.encode()).hexdigest()


@functools.cache
def _sources(module: str) -> str:
    """A hash of the state of the sources that make programs, for those who change them."""
    files = (graphc.node.__file__, __file__, sys.modules[module].__file__)
    states = []
    for top in sorted({os.path.dirname(file) for file in files if file}):
        for folder, subfolders, names in os.walk(top):  # rglob takes three times as long
            subfolders.sort()
            for name in sorted(names):
                if name.endswith(".py"):
                    status = os.stat(os.path.join(folder, name))
                    states.append((name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(states).encode()).hexdigest()


def store(cache: DiskCache, key: str, source: Graph, places: Places, program: Program) -> None:
    """Keep a program; one that cannot be written is not kept.

    Args:
        cache: where.
        key: its name.
        source: the recorded graph.
        places: the places of the recorded graph before it was optimized.
        program: what to keep.
    """
    buffer = io.BytesIO()
    placed: list[Step | Buffer] = [*program.plan.steps, *program.plan.buffers]
    nodes = with_bodies(topological([*program.graph.nodes, *(item.node for item in placed)]))
    pickler = _Pickler(buffer, _outside(source), places)
    origins = [
        [origin for origin in ordered_origins(node) if places.name(origin)] for node in nodes
    ]
    try:
        # nodes first, operands before users: what refers to them later needs no recursion
        pickler.dump((nodes, origins, program.graph, program.passes, program.plan, program.made))
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError):
        return
    cache.put(key, buffer.getvalue(), PROGRAM)


def load(cache: DiskCache, key: str, source: Graph, places: Places) -> Program | None:
    """The program kept for a graph like this one, with this one's variables and places."""
    content = cache.get(key, PROGRAM)
    if content is None:
        return None
    unpickler = _Unpickler(io.BytesIO(content), _outside(source), places)
    try:
        with made_for(NOWHERE):
            nodes, origins, *parts = unpickler.load()
    except (pickle.UnpicklingError, GraphcError, AttributeError, ImportError, EOFError, TypeError,
            ValueError, IndexError, KeyError):  # fmt: skip
        return None
    for node, found in zip(nodes, origins, strict=True):
        for origin in found:
            add_origins(node, frozenset((origin,)) - {UNKNOWN})
    return Program(*parts)


def _outside(graph: Graph) -> list[Any]:
    """What stays outside of files: sources of variables, large constants and their arrays."""
    things: list[Any] = [node.attrs["source"] for node in graph.variables]
    for node in graph.nodes:
        value = node.attrs.get("value")
        if isinstance(value, Literal) and value.array.nbytes > INTERN_LIMIT:
            things += [value, value.array]
    return things


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, outside: Sequence[Any], places: Places) -> None:
        super().__init__(file, protocol=5)
        self._outside = {id(thing): number for number, thing in enumerate(outside)}
        self._places = places

    def persistent_id(self, obj: Any) -> int | PlaceName | None:
        if isinstance(obj, Origin):
            return self._places.name(obj)
        number = self._outside.get(id(obj))
        if number is None and isinstance(obj, Storage | HostValue):
            raise pickle.PicklingError("memory that is no variable of the graph")
        return number

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, MappingProxyType):
            return _frozen, (dict(obj),)
        return NotImplemented


def _frozen(items: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(items)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, outside: Sequence[Any], places: Places) -> None:
        super().__init__(file)
        self._outside = outside
        self._places = places

    def persistent_load(self, pid: Any) -> Any:
        return self._places.find(pid) if isinstance(pid, tuple) else self._outside[pid]
