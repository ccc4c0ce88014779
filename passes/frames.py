"""Values that are padded and read elsewhere, too, live in the padded value only.

The input of a convolution is padded, and the value itself is wanted by others: by a sum around a
block, by gradients. Others read it as a view of the padded value, so that its producer writes it
there at once; otherwise it is written, copied into the frame of zeros, and kept twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.graph import Graph, has_trait
from graphc.node import Node
from graphc.opdef import Trait
from graphc.ops.convolution import conv
from graphc.ops.fused import FUSED, ITEM
from graphc.ops.shape import pad, permute, slice_
from graphc.passes.base import journal
from graphc.provenance import made_for, origins_of
from graphc.rebuild import with_inputs
from graphc.shapes import is_static

_LEAST_ROW = 8
"""Elements next to each other; kernels walk shorter rows too slowly for this to pay."""


@dataclass(frozen=True)
class ReadInFrames:
    """Let all readers of a value read it inside of its padded copy.

    Kernels and convolutions read any strides as fast; a value that somebody reads in another way,
    or that leaves the graph, stays as it is.
    """

    name: str = "frames"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        """The graph without values that lie in memory twice; the same object if there are none."""
        notes = journal()
        users = _users_of(graph)
        frames = {
            frame.inputs[0]: frame
            for frame in reversed(graph.nodes)
            if frame.op is pad and _may_live_in(frame, users)
        }
        frames = {
            value: frame for value, frame in frames.items() if notes.fire("read in frame", value)
        }
        return _rebuilt(graph, frames) if frames else graph


def _users_of(graph: Graph) -> dict[Node, list[Node]]:
    """Who reads each node; a node that leaves the graph is its own reader, too."""
    users: dict[Node, list[Node]] = {node: [] for node in graph.nodes}
    for node in graph.nodes:
        for operand in dict.fromkeys(node.inputs):
            users[operand].append(node)
    for root in graph.roots:
        users[root].append(root)
    return users


def _may_live_in(frame: Node, users: Mapping[Node, Sequence[Node]]) -> bool:
    """True if a kernel makes the value, others read it, and they may read it with gaps."""
    (value,) = frame.inputs
    if not is_static(value.type.shape) or any(frame.attrs["interior"]):
        return False
    made_by_kernel = value.op in (FUSED, ITEM) or has_trait(value, Trait.ELEMENTWISE)
    if not made_by_kernel or len(users[value]) < 2 or value.type.static_shape[-1] < _LEAST_ROW:
        return False
    return all(_reads_any_strides(user, value, users) for user in users[value])


def _reads_any_strides(user: Node, value: Node, users: Mapping[Node, Sequence[Node]]) -> bool:
    """True if a reader, or all readers behind views, read what lies with gaps as it is."""
    if user is value:
        return False
    if user.op in (permute, slice_):
        return all(_reads_any_strides(each, user, users) for each in users[user])
    return user.op in (FUSED, conv, pad) or has_trait(user, Trait.ELEMENTWISE)


def _rebuilt(graph: Graph, frames: Mapping[Node, Node]) -> Graph:
    """The graph in which only the chosen frames read their values."""
    new: dict[Node, Node] = {}
    inside: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in new:
            continue
        made = with_inputs(node, tuple(inside.get(each, new[each]) for each in node.inputs))
        new[node] = made
        if node in frames:
            frame = with_inputs(frames[node], (made,))
            new[frames[node]] = frame
            inside[node] = _inside(frame, made)
    return Graph(
        graph.inputs,
        {name: new[node] for name, node in graph.outputs.items()},
        {variable: new[node] for variable, node in graph.updates.items()},
    )


def _inside(frame: Node, value: Node) -> Node:
    """The view of a padded value without what is around."""
    starts = frame.attrs["low"]
    sizes = zip(starts, value.type.static_shape, strict=True)
    stops = tuple(start + size for start, size in sizes)
    with made_for(origins_of(value)):
        view: Node = slice_(frame, starts=starts, stops=stops, steps=(1,) * len(stops))
    return view
