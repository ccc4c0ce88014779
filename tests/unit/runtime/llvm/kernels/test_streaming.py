"""Results that go past the caches: the same bits, wherever they lie."""

from collections.abc import Callable

import numpy as np
import pytest

import graphc as gc
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import add, exp, lt, mul
from graphc.ops.select import cast
from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.target import Target, named_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels import streaming
from graphc.runtime.llvm.kernels.kernel import build_kernel, phases_of
from graphc.runtime.llvm.kernels.schedule import describe
from tests.unit.runtime.llvm.guard import Array, Compiled, guarded, layout_of, reference
from tests.unit.runtime.llvm.harness import targets
from tests.unit.runtime.llvm.kernels.test_kernel import graph, inputs_of, normal, softmax

AVX512 = Target("x86_64-unknown-linux-gnu", "x86-64-v4", "", "avx512", 512, True)
LARGE = (1024, 1024)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small results are streamed, too."""
    monkeypatch.setattr(streaming, "STREAMED_BYTES", 256)


def placed(shape: tuple[int, ...], dtype: np.dtype, start: int) -> Array:
    """An array that starts so many elements behind a cache line."""
    count = int(np.prod(shape))
    memory = np.zeros(count * dtype.itemsize + 256, np.uint8)
    first = -memory.ctypes.data % 64 + start * dtype.itemsize
    return memory[first : first + count * dtype.itemsize].view(dtype).reshape(shape)


RESULTS: dict[str, Callable[[Node, Node], list[Node]]] = {
    "a map": lambda a, b: [add(a, b)],
    "a heavy map": lambda a, b: [exp(mul(a, b))],
    "rows": lambda a, b: [softmax(add(a, b), (1,))],
    "two results": lambda a, b: [add(a, b), softmax(a, (1,))],
    "bools": lambda a, b: [lt(a, b)],
    "doubles": lambda a, b: [cast(add(a, b), dtype=gc.float64), mul(a, b)],
    "short integers": lambda a, b: [cast(mul(a, b), dtype=gc.int16)],
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shape", [(33, 128), (5, 16), (64, 100), (3, 1000), (40, 16)])
@pytest.mark.parametrize("name", RESULTS)
def test_bits_do_not_depend_on_where_a_result_begins(name: str, shape: tuple[int, int]) -> None:
    x, y = normal(*shape) * 3, normal(*shape[::-1]).T * 3
    a, b = inputs_of(x, y)
    body = graph((a, b), *RESULTS[name](a, b))
    expected = reference(body, [x, y])
    for target in targets().values():
        seen = set()
        run = Compiled(body, [x, y], [np.empty_like(each, order="C") for each in expected], target)
        for start in (0, 0, 1, 4):
            outputs = [placed(each.shape, each.dtype, start) for each in expected]
            run(x, y, *outputs, cuts=(0.3, 0.6))
            for got, wanted in zip(outputs, expected, strict=True):
                np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
            seen.add(b"".join(output.tobytes() for output in outputs))
        assert len(seen) == 1


@pytest.mark.usefixtures("small")
def test_nothing_behind_the_result_is_written() -> None:
    for count in (256, 250, 129, 1024 + 63):
        x = normal(count)
        (a,) = inputs_of(x)
        body = graph((a,), exp(a))
        out = guarded(np.zeros_like(x))
        Compiled(body, [x], [out])(x, out)
        np.testing.assert_allclose(out, np.exp(x), rtol=1e-6)


def streams(body: Graph, arrays: list[Array], overwriting: tuple[int, ...] = ()) -> list[int]:
    outputs = [
        layout_of(np.empty(node.type.static_shape, node.type.dtype.numpy))
        for node in body.outputs.values()
    ]
    inputs = [layout_of(array) for array in arrays]
    phases = phases_of(Module(AVX512), body, inputs, outputs, overwriting)
    return [len(schedule.streams) for schedule in phases.schedules]


def test_only_large_results_in_memory_of_their_own_are_streamed() -> None:
    x, small = normal(*LARGE), normal(512, 512)
    (a,), (b,) = inputs_of(x), inputs_of(small)
    assert streams(graph((a,), add(a, a)), [x]) == [1]
    assert streams(graph((a,), add(a, a), exp(a)), [x], overwriting=(1,)) == [1]
    assert streams(graph((a,), add(a, a)), [x], overwriting=(0,)) == [0]
    assert streams(graph((b,), add(b, b)), [small]) == [0]


def test_rows_that_do_not_begin_cache_lines_are_not_streamed() -> None:
    x, odd = normal(*LARGE), normal(1024, 1030)
    (a,), (b,) = inputs_of(x), inputs_of(odd)
    assert streams(graph((a,), softmax(a, (1,))), [x]) == [1]
    assert streams(graph((b,), softmax(b, (1,))), [odd]) == [0]
    assert streams(graph((b,), add(b, b)), [odd]) == [1], "one run of elements"


def test_the_code_and_the_schedule_tell() -> None:
    x = normal(*LARGE)
    (a,) = inputs_of(x)
    body, layouts = graph((a,), add(a, a)), ([layout_of(x)], [layout_of(x)])
    module = Module(named_target("avx2"))
    build_kernel(module, body, *layouts)
    code = engine.assembly(module.text(), module.target)
    assert "vmovntps" in code
    assert "sfence" in code
    assert "past the caches" in describe(phases_of(module, body, *layouts).schedules)


def test_a_session_streams_what_it_returns_but_not_what_it_updates() -> None:
    parameter = gc.nn.Parameter(gc.zeros(LARGE))
    with gc.Graph() as recorded:
        x = gc.placeholder(LARGE, name="x")
        recorded.output(x + 1, "y")
        with gc.no_grad():
            parameter += x
    session = recorded.compile()
    feed = normal(*LARGE)
    np.testing.assert_array_equal(session.run({"x": feed})["y"], feed + 1)
    np.testing.assert_array_equal(parameter.detach().numpy(), feed)
    text = [kernel.schedule for kernel in session.kernels()]
    assert sum("past the caches" in each for each in text) == 1
