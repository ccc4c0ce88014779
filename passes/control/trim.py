"""Leave out what loops and branches do for nothing, and compute once what they do again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial

from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.bodies import results
from graphc.ops.control import COND, SCAN
from graphc.ops.fused import ITEM
from graphc.ops.with_gradient import WITH_GRADIENT
from graphc.passes.base import Journal, journal
from graphc.passes.control.loops import LOOPS
from graphc.passes.control.trim_cond import trimmed_cond
from graphc.passes.control.trim_loop import trimmed_loop
from graphc.provenance import made_for, origins_of
from graphc.rebuild import with_attrs, with_inputs

_TRIMMED = (*LOOPS, COND)
_WITH_BODIES = (*_TRIMMED, WITH_GRADIENT)


@dataclass(frozen=True)
class TrimControl:
    """Make loops and branches do less, inside others first.

    Scans that do the same become one: a gradient's scan keeps more than the one that it
    differentiates, and that one is then no longer needed. What nobody reads is neither computed
    nor stacked, what changes nothing is not carried, and what is the same in every step is
    computed before the loop.
    """

    name: str = "control"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        """The graph with smaller loops and branches; the same object if there are none."""
        if not any(node.op in _WITH_BODIES for node in graph.nodes):
            return graph
        notes = journal()
        while True:
            fired = len(notes.firings)
            smaller = self._round(graph, notes)
            if len(notes.firings) == fired:
                return graph
            graph = smaller

    def _round(self, graph: Graph, notes: Journal) -> Graph:
        """One change of each loop and branch."""
        used = _used_results(graph)
        wider = _merged(graph, notes)
        values: dict[Node, Mapping[int, Node]] = {}
        new: dict[Node, Node] = {}
        for node in graph.nodes:
            whole = node.inputs[0] if node.op is ITEM else None
            if whole in values:
                new[node] = values[whole][node.attrs["index"]]
                continue
            current = with_inputs(node, tuple(new[operand] for operand in node.inputs))
            if node.op is WITH_GRADIENT and _fire(notes, node, "all gradients are there"):
                values[node] = dict(enumerate(current.inputs))
            elif node.op in _TRIMMED:
                if node in wider:
                    values[node] = _as_part(current, wider[node])
                else:
                    changed = self._changed(current, used[node], notes)
                    current = changed if isinstance(changed, Node) else current
                    if isinstance(changed, dict):
                        values[node] = changed
            new[node] = current
        return Graph(
            (new[node] for node in graph.inputs),
            {name: new[node] for name, node in graph.outputs.items()},
            {new[variable]: new[node] for variable, node in graph.updates.items()},
        )

    def _changed(self, node: Node, used: set[int], notes: Journal) -> Node | dict[int, Node]:
        """The node with smaller bodies, or the values of its results if it got smaller itself."""
        bodies = {name: value for name, value in node.attrs.items() if isinstance(value, Graph)}
        smaller = {name: self.run(body) for name, body in bodies.items()}
        with made_for(origins_of(node)):
            if any(smaller[name] is not bodies[name] for name in bodies):
                return with_attrs(node, smaller)
            trim = trimmed_cond if node.op is COND else trimmed_loop
            values = trim(node, used, partial(_fire, notes, node))
        return node if values is None else values


def _fire(notes: Journal, node: Node, what: str) -> bool:
    return notes.fire(f"{node.op.name}: {what}", node)


def _used_results(graph: Graph) -> dict[Node, set[int]]:
    """Which results of each node with several are read."""
    used: dict[Node, set[int]] = {node: set() for node in graph.nodes if node.op in _WITH_BODIES}
    for node in graph.nodes:
        if node.op is ITEM and node.inputs[0] in used:
            used[node.inputs[0]].add(node.attrs["index"])
    return used


def _merged(graph: Graph, notes: Journal) -> dict[Node, Graph]:
    """For scans that differ in their results only, the body that gives the results of all."""
    groups: dict[Hashable, list[Node]] = {}
    for node in graph.nodes:
        if node.op is SCAN:
            groups.setdefault(_what_it_does(node), []).append(node)
    found: dict[Node, Graph] = {}
    for group in groups.values():
        first, *others = group
        fires = [notes.fire("scan: merged with one that does the same", node) for node in others]
        same = [first, *(node for node, fire in zip(others, fires, strict=True) if fire)]
        if len(same) > 1:
            found |= dict.fromkeys(same, _with_all_results(same))
    return found


def _what_it_does(node: Node) -> Hashable:
    attrs = {name: value for name, value in node.attrs.items() if name != "body"}
    body: Graph = node.attrs["body"]
    nexts = tuple(body.outputs.values())[: attrs["carries"]]
    return node.inputs, tuple(sorted(attrs.items())), body.inputs, nexts


def _with_all_results(scans: list[Node]) -> Graph:
    body: Graph = scans[0].attrs["body"]
    carries = scans[0].attrs["carries"]
    outputs = dict(list(body.outputs.items())[:carries])
    stacked = [
        node for each in scans for node in list(each.attrs["body"].outputs.values())[carries:]
    ]
    named = {f"result{i}": node for i, node in enumerate(dict.fromkeys(stacked))}
    return Graph(body.inputs, {**outputs, **named})


def _as_part(node: Node, body: Graph) -> dict[int, Node]:
    """The results of a scan from one that gives more."""
    with made_for(origins_of(node)):
        made = results(SCAN, node.inputs, {**node.attrs, "body": body})
    carries = node.attrs["carries"]
    own, all_ = (list(each.outputs.values()) for each in (node.attrs["body"], body))
    places = [*range(carries), *(all_.index(value, carries) for value in own[carries:])]
    return {i: made[place] for i, place in enumerate(places)}
