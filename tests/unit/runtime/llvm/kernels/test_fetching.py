"""Which operands are asked for ahead, and that the code does it."""

from typing import Any

import numpy as np
import pytest

from graphc.graph import Graph
from graphc.ops.elementwise import add, exp, mul
from graphc.ops.reduce import argmax, sum_
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.kernel import build_kernel, phases_of
from tests.unit.runtime.llvm.guard import Array, layout_of
from tests.unit.runtime.llvm.kernels.test_kernel import graph, inputs_of, layer_norm, normal
from tests.unit.runtime.llvm.kernels.test_schedule import AVX512


def layouts(body: Graph, arrays: tuple[Array, ...]) -> tuple[Any, Any]:
    outputs = [
        layout_of(np.empty(node.type.static_shape, node.type.dtype.numpy))
        for node in body.outputs.values()
    ]
    return [layout_of(array) for array in arrays], outputs


def ahead(body: Graph, *arrays: Array) -> list[int]:
    """How many operands each phase asks for ahead."""
    phases = phases_of(Module(AVX512), body, *layouts(body, arrays))
    return [len(phase.ahead) for phase in phases.schedules]


def fetches(body: Graph, *arrays: Array) -> int:
    """How many cache lines the code asks for, as written."""
    module = Module(AVX512)
    build_kernel(module, body, *layouts(body, arrays))
    return module.text().count("call void @llvm.prefetch")


LARGE = normal(600, 1000)


def test_large_operands_of_maps_are_asked_for() -> None:
    a, b = inputs_of(LARGE, LARGE)
    assert ahead(graph((a, b), add(exp(a), b)), LARGE, LARGE) == [2]
    assert fetches(graph((a,), exp(a)), LARGE) > 0


@pytest.mark.parametrize("result", [lambda a: argmax(a, dims=(1,)), lambda a: sum_(a, dims=(1,))])
def test_rows_that_are_walked_once_are_asked_for(result: Any) -> None:
    (a,) = inputs_of(LARGE)
    assert ahead(graph((a,), result(a)), LARGE) == [1]


def test_a_sum_of_everything_is_asked_for_in_its_first_phase() -> None:
    (a,) = inputs_of(LARGE)
    first, *rest = ahead(graph((a,), sum_(exp(a), dims=(0, 1))), LARGE)
    assert first == 1
    assert rest
    assert not any(rest)


def test_what_the_cache_holds_is_not_asked_for() -> None:
    small, row = normal(50, 1000), normal(1, 1000)
    a, b, c = inputs_of(small, LARGE, row)
    assert ahead(graph((a,), exp(a)), small) == [0]
    assert fetches(graph((a,), exp(a)), small) == 0
    assert ahead(graph((b, c), mul(b, c)), LARGE, row) == [1]


def test_what_is_not_read_next_is_not_asked_for() -> None:
    columns, wide = LARGE[:, ::2], normal(3000, 300)[:, :150]
    a, b = inputs_of(columns, wide)
    assert ahead(graph((a,), exp(a)), columns) == [0], "no vector lies in one piece"
    assert ahead(graph((b,), exp(b)), wide) == [0], "most of what lies ahead is not read"
    turned = normal(1000, 600).T
    c, d = inputs_of(turned, LARGE)
    assert ahead(graph((c, d), add(c, d)), turned, LARGE) == [0], "tiles do it"


def test_long_rows_of_a_wider_array_are_asked_for() -> None:
    wide = normal(100, 20_000)[:, :10_000]
    (a,) = inputs_of(wide)
    assert ahead(graph((a,), exp(a)), wide) == [1]


def test_rows_that_are_fetched_whole_are_not_asked_for_twice() -> None:
    (a,) = inputs_of(LARGE)
    (phase,) = phases_of(
        Module(AVX512), body := graph((a,), *layer_norm(a, a, a, (1,))), *layouts(body, (LARGE,))
    ).schedules
    assert any(each.fetches for each in phase.passes)
    assert not phase.ahead
