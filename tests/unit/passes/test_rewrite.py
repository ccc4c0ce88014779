"""Patterns and the driver."""

from __future__ import annotations

import pytest

from graphc.dtypes import float32
from graphc.errors import PassError
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import add, cos, div, exp, log, mul, neg, sin, sub, tanh
from graphc.ops.leaf import placeholder
from graphc.ops.select import cast
from graphc.ops.shape import expand, permute, reshape
from graphc.passes.base import Journal, writing
from graphc.passes.pattern import Attr, Match, Pattern, as_pattern, uniform_value, var
from graphc.passes.rewrite import Refusal, Rewrite, rewrite, rule
from graphc.provenance import Origin, made_for, origins_of
from graphc.types import TensorType
from tests.unit.passes.programs import graph_of, input_node, number

X, Y = input_node("x", (2, 3)), input_node("y", (2, 3))
x, y = var("x"), var("y")


def matches(pattern: Pattern, node: Node) -> list[dict[str, object]]:
    return [dict(found.bindings) for found in pattern.match(node, Match({}))]


def test_patterns_look_like_expressions() -> None:
    assert matches(log(1 + x), log(add(number(1), X))) == [{"x": X}]
    assert matches(2 / x - y * 3, sub(div(number(2), X), mul(Y, number(3)))) == [{"x": X, "y": Y}]
    assert matches(-x, neg(X)) == [{"x": X}]
    assert matches(3 - x, sub(number(3), X)) == [{"x": X}]
    assert matches(x / y, mul(X, Y)) == []


def test_commutative_operations_match_in_both_orders() -> None:
    assert matches(x + exp(y), add(exp(Y), X)) == [{"x": X, "y": Y}]
    assert matches(exp(x) + exp(y), add(exp(X), exp(Y))) == [{"x": X, "y": Y}, {"x": Y, "y": X}]
    assert matches(exp(x) - y, sub(Y, exp(X))) == []


def test_a_repeated_variable_must_be_one_node() -> None:
    assert matches(x * x, mul(X, X)) == [{"x": X}]
    assert matches(x * x, mul(X, Y)) == []
    assert matches(x / (x + y), div(X, add(Y, X))) == [{"x": X, "y": Y}]


def test_numbers_match_uniform_constants_of_any_shape_and_sign_of_zero() -> None:
    assert matches(as_pattern(0.0), number(-0.0)) == []
    assert matches(as_pattern(-0.0), number(-0.0)) == [{}]
    assert matches(as_pattern(1), expand(reshape(number(1), shape=(1,)), shape=(4, 4))) == [{}]
    assert uniform_value(X) is None
    assert uniform_value(number(float("nan"))) is not None


def test_attributes_bind_and_compare() -> None:
    flipped = permute(X, dims=(1, 0))
    assert matches(permute(x, dims=Attr("dims")), flipped) == [{"x": X, "dims": (1, 0)}]
    assert matches(permute(x, dims=(0, 1)), flipped) == []
    assert matches(cast(x, dtype=float32), cast(X, dtype=float32)) == [{"x": X}]


def test_accepts_limits_a_variable() -> None:
    only_y = var("y", lambda node: node is Y)
    assert matches(x + only_y, add(Y, X)) == [{"x": X, "y": Y}]
    assert matches(x + only_y, add(X, X)) == []


def test_a_pattern_has_no_type() -> None:
    with pytest.raises(PassError, match="no type"):
        _ = x.type


@rule(sin(x))
def sine(x: Node) -> Node:
    """sin(x) = cos(x), which is wrong but fires"""
    return cos(x)


@rule(cos(x))
def cosine(x: Node) -> Node:
    """cos(x) = sin(x), which turns the other back"""
    return sin(x)


def test_nothing_fired_gives_the_same_object() -> None:
    graph = graph_of(exp(mul(X, Y)))
    assert rewrite(graph, [sine]) is graph
    assert Rewrite("none", ()).run(graph) is graph


def test_every_occurrence_is_replaced_and_sharing_is_kept() -> None:
    shared = sin(X)
    with writing(Journal()) as notes:
        new = rewrite(graph_of(add(exp(shared), shared), tanh(shared)), [sine])
    assert new.outputs["out0"] is add(exp(cos(X)), cos(X))
    assert new.outputs["out1"] is tanh(cos(X))
    assert notes.fired()["sine"].count == 1


def test_depth_is_no_limit() -> None:
    node = X
    for _ in range(3000):
        node = neg(exp(node))
    assert len(rewrite(graph_of(node), [sine])) == 6001


def test_rules_that_never_rest_are_named() -> None:
    with pytest.raises(PassError, match="never come to rest: cosine, sine"):
        rewrite(graph_of(sin(X)), [sine, cosine])

    @rule(exp(x))
    def grow(x: Node) -> Node:
        """exp(x) = neg(exp(x)), which grows for ever"""
        return neg(exp(x))

    with (
        made_for(frozenset({Origin("model.py", 3)})),
        pytest.raises(PassError, match="never come to rest: grow") as caught,
    ):
        rewrite(graph_of(exp(input_node("z", (5,)))), [grow])
    assert "created at" in str(caught.value)


def test_new_and_surviving_nodes_get_the_origins_of_all_matched_nodes() -> None:
    first, second, third = (Origin("model.py", line) for line in (1, 2, 3))
    with made_for(frozenset({first})):
        z = placeholder("origins", TensorType((3,), float32))
    with made_for(frozenset({second})):
        inner = sin(z)
    with made_for(frozenset({third})):
        outer = exp(inner)

    @rule(exp(sin(x)))
    def merge(x: Node) -> Node:
        """exp(sin(x)) = neg(tanh(x))"""
        return neg(tanh(x))

    new = rewrite(graph_of(outer), [merge]).outputs["out0"]
    assert origins_of(new) >= {second, third}
    assert origins_of(new.inputs[0]) >= {second, third}

    @rule(exp(sin(x)))
    def survive(x: Node) -> Node:
        """exp(sin(x)) = x"""
        return x

    rewrite(graph_of(outer), [survive])
    assert origins_of(z) == {first, second, third}


def test_a_replacement_is_broadcast_to_the_type_that_it_replaces() -> None:
    @rule(x + y)
    def first(x: Node, y: Node) -> Node:
        """x + y = x, which is wrong"""
        return x

    small = input_node("small", (3,))
    with writing(Journal("fast")):
        new = rewrite(graph_of(add(small, X)), [first]).outputs["out0"]
    assert new is expand(small, shape=(2, 3))


def test_a_rule_that_changes_the_type_is_an_error() -> None:
    @rule(exp(x))
    def narrower(x: Node) -> Node:
        """exp(x) = x as bool, which is wrong"""
        return reshape(x, shape=(6,))

    with pytest.raises(PassError, match="narrower"):
        rewrite(graph_of(exp(X)), [narrower])


def test_a_refusal_is_noted_once_with_its_place() -> None:
    @rule(exp(x))
    def never(x: Node) -> Refusal:
        """exp(x) = x where pigs fly"""
        return Refusal("pigs do not fly")

    shared = exp(X)
    graph = graph_of(add(shared, sin(shared)))
    with writing(Journal()) as notes:
        rewrite(graph, [never, sine])
    assert notes.refused()["never: pigs do not fly"].count == 1
    assert "test_rewrite.py" in notes.refused()["never: pigs do not fly"].places[0]


def test_a_budget_stops_after_so_many_changes() -> None:
    graph = graph_of(add(sin(X), sin(Y)))
    with writing(Journal(budget=1)):
        new = rewrite(graph, [sine])
    assert new.outputs["out0"] is add(cos(X), sin(Y))


def test_a_rule_needs_its_equation() -> None:
    def silent(x: Node) -> Node:
        return x

    with pytest.raises(PassError, match="equation"):
        rule(exp(x))(silent)


def test_updates_are_rewritten_and_leaves_are_not() -> None:
    graph = Graph((X,), {"x": X}, {})
    assert rewrite(graph, [rule(var("x"))(_anything)]) is graph


def _anything(x: Node) -> Node:
    """x = neg(x), which would never end"""
    return neg(x)
