"""GRAPHC_CHECK=2: did a pass change a value, and which of its changes did?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from graphc.errors import GraphcError, PassError
from graphc.evaluate import evaluate, evaluate_node
from graphc.graph import Graph, bodies_of
from graphc.node import Node
from graphc.ops.control import WHILE_LOOP, WHILE_LOOP_GRADIENT
from graphc.passes.base import Firing, Journal, Pass, writing
from graphc.passes.samples import sample_feeds, sample_sizes
from graphc.rebuild import bind_dims
from graphc.storage import Array

TOLERANCE = {2: 0.05, 4: 1e-3, 8: 1e-8}
"""By item size, how far inexact rules may move a value, relative to the largest in its array."""


def check_values(each: Pass, before: Graph, after: Graph, notes: Journal) -> None:
    """Raise unless the pass kept every value of the graph on sample inputs.

    Passes that used exact rules only must keep every bit; others are compared with a tolerance,
    on ordinary numbers.

    Args:
        each: the pass.
        before: what it got.
        after: what it made.
        notes: what it noted; refusals are added where no check was possible.

    Raises:
        PassError: it names the pass, the first wrong change, the node and the user's place.
    """
    if after is before:
        return
    difference = _difference(before, after, notes)
    if not difference:
        return
    guilty = _first_wrong(each, before, notes)
    if guilty is None:
        raise PassError(f"pass {each.name!r} changed a value: {difference}")
    raise PassError(
        f"pass {each.name!r}, rule {guilty.rule!r} changed a value: {difference}",
        got=f"its change of {guilty.operation}",
        fix="correct the rule, or leave the pass out by disable=",
        where=guilty.place,
    )


def _first_wrong(each: Pass, before: Graph, notes: Journal) -> Firing | None:
    """The first change after which values differ: replay ever fewer, by bisection."""
    right, wrong = 0, len(notes.firings)
    while right + 1 < wrong:
        middle = (right + wrong) // 2
        with writing(Journal(notes.numerics, middle, notes.optimizer)) as replay:
            partial = each.run(before)
        if _difference(before, partial, replay):
            wrong = middle
        else:
            right = middle
    return notes.firings[wrong - 1] if notes.firings else None


def _difference(before: Graph, after: Graph, notes: Journal) -> str:
    """What differs between the two programs' results; empty if nothing does."""
    endless = next((node for node in before.nodes if _may_be_endless(node)), None)
    if endless is not None:
        notes.refuse("GRAPHC_CHECK: a while loop may not end on sample values", endless)
        return ""
    sizes = sample_sizes(before)
    if sizes is None:
        for node in before.inputs[:1]:
            notes.refuse("GRAPHC_CHECK: found no sizes to compare values with", node)
        return ""
    before, after = bind_dims(before, sizes), bind_dims(after, sizes)
    exact = all(firing.exact for firing in notes.firings)
    for position, feed in enumerate(sample_feeds(before)):
        if position and not exact:
            break
        try:
            expected = _results(before, feed, before.updates)
        except GraphcError:
            continue  # the program itself rejects these inputs
        found = _results(after, feed, before.updates)
        for name, value in expected.items():
            if not _agree(value, found[name], exact):
                return f"{name} differs by {_distance(value, found[name])}"
    return ""


def _may_be_endless(node: Node) -> bool:
    if node.op in (WHILE_LOOP, WHILE_LOOP_GRADIENT):
        return True
    return any(_may_be_endless(each) for body in bodies_of(node) for each in body.nodes)


def _results(
    graph: Graph, feed: Mapping[str, Array], variables: Iterable[Node]
) -> dict[str, Array]:
    """The outputs and what the variables hold afterwards, updated or not."""
    outputs, updates = evaluate(graph, feed)
    named: dict[str, Array] = {f"output {name!r}": value for name, value in outputs.items()}
    for position, variable in enumerate(variables):
        value = updates[variable] if variable in updates else evaluate_node(variable, ())
        named[f"the next value of variable {position} ({variable.attrs['name']})"] = value
    return named


def _agree(expected: Array, found: Array, exact: bool) -> bool:
    if expected.dtype != found.dtype or expected.shape != found.shape:
        return False
    if expected.dtype.kind in "biu":
        return bool((expected == found).all())
    if exact:
        return _same_bits(expected, found)
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    first, second = expected.astype(wide), found.astype(wide)
    finite = np.isfinite(first)
    if not np.array_equal(first[~finite], second[~finite], equal_nan=True):
        return False
    scale = np.abs(first[finite]).max(initial=0)
    part = expected.dtype.itemsize // (2 if expected.dtype.kind == "c" else 1)
    return bool((np.abs(first[finite] - second[finite]) <= TOLERANCE[part] * scale).all())


def _same_bits(expected: Array, found: Array) -> bool:
    """Equal bits, but for the bits inside a NaN, which numpy itself does not keep."""
    if expected.dtype.kind == "c":
        return _same_bits(expected.real, found.real) and _same_bits(expected.imag, found.imag)
    number = ~np.isnan(expected)
    if not np.array_equal(number, ~np.isnan(found)):
        return False
    return np.ascontiguousarray(expected[number]).tobytes() == found[number].tobytes()


def _distance(expected: Array, found: Array) -> str:
    if expected.dtype != found.dtype or expected.shape != found.shape:
        return f"type: {expected.dtype}{list(expected.shape)}, {found.dtype}{list(found.shape)}"
    with np.errstate(all="ignore"):
        wide = np.complex128 if expected.dtype.kind == "c" else np.float64
        distance = np.abs(expected.astype(wide) - found.astype(wide))
    return f"up to {np.nanmax(distance, initial=0):.3g}"
