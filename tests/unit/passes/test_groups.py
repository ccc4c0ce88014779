"""The partition behind fusion, against reachability computed by networkx."""

from __future__ import annotations

from collections.abc import Callable

import networkx
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.node import Node
from graphc.ops.elementwise import add, exp, neg
from graphc.ops.linalg import matmul
from graphc.passes.fusion.groups import CYCLE, Group, Groups
from tests.unit.passes.programs import graph_of, input_node

Draw = Callable[[st.SearchStrategy[int]], int]


@st.composite
def dags(draw: Draw) -> list[Node]:
    """Square values, some computed by kernels and some by products."""
    values = [input_node("a", (4, 4)), input_node("b", (4, 4))]
    for _ in range(draw(st.integers(4, 24))):
        x, y = (values[draw(st.integers(0, len(values) - 1))] for _ in range(2))
        made = [neg(x), exp(x), add(x, y), add(x, y), matmul(x, y)]
        values.append(made[draw(st.integers(0, len(made) - 1))])
    return values


def quotient(groups: Groups) -> networkx.DiGraph[int]:
    """The groups and which of them needs which."""
    dag: networkx.DiGraph[int] = networkx.DiGraph()
    for node in groups.nodes:
        group = groups.of(node)
        dag.add_node(id(group))
        for read in node.inputs:
            if groups.of(read) is not group:
                dag.add_edge(id(groups.of(read)), id(group))
    return dag


def makes_cycle(groups: Groups, first: Group, second: Group) -> bool:
    dag = quotient(groups)
    merged = networkx.contracted_nodes(dag, id(first), id(second), self_loops=False)
    return not networkx.is_directed_acyclic_graph(merged)


@settings(max_examples=150, deadline=None)
@given(dags(), st.randoms(use_true_random=False))
def test_merging_stays_acyclic_and_refuses_only_cycles(values: list[Node], random: object) -> None:
    choose = random.choice
    groups = Groups(graph_of(*values).nodes)
    for _ in range(12):
        if not groups.work:
            return
        first, second = (groups.of(choose(groups.work)) for _ in range(2))
        if first is second:
            continue
        obstacle = groups.obstacle(first, second)
        assert (obstacle == CYCLE) == makes_cycle(groups, first, second)
        if not obstacle:
            groups.merge(first, second)
            check_reachability(groups)


def check_reachability(groups: Groups) -> None:
    """What is known to be before and after each group is what the quotient graph says."""
    dag = quotient(groups)
    assert networkx.is_directed_acyclic_graph(dag)
    of_number = {id(group): group for group in map(groups.of, groups.nodes)}
    inner = {id(groups.of(node)) for node in groups.nodes if node.inputs}
    for group in map(groups.of, groups.nodes):
        before = inner.intersection(networkx.ancestors(dag, id(group)))
        assert group.needs or not before
        told = [id(each) for each in groups.named(group.before) if each.needs]
        assert sorted(told) == sorted(number for number in before if of_number[number].needs)
        if not group.needs:
            continue
        after = networkx.descendants(dag, id(group))
        assert sorted(map(id, groups.named(group.after))) == sorted(after)
