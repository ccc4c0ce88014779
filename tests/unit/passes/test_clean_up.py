"""Folding, merging of equal nodes, pruning, alignment."""

from __future__ import annotations

import numpy as np

from graphc.dtypes import bfloat16, float32, float64, int32, int64
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.literal import Literal
from graphc.node import CONSTANT, Node, constant, make_node
from graphc.ops.elementwise import add, exp, mul, neg, sub
from graphc.ops.index import index
from graphc.ops.leaf import iota, size_value, variable
from graphc.ops.random import random_bits
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.ops.shape import expand, permute, reshape
from graphc.passes.base import Journal, writing
from graphc.passes.cse import MergeEqual
from graphc.passes.fold import FOLD, LIMIT
from graphc.passes.prune import Prune
from graphc.passes.rules.align import ALIGN
from graphc.provenance import Origin, made_for, origins_of
from graphc.storage import Storage
from graphc.types import TensorType
from tests.unit.passes.programs import graph_of, input_node, number

X = input_node("x", (4, 6))


def folded(node: Node) -> tuple[Node, Journal]:
    with writing(Journal()) as notes:
        return FOLD.run(graph_of(node)).outputs["out0"], notes


def test_constants_are_computed() -> None:
    new, _ = folded(add(mul(number(2), number(3)), number(1)))
    assert new is number(7)
    new, _ = folded(mul(X, exp(number(0))))
    assert new is mul(X, number(1))
    new, _ = folded(cast(number(2.5), dtype=bfloat16))
    assert new.type.dtype is bfloat16


def test_ranges_and_broadcasts_are_inputs_of_folding_but_never_stored() -> None:
    ramp, spread = iota((4,), 0, int64), expand(number(2), shape=(4,))
    assert folded(ramp)[0] is ramp
    assert folded(spread)[0] is spread
    new, _ = folded(mul(cast(ramp, dtype=float32), spread))
    assert new.op is CONSTANT
    assert new.attrs["value"].array.tolist() == [0, 2, 4, 6]


def test_strides_of_a_folded_view_are_kept() -> None:
    table = constant(np.arange(6.0).reshape(2, 3))
    new, _ = folded(permute(table, dims=(1, 0)))
    assert new.attrs["value"].array.strides == (8, 24)
    new, _ = folded(exp(permute(table, dims=(1, 0))))
    assert new.attrs["value"].array.flags.c_contiguous


def test_large_results_and_operands_are_refused() -> None:
    big = expand(number(1), shape=(LIMIT, 1))
    for root in (neg(big), sum_(big, dims=(0,))):
        new, notes = folded(root)
        assert new is root
        assert any("more than" in reason for reason in notes.refused())


def test_random_and_unknown_values_are_not_folded() -> None:
    state = constant(np.array([1, 2]))
    bits = random_bits(state, call=0, shape=(3,))
    assert folded(bits)[0] is bits
    store = Storage(np.ones(3, np.float32))
    leaf = variable("v", TensorType((3,), float32), store)
    assert folded(neg(leaf))[0] is neg(leaf)


def test_what_raises_is_left_to_raise_at_run_time() -> None:
    root = index(constant(np.arange(3.0)), constant(np.array([7])), dims=(0,))
    new, notes = folded(root)
    assert new is root
    assert list(notes.refused()) == ["fold_constants: computing it raises IndexRangeError"]


def test_known_sizes_fold() -> None:
    assert folded(cast(size_value(5), dtype=float64))[0] is constant(np.float64(5))


def test_equal_large_constants_merge() -> None:
    first, second, other = (constant(np.full((64, 64), value)) for value in (1.0, 1.0, 2.0))
    with made_for(frozenset({Origin("model.py", 4)})):
        late = make_node(CONSTANT, (), second.attrs)
    graph = graph_of(add(neg(first), neg(late)), neg(other))
    with writing(Journal()) as notes:
        new = MergeEqual().run(graph)
    assert new.outputs["out0"] is add(neg(first), neg(first))
    assert new.outputs["out1"] is neg(other)
    assert notes.fired()["equal constant nodes"].count == 1
    assert Origin("model.py", 4) in origins_of(first)


def test_constants_that_differ_in_bits_type_or_strides_do_not_merge() -> None:
    base = np.zeros((64, 64))
    square = np.arange(4096.0).reshape(64, 64)
    symmetric = square + square.T
    pairs = [
        (base, -base),
        (base, np.zeros((64, 64), np.int64)),
        (base, np.zeros((4096,))),
        (symmetric, symmetric.T),
    ]
    for first, second in pairs:
        roots = [neg(constant(Literal(each))) for each in (first, second)]
        graph = graph_of(*roots)
        assert MergeEqual().run(graph) is graph


def test_variables_of_one_storage_merge_where_they_are_read() -> None:
    store = Storage(np.ones(3, np.float32))
    kind = TensorType((3,), float32)
    one, two = variable("a", kind, store), variable("b", kind, store)
    other = variable("c", kind, Storage(np.ones(3, np.float32)))
    graph = Graph((), {"sum": add(one, add(two, other))}, {two: neg(two)})
    new = MergeEqual().run(graph)
    assert new.outputs["sum"] is add(two, add(two, other))
    assert list(new.updates) == [two]


def test_commutative_twins_merge() -> None:
    y = input_node("y", (4, 6))
    graph = graph_of(sub(exp(add(X, y)), exp(add(y, X))), sub(sub(X, y), sub(y, X)))
    new = MergeEqual().run(graph)
    assert new.outputs["out0"] is sub(exp(add(X, y)), exp(add(X, y)))
    assert new.outputs["out1"] is graph.outputs["out1"]
    assert MergeEqual().run(new) is new


def test_idle_updates_are_pruned() -> None:
    store = Storage(np.ones(3, np.float32))
    weight = variable("w", TensorType((3,), float32), store)
    busy = variable("b", TensorType((3,), float32), Storage(np.ones(3, np.float32)))
    graph = Graph((), {"out": weight}, {weight: weight, busy: weight})
    new = Prune().run(graph)
    assert dict(new.updates) == {busy: weight}
    assert Prune().run(new) is new


def test_alignment_moves_dropped_dims_behind_elementwise_operations() -> None:
    rows = reshape(sum_(X, dims=(1,)), shape=(4,))
    labels = input_node("labels", (4,))
    new = ALIGN.run(graph_of(exp(sub(rows, labels)))).outputs["out0"]
    wide = sub(sum_(X, dims=(1,)), reshape(labels, shape=(4, 1)))
    assert new is reshape(exp(wide), shape=(4,))


def test_alignment_leaves_operands_that_broadcast_anyway() -> None:
    columns = reshape(sum_(X, dims=(0,)), shape=(6,))
    bias = input_node("bias", (6,))
    new = ALIGN.run(graph_of(add(mul(columns, number(2)), bias))).outputs["out0"]
    assert new is reshape(add(mul(sum_(X, dims=(0,)), number(2)), bias), shape=(6,))


def test_alignment_keeps_reshapes_that_broadcast() -> None:
    columns = reshape(sum_(X, dims=(0,)), shape=(6,))
    graph = graph_of(mul(columns, X))
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    new = ALIGN.run(graph)
    found = evaluate(new, {"x": values})[0]["out0"]
    np.testing.assert_array_equal(found, values.sum(0) * values)


def test_integer_types_fold_as_they_compute() -> None:
    new, _ = folded(neg(constant(np.array(np.iinfo(np.int32).min, np.int32))))
    assert new.attrs["value"].array == np.iinfo(np.int32).min
    assert new.type.dtype is int32
