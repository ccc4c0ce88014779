"""Levels, names, records, and what GRAPHC_CHECK finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import graphc.passes.pipeline
from graphc.config import CHECK, DISABLE
from graphc.dims import Dim
from graphc.dtypes import float32, int32, int64
from graphc.errors import ArgumentError, PassError
from graphc.graph import Graph
from graphc.node import Node, constant, make_node
from graphc.ops.elementwise import add, div, exp, mul, neg, sub
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.ops.select import detach
from graphc.ops.shape import reshape
from graphc.passes.base import Pass
from graphc.passes.pattern import var
from graphc.passes.pipeline import LEVELS, PASS_NAMES, PIPELINE, optimize, run_passes
from graphc.passes.rewrite import Rewrite, rule
from graphc.passes.samples import sample_feeds, sample_sizes
from graphc.provenance import Origin, made_for
from graphc.storage import Storage
from graphc.types import TensorType
from tests.unit.passes.programs import graph_of, input_node, number

X, Y = input_node("x", (4, 6)), input_node("y", (4, 6))
x, y = var("x"), var("y")


def program() -> Graph:
    return graph_of(exp(detach(mul(add(X, Y), number(1)))))


def test_levels() -> None:
    graph = program()
    zero, records = optimize(graph, level="O0")
    assert zero is graph
    assert records == []
    one, records = optimize(graph, level="O1")
    assert [record.name for record in records] == [
        "prune", "control", "fold", "canonicalize", "fold", "cse", "prune", "control", "bodies",
    ]  # fmt: skip
    assert one.outputs["out0"] is exp(add(X, Y))
    two, records = optimize(graph)
    assert [record.name for record in records] == [each.name for _, each in PIPELINE]
    assert two.outputs["out0"].op.name == "fused"


def test_every_pass_is_a_frozen_dataclass_that_states_its_contract() -> None:
    assert PASS_NAMES == (
        "prune", "control", "fold", "canonicalize", "stabilize", "simplify", "cse", "bodies",
        "choose", "align", "fuse", "frames",
    )  # fmt: skip
    for level, each in PIPELINE:
        assert level in LEVELS
        assert isinstance(each.requires, tuple)
        assert isinstance(each.ensures, tuple)
        with pytest.raises(AttributeError):
            each.name = "other"


def test_stop_after_gives_the_stage() -> None:
    new, records = optimize(program(), stop_after="canonicalize")
    assert records[-1].name == "canonicalize"
    assert new.outputs["out0"] is exp(add(X, Y))
    new, records = optimize(program(), stop_after="prune")
    assert [record.name for record in records].count("prune") == 2
    _, records = optimize(program(), stop_after="canonicalize", disable=("canonicalize",))
    assert [record.name for record in records] == ["prune", "control", "fold"]


def test_passes_can_be_left_out() -> None:
    new, records = optimize(program(), disable=("fuse",))
    assert "fuse" not in [record.name for record in records]
    assert new.outputs["out0"] is exp(add(X, Y))
    with DISABLE.override("fuse, fold"):
        _, records = optimize(program())
    assert {"fuse", "fold"}.isdisjoint(record.name for record in records)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"disable": ("fus",)}, "unknown pass 'fus'"),
        ({"stop_after": "fuze"}, "unknown pass 'fuze'"),
        ({"level": "2O2"}, "unknown level '2O2'"),
        ({"numerics": "strickt"}, "unknown numerics level 'strickt'"),
    ],
)
def test_unknown_names_get_a_suggestion(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        optimize(program(), **arguments)
    assert "did you mean" in str(caught.value)


def test_an_unknown_name_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_DISABLE", "fold,cze")
    with pytest.raises(ArgumentError, match="unknown pass 'cze'"):
        optimize(program())


def test_records_say_what_happened_where() -> None:
    _, records = optimize(graph_of(sub(mul(X, number(1)), X)))
    canonicalize = next(record for record in records if record.name == "canonicalize")
    assert (canonicalize.before, canonicalize.after) == (4, 2)
    assert canonicalize.seconds > 0
    assert canonicalize.fired["times_one"].count == 1
    assert "test_pipeline.py" in canonicalize.fired["times_one"].places[0]
    simplify = next(record for record in records if record.name == "simplify")
    assert simplify.refused["minus_itself: needs numerics='fast'"].count == 1


def test_numerics_levels_allow_their_rules() -> None:
    graph = graph_of(sub(mul(X, number(1)), X))
    strict, _ = optimize(graph, disable=("fuse",))
    fast, _ = optimize(graph, disable=("fuse",), numerics="fast")
    assert strict.outputs["out0"] is sub(X, X)
    assert fast.outputs["out0"].op.name == "constant"


# A pass that is wrong on purpose, and what the check says about it.


@rule(x - y)
def swapped(x: Node, y: Node) -> Node:
    """x - y = -(y + x), which is wrong"""
    return neg(add(y, x))


@rule(exp(exp(x)))
def right(x: Node) -> Node:
    """exp(exp(x)) = exp(-(-exp(x)))"""
    return exp(neg(neg(exp(x))))


def wrong_program() -> Graph:
    with made_for(frozenset({Origin("model.py", 11, "fc1")})):
        good = exp(exp(X))
    with made_for(frozenset({Origin("model.py", 12, "fc2")})):
        bad = sub(good, Y)
    with made_for(frozenset({Origin("model.py", 13)})):
        return graph_of(div(bad, exp(exp(Y))))


WRONG = Rewrite("wrong", (right, swapped))


def test_a_wrong_rule_is_found_with_pass_rule_node_and_place() -> None:
    with CHECK.override("2"), pytest.raises(PassError) as caught:
        run_passes(wrong_program(), [WRONG])
    text = str(caught.value)
    assert "pass 'wrong', rule 'swapped' changed a value: output 'out0' differs" in text
    assert "its change of <sub: f32[4,6]>" in text
    assert "created at: model.py:12 fc2" in text


def test_a_wrong_rule_in_the_pipeline_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = (*PIPELINE[:3], ("O1", WRONG), *PIPELINE[3:])
    monkeypatch.setattr(graphc.passes.pipeline, "PIPELINE", pipeline)
    with CHECK.override("2"), pytest.raises(PassError, match="pass 'wrong', rule 'swapped'"):
        optimize(wrong_program())


def test_without_the_check_nothing_is_evaluated() -> None:
    for level in ("0", "1"):
        with CHECK.override(level):
            run_passes(wrong_program(), [WRONG])


@rule(x * -0.0)
def forgets_the_sign_of_zero(x: Node) -> Node:
    """x * -0.0 = x * 0.0, which is wrong"""
    return mul(x, number(0.0))


def test_one_wrong_sign_of_zero_or_nan_is_found() -> None:
    each = Rewrite("signs", (forgets_the_sign_of_zero,))
    with CHECK.override("2"), pytest.raises(PassError, match="forgets_the_sign_of_zero"):
        run_passes(graph_of(mul(X, number(-0.0))), [each])


def test_wrong_next_values_of_variables_are_found() -> None:
    store = Storage(np.ones((4, 6), np.float32))
    weight = variable("weight", TensorType((4, 6), float32), store)
    graph = Graph((X,), {}, {weight: sub(weight, X)})
    with CHECK.override("2"), pytest.raises(PassError, match=r"the next value of .*weight"):
        run_passes(graph, [WRONG])


@dataclass(frozen=True)
class Forgetful:
    """Drops an update, without a note."""

    name: str = "forgetful"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        return Graph(graph.inputs, graph.outputs, {})


def test_a_pass_without_notes_is_named_all_the_same() -> None:
    store = Storage(np.ones((4, 6), np.float32))
    weight = variable("weight", TensorType((4, 6), float32), store)
    graph = Graph((X,), {}, {weight: neg(weight)})
    with CHECK.override("2"), pytest.raises(PassError, match="pass 'forgetful' changed a value"):
        run_passes(graph, [Forgetful()])


def test_inexact_rules_are_checked_with_a_tolerance() -> None:
    @rule(x + x, needs="fast")
    def almost(x: Node) -> Node:
        """x + x = x * 2.000001"""
        return mul(x, number(2.000001))

    @rule(x + x, needs="fast")
    def far_off(x: Node) -> Node:
        """x + x = x * 2.1"""
        return mul(x, number(2.1))

    graph = graph_of(add(X, X))
    with CHECK.override("2"):
        run_passes(graph, [Rewrite("close", (almost,))], numerics="fast")
        with pytest.raises(PassError, match="far_off"):
            run_passes(graph, [Rewrite("far", (far_off,))], numerics="fast")


def test_unknown_sizes_are_sampled() -> None:
    batch = Dim.named("batch")
    wide = placeholder("wide", TensorType((batch, 4), float32))
    graph = graph_of(sub(wide, reshape(wide, shape=(batch, 4))))
    with CHECK.override("2"), pytest.raises(PassError, match="swapped"):
        run_passes(graph, [WRONG])


def test_sizes_that_nobody_finds_are_noted() -> None:
    odd = Dim.named("odd")
    wide = placeholder("wide", TensorType((odd,), float32))
    graph = graph_of(exp(exp(reshape(wide, shape=(7, 11)))))
    with CHECK.override("2"):
        _, records = run_passes(graph, [WRONG])
    assert "GRAPHC_CHECK: found no sizes to compare values with" in records[0].refused


def test_index_inputs_are_sampled_within_range() -> None:
    rows = input_node("rows", (5,), int64)
    table = input_node("table", (3, 2))
    graph = graph_of(sub(index(table, rows, dims=(0,)), number(1)))
    for feed in sample_feeds(graph):
        assert feed["rows"].min() >= 0
        assert feed["rows"].max() < 3
    with CHECK.override("2"), pytest.raises(PassError, match="swapped"):
        run_passes(graph, [WRONG])


def test_samples_are_the_same_each_time_and_hold_special_values() -> None:
    graph = graph_of(add(X, Y), input_node("n", (9,), int32))
    first, second = list(sample_feeds(graph)), list(sample_feeds(graph))
    for one, other in zip(first, second, strict=True):
        assert all(one[name].tobytes() == other[name].tobytes() for name in one)
    assert not np.array_equal(first[0]["x"], first[0]["y"])
    assert np.isfinite(first[0]["x"]).all()
    assert np.isnan(first[1]["x"]).any()
    assert np.iinfo(np.int32).min in first[1]["n"]
    assert sample_sizes(graph) == {}


@dataclass(frozen=True)
class Breaks:
    """Makes a graph whose input is missing."""

    name: str = "breaks"
    requires: tuple[str, ...] = ("something",)
    ensures: tuple[str, ...] = ()

    def run(self, graph: Graph) -> Graph:
        return Graph((), graph.outputs)


def test_a_broken_graph_is_found_right_after_the_pass() -> None:
    broken: Pass = Breaks(requires=())
    with CHECK.override("1"), pytest.raises(PassError, match="pass 'breaks' broke the graph"):
        run_passes(program(), [broken])


def test_what_a_pass_requires_must_be_ensured_before() -> None:
    with pytest.raises(PassError, match="pass 'breaks' needs something"):
        run_passes(program(), [Breaks()])


def test_nodes_without_inputs_survive() -> None:
    node = make_node(constant(np.float32(1)).op, (), constant(np.float32(1)).attrs)
    new, _ = optimize(graph_of(node))
    assert new.outputs["out0"] is node
