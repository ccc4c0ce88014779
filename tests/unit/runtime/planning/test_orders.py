"""Orders: every edge is respected, and memory is freed early."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.dtypes import float64
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.runtime.planning.dependencies import Dependencies
from graphc.runtime.planning.orders import Usage, best_order, orders
from graphc.runtime.planning.planner import collected, make_plan
from graphc.runtime.planning.updates import place_updates
from graphc.runtime.sessions.bindings import Variables
from graphc.types import TensorType
from tests.random_graphs import Program, programs


def prepared(graph: Graph, program: Program | None = None) -> Dependencies:
    layouts = {} if program is None else Variables(graph).snapshot().layouts
    actions = collected(graph, layouts)
    dependencies = Dependencies(actions.actions)
    place_updates(graph, actions, dependencies)
    return dependencies


@settings(max_examples=150)
@given(programs())
def test_every_order_respects_every_edge(program: Program) -> None:
    dependencies = prepared(program.graph, program)
    for order in orders(Usage(dependencies)):
        place = {number: position for position, number in enumerate(order)}
        assert sorted(order) == list(range(len(dependencies.actions)))
        for first, followers in enumerate(dependencies.after):
            assert all(place[first] < place[follower] for follower in followers)


@settings(max_examples=150)
@given(programs())
def test_the_best_order_is_measured_right(program: Program) -> None:
    """What the schedule expects is what the plan's blocks need at the least."""
    dependencies = prepared(program.graph, program)
    expected = Usage(dependencies).peak(best_order(dependencies))
    plan = make_plan(program.graph, Variables(program.graph).snapshot().layouts)
    assert plan.lower_bound_bytes == expected


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_edges_are_refused_exactly_if_they_close_a_circle(pairs: list[tuple[int, int]]) -> None:
    x = placeholder("x", TensorType((2,), float64))
    outputs = [e.mul(x, e.neg(x)), e.sin(x), e.cos(x), e.tanh(x), e.abs_(x), e.exp(x)]
    graph = Graph([x], {f"y{k}": node for k, node in enumerate(outputs)})
    dependencies = Dependencies(collected(graph).actions)
    edges = {(a, b) for a, followers in enumerate(dependencies.after) for b in followers}
    for first, last in pairs:
        if max(first, last) >= len(dependencies.actions):
            continue
        possible = first != last and not reaches(edges, last, first)
        assert dependencies.put_before([first], last) == possible
        if possible:
            edges.add((first, last))
        place = {number: position for position, number in enumerate(dependencies.order)}
        assert all(place[a] < place[b] for a, b in edges)


def reaches(edges: set[tuple[int, int]], start: int, goal: int) -> bool:
    found, more = {start}, True
    while more:
        new = {b for a, b in edges if a in found} - found
        found |= new
        more = bool(new)
    return goal in found


def test_small_graphs_get_the_order_that_an_exhaustive_search_finds() -> None:
    """Sums of wide values: each is freed before the next one is made."""
    x = placeholder("x", TensorType((4, 64), float64))
    wide = [e.add(x, e.sin(matmul(x, _square(k)))) for k in range(2)]
    sums = [sum_(each, dims=(1,)) for each in wide]
    graph = Graph([x, *(_square(k) for k in range(2))], {"y": e.sub(*sums)})
    dependencies = prepared(graph)
    usage = Usage(dependencies)
    numbers = range(len(dependencies.actions))
    peaks = [
        usage.peak(order) for order in itertools.permutations(numbers) if valid(order, dependencies)
    ]
    assert usage.peak(best_order(dependencies)) == min(peaks)
    assert min(peaks) < max(peaks)


def valid(order: tuple[int, ...], dependencies: Dependencies) -> bool:
    place = {number: position for position, number in enumerate(order)}
    return all(
        place[first] < place[follower]
        for first, followers in enumerate(dependencies.after)
        for follower in followers
    )


def _square(number: int) -> Node:
    return placeholder(f"w{number}", TensorType((64, 64), float64))


def test_an_order_takes_little_time_per_step() -> None:
    """Edges and orders grow with the graph, not with its square: counted, not timed."""

    def work(depth: int) -> int:
        x = node = placeholder("x", TensorType((8,), float64))
        for _ in range(depth):
            node = e.add(e.sin(node), e.mul(node, x))
        dependencies = prepared(Graph([x], {"y": node}))
        return sum(map(len, dependencies.after)) + len(best_order(dependencies))

    assert work(200) <= 2 * work(100) + 8
    assert np.isfinite(work(1))
