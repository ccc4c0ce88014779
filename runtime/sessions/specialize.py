"""The way from a graph to a compiled form: bind, optimize, plan, check, prepare."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from graphc.collector import without_collection
from graphc.config import CHECK
from graphc.graph import Graph
from graphc.rebuild import bind_dims
from graphc.runtime.backend import Backend
from graphc.runtime.check.plan import check_plan
from graphc.runtime.disk_cache import open_cache
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.poison import poisoned
from graphc.runtime.program_cache import Program, load, program_key, store
from graphc.runtime.program_places import Places
from graphc.runtime.sessions.bindings import Snapshot
from graphc.runtime.sessions.optimizing import Optimize
from graphc.runtime.sessions.specialization import Specialization


@without_collection()
def specialize(
    graph: Graph,
    sizes: Mapping[str, int],
    variables: Snapshot,
    *,
    backend: Backend,
    optimize: Optimize,
    reason: str,
) -> Specialization:
    """Compile a graph for one set of sizes: bind, optimize, plan, check, prepare.

    Args:
        graph: the program.
        sizes: the unknown sizes by name.
        variables: where the variables are.
        backend: what executes the plan.
        optimize: makes the graph better, and says how.
        reason: why this form is needed.

    Raises:
        CompileError: if native code is refused.
        VerifyError: if a plan does not compute the graph.
    """
    phases: dict[str, float] = {}

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        phases[name] = time.perf_counter() - start

    with phase("bind"):
        bound = bind_dims(graph, sizes) if sizes else graph
    with phase("look up"):
        cache = open_cache()
        key = _key(bound, variables, backend, optimize) if cache.directory else None
        places = None if key is None else Places(bound)
        known = load(cache, key, bound, places) if key and places else None
    if known is None:
        with phase("optimize"):
            optimized, passes = optimize(bound)
        with phase("plan"):
            plan = make_plan(optimized, variables.layouts)
        known = Program(optimized, passes, plan, None)
    with phase("check"):
        check_plan(known.plan, known.graph, variables.layouts)
    if CHECK.number() >= 2:
        known = replace(known, plan=poisoned(known.plan))
    with phase("prepare"):
        executable = backend.prepare(known.plan, known.made)
    phases |= {f"prepare: {name}": seconds for name, seconds in executable.phases.items()}
    if key and places and executable.made is not known.made:
        with phase("keep"):
            store(cache, key, bound, places, replace(known, made=executable.made))
    signature = {str(node.attrs["name"]): str(node.type) for node in bound.inputs}
    return Specialization(
        signature, reason, known.graph, known.passes, known.plan, executable, phases
    )


def _key(graph: Graph, variables: Snapshot, backend: Backend, optimize: Optimize) -> str | None:
    """The name of the program on disk, or None if it is not kept."""
    made_for = backend.key()
    if made_for is None:
        return None
    place = {node: index for index, node in enumerate(graph.variables)}
    layouts = sorted((place[node], layout) for node, layout in variables.layouts.items())
    return program_key(graph, optimize, made_for, repr(layouts))
