"""What a loop need not carry, stack, read or compute in every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import replace

from graphc.graph import may_fail
from graphc.node import CONSTANT, Node
from graphc.ops.bodies import computed
from graphc.ops.leaf import placeholder
from graphc.ops.shape import expand
from graphc.passes.control.invariants import shared_values
from graphc.passes.control.loops import Loop

Values = dict[int, Node]
"""What stands for the results of a loop that somebody reads, by position."""


def trimmed_loop(node: Node, used: Set[int], fire: Callable[[str], bool]) -> Values | None:
    """A loop that does less and gives the same.

    Args:
        node: a scan or a while loop.
        used: which of its results anybody reads.
        fire: notes a change; False if it must not be made.

    Returns:
        The new values, or None if nothing changes.
    """
    for change in (_settled, _hoisted, _without_the_unused):
        values = change(Loop.of(node), used, fire)
        if values is not None:
            return values
    return None


def _settled(loop: Loop, used: Set[int], fire: Callable[[str], bool]) -> Values | None:
    """Carries that never change and operands that are given twice are captured, and once."""
    still = {
        here: there
        for (here, there), after in zip(loop.carries.items(), loop.nexts, strict=True)
        if after is here
    }
    known: dict[Node, Node] = {}
    items, captured = dict(loop.items), {**loop.captured, **still}
    for group in (items, captured):
        first: dict[Node, Node] = {}
        for here, there in list(group.items()):
            if there.op is CONSTANT and there.type.numel == 1 and not there.type.shape:
                known[here] = there
            elif there in first:
                known[here] = first[there]
            first.setdefault(there, here)
            if here in known:
                del group[here]
    carries = {here: there for here, there in loop.carries.items() if here not in still}
    left = carries or items or captured  # a node without operands is nowhere
    if not (left and (known or still)) or not fire(
        "operands that are the same in every step, once"
    ):
        return None
    places = [i for i, here in enumerate(loop.carries) if here not in still]
    fewer = replace(loop.substituted(known), carries=carries, items=items, captured=captured)
    fewer = replace(fewer, nexts=tuple(fewer.nexts[i] for i in places))
    made = fewer.made() if fewer.roots else ()
    count = len(loop.carries)
    values = {i: there for i, (here, there) in enumerate(loop.carries.items()) if here in still}
    values |= dict(zip(places, made, strict=False))
    values |= {count + i: value for i, value in enumerate(made[len(places) :])}
    return values


def _hoisted(loop: Loop, used: Set[int], fire: Callable[[str], bool]) -> Values | None:
    """What is the same in every step is computed before the loop."""
    frontier = shared_values(loop.roots, loop.captured)
    if not frontier or not fire("computed before the loop"):
        return None
    outside = computed(frontier, loop.captured, frontier[0])
    here = {node: placeholder(f"before{i}", node.type) for i, node in enumerate(frontier)}
    more = dict(zip(here.values(), outside, strict=True))
    fewer = replace(loop.substituted(here), captured={**loop.captured, **more})
    return dict(enumerate(fewer.made()))


def _without_the_unused(loop: Loop, used: Set[int], fire: Callable[[str], bool]) -> Values | None:
    """Results, carries and operands that nothing depends on are left out."""
    count = len(loop.carries)
    direct = {i: _stack(loop, node) for i, node in enumerate(loop.stacked, count) if i in used}
    known = {i: value for i, value in direct.items() if value is not None}
    results: dict[Node, int] = {}
    for i, node in enumerate(loop.stacked, count):
        if i in used and i not in known:
            results.setdefault(node, len(results))
    carries = _live_carries(loop, used, list(results))
    kept_nexts = [loop.nexts[i] for i in carries]
    tests = [] if loop.test is None else [loop.test]
    needed = set(loop.order([*kept_nexts, *results, *tests]))
    fewer = replace(
        loop,
        carries=dict(list(loop.carries.items())[i] for i in carries),
        items={here: there for here, there in loop.items.items() if here in needed},
        captured={here: there for here, there in loop.captured.items() if here in needed},
        nexts=tuple(kept_nexts),
        stacked=tuple(results),
    )  # fmt: skip
    same = len(fewer.inputs) == len(loop.inputs) and len(fewer.roots) == len(loop.roots)
    if same or not fire("what nobody reads"):
        return None
    made = fewer.made() if fewer.inputs and (carries or results) else ()
    values: Values = dict(known)
    values |= {i: made[place] for place, i in enumerate(carries)}
    for i, node in enumerate(loop.stacked, count):
        if i in used and i not in known:
            values[i] = made[len(carries) + results[node]]
    return values


def _stack(loop: Loop, node: Node) -> Node | None:
    """The stacked values of a node where they are known without the loop."""
    if node in loop.items:
        return loop.items[node]
    changing = {*loop.carries, *loop.items}
    order = loop.order([node])
    if any(each in changing or may_fail(each) for each in order):
        return None
    same = computed([node], loop.captured, node)[0]
    return expand(same, shape=(loop.node.attrs["length"], *same.type.shape))


def _live_carries(loop: Loop, used: Set[int], results: list[Node]) -> list[int]:
    """The carries that are read in the end, or that anything depends on that is."""
    places: Mapping[Node, int] = {here: i for i, here in enumerate(loop.carries)}
    live = {i for i in used if i < len(places)}
    while True:
        roots = [*(loop.nexts[i] for i in sorted(live)), *results]
        roots += [] if loop.test is None else [loop.test]
        more = live | {places[node] for node in loop.order(roots) if node in places}
        if more == live:
            return sorted(live)
        live = more
