"""Spoiled memory: right plans compute the same, wrong ones show."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from graphc.config import CHECK
from graphc.dtypes import float64
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder
from graphc.ops.linalg import matmul
from graphc.runtime.numpy_backend import NumpyExecutable
from graphc.runtime.plan import Plan
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.poison import poisoned
from graphc.runtime.sessions.session import Session
from graphc.types import TensorType
from tests.backends import BACKENDS
from tests.random_graphs import Program, programs

SQUARE = TensorType((4, 4), float64)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=40)
@given(program=programs())
def test_results_stay_the_same(backend: str, program: Program) -> None:
    wanted, updates = evaluate(program.graph, program.feed)
    wanted = {name: np.array(array) for name, array in wanted.items()}
    updates = {node: np.array(array) for node, array in updates.items()}
    with CHECK.override("2"), Session(program.graph, backend=backend) as session:
        outputs = session.run(program.feed)
    for name, array in wanted.items():
        np.testing.assert_allclose(outputs[name], array, rtol=1e-6, atol=1e-6)
    for node, array in updates.items():
        np.testing.assert_allclose(node.attrs["source"].array, array, rtol=1e-6, atol=1e-6)


def products() -> Plan:
    """Two products of one operand, then a difference of both."""
    x = placeholder("x", SQUARE)
    first, second = matmul(x, x), matmul(e.neg(x), x)
    return make_plan(Graph([x], {"y": e.sub(matmul(first, x), matmul(second, x))}))


def result(plan: Plan) -> np.ndarray:
    arena = np.zeros(plan.arena_bytes, np.uint8)
    bound = [np.ones((4, 4)) for _ in range(plan.bound)]
    NumpyExecutable(plan).run(arena, bound)
    return bound[plan.outputs["y"]]


def test_a_value_that_is_read_too_late_is_nan() -> None:
    plan = products()
    right = poisoned(plan)
    *_, end = (k for k, step in enumerate(right.steps) if step.kind == "compute")
    step = right.steps[end]
    live = {plan.buffers[operand.buffer].offset for operand in step.inputs}
    dead = next(
        each.id for each in plan.buffers if each.kind == "arena" and each.offset not in live
    )
    late = replace(step, inputs=(replace(step.inputs[0], buffer=dead), step.inputs[1]))
    wrong = replace(right, steps=(*right.steps[:end], late, *right.steps[end + 1 :]))
    assert np.isfinite(result(right)).all()
    assert np.isnan(result(wrong)).all()


def test_a_value_that_was_never_written_is_nan() -> None:
    plan = poisoned(products())
    computed = [k for k, step in enumerate(plan.steps) if step.kind == "compute"]
    without = plan.steps[: computed[1]] + plan.steps[computed[1] + 1 :]
    assert np.isnan(result(replace(plan, steps=without))).any()


def test_nothing_to_spoil_is_no_change() -> None:
    x = placeholder("x", SQUARE)
    plan = make_plan(Graph([x], {"y": e.neg(x)}))
    assert poisoned(plan) is plan
