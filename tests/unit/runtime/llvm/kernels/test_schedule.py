"""How kernels are cut into phases and units: any division of the units gives the same bits."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from graphc.dtypes import float16, float32
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import add, exp, mul, neg, sub, tanh
from graphc.ops.leaf import iota
from graphc.ops.reduce import amax, amin, argmax, argmin, sum_
from graphc.ops.select import cast
from graphc.ops.shape import expand
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels import fetching, scheduler, scopes
from graphc.runtime.llvm.kernels.kernel import build_kernel, phases_of
from graphc.runtime.llvm.kernels.schedule import Schedule, describe
from tests.unit.runtime.llvm.guard import Array, Compiled, guarded, layout_of, reference
from tests.unit.runtime.llvm.harness import targets
from tests.unit.runtime.llvm.kernels.test_kernel import (
    graph,
    inputs_of,
    layer_norm,
    normal,
    random_body,
    scalar,
    softmax,
)

AVX512 = Target("x86_64-unknown-linux-gnu", "x86-64-v4", "", "avx512", 512, True)
CUTS: list[tuple[float, ...]] = [(), (0.5,), (0.1, 0.35, 0.6, 0.85), tuple(np.linspace(0, 1, 40))]


@pytest.fixture(params=["small units", "small chunks"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits so low that small kernels are cut as only large ones are."""
    monkeypatch.setattr(scheduler, "UNIT_NANOSECONDS", 4.0)
    monkeypatch.setattr(scheduler, "TILE_BYTES", 64)
    monkeypatch.setattr(fetching, "FETCHED_ROW", 16)
    monkeypatch.setattr(fetching, "CACHED_BYTES", 256)
    monkeypatch.setattr(scheduler, "CACHED_BYTES", 256)
    monkeypatch.setattr(scopes, "LONG", 8)
    if request.param == "small chunks":
        monkeypatch.setattr(scheduler, "OUTER_BLOCK", 3)
        monkeypatch.setattr(scheduler, "CHUNK_ROUNDS", 2)
        monkeypatch.setattr(scheduler, "FEW_UNITS", 6)


def schedules(body: Graph, *arrays: Array) -> tuple[Schedule, ...]:
    outputs = [
        layout_of(np.empty(node.type.static_shape, node.type.dtype.numpy))
        for node in body.outputs.values()
    ]
    inputs = [layout_of(array) for array in arrays]
    return tuple(phases_of(Module(AVX512), body, inputs, outputs).schedules)


def divide(body: Graph, *arrays: Array, rtol: float = 1e-5, atol: float = 1e-5) -> None:
    """Run between guard pages with each division, on every target, and compare the bits."""
    expected = reference(body, arrays)
    for target in targets().values():
        inputs = [guarded(array) for array in arrays]
        outputs = [guarded(np.empty_like(np.asarray(wanted), order="C")) for wanted in expected]
        run = Compiled(body, inputs, outputs, target)
        first: list[bytes] = []
        for cuts in CUTS:
            for output in outputs:
                output.view(np.uint8 if output.ndim else output.dtype)[...] = 85
            run(*inputs, *outputs, cuts=cuts)
            results = [output.tobytes() for output in outputs]
            first = first or results
            assert results == first
        for got, wanted in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol)


# ---------------------------------------------------------------------- any division


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(24))
def test_random_bodies(seed: int) -> None:
    body, arrays = random_body(np.random.default_rng(seed))
    divide(body, *arrays)


SHAPES = [(200,), (3, 70), (70, 3), (5, 7, 33), (2, 3, 4, 17), (129, 20), (20, 129), (1, 90)]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shape", SHAPES)
def test_maps(shape: tuple[int, ...]) -> None:
    x, y = normal(*shape), normal(*shape[-1:])
    a, b = inputs_of(x, y)
    counted = cast(iota(shape, len(shape) - 1, float32), dtype=float32)
    divide(graph((a, b), add(mul(tanh(a), b), counted), neg(a)), x, y)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shape", SHAPES)
def test_reductions(shape: tuple[int, ...]) -> None:
    x = normal(*shape)
    (a,) = inputs_of(x)
    rank = len(shape)
    for dims in {(0,), (rank - 1,), tuple(range(rank)), tuple(range(1, rank)) or (0,)}:
        results = [sum_(a, dims=dims), amax(a, dims=dims), *layer_norm(a, a, a, dims)]
        divide(graph((a,), *results, softmax(a, dims)), x, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shape", [(200,), (3, 70), (70, 3), (129, 20), (20, 129)])
def test_positions(shape: tuple[int, ...]) -> None:
    x = np.round(normal(*shape))
    x.reshape(-1)[::7] = x.reshape(-1)[3]
    y = np.where(np.random.default_rng(3).random(shape) < 0.02, np.nan, x)
    for array in (x, y, np.full_like(x, -np.inf), np.full_like(x, np.inf), x.astype(np.int16)):
        (a,) = inputs_of(array)
        for dim in range(len(shape)):
            body = graph((a,), argmax(a, dims=(dim,)), argmin(a, dims=(dim,)))
            divide(body, array, rtol=0, atol=0)


@pytest.mark.usefixtures("small")
def test_halves_and_integers_in_chunks() -> None:
    for array in (
        (normal(150, 24) * 0.1).astype(np.float16),
        GENERATOR.integers(-100, 100, (150, 24)).astype(np.int32),
        GENERATOR.integers(0, 2, (150, 24)).astype(np.bool_),
    ):
        (a,) = inputs_of(array)
        for dims in ((0,), (1,), (0, 1)):
            results = [amax(a, dims=dims), amin(a, dims=dims)]
            if a.type.dtype is not float16:
                results.append(sum_(a, dims=dims))
            body = graph((a,), *results)
            if a.type.dtype is float16:
                host_only(body, array)
            else:
                divide(body, array, rtol=0, atol=0)


def host_only(body: Graph, array: Array) -> None:
    """The baseline processor has no conversion of float16."""
    expected = reference(body, [array])
    outputs = [np.empty_like(wanted) for wanted in expected]
    Compiled(body, [array], outputs)(array, *outputs, cuts=CUTS[2])
    for got, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


GENERATOR = np.random.default_rng(12)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [(8, 8), (16, 16), (17, 40), (40, 17), (70, 150), (3, 9, 33)])
def test_transposed_operands(shape: tuple[int, ...], dtype: str) -> None:
    x = GENERATOR.integers(0, 100, shape[::-1]).astype(dtype).T
    y = GENERATOR.integers(0, 100, shape).astype(dtype)
    a, b = inputs_of(x, y)
    operation: Callable[[Node, Node], Node] = add
    divide(graph((a, b), operation(a, b), a), x, y, rtol=0, atol=0)


def test_an_output_takes_the_place_of_an_input_in_every_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "UNIT_NANOSECONDS", 4.0)
    x, y, z = normal(33, 70), normal(1, 70), normal(1, 1)
    a, b, c = inputs_of(x, y, z)
    body = graph((a, b, c), mul(add(a, b), c), mul(add(b, b), c), add(c, c))
    expected = reference(body, [x, y, z])
    for cuts in CUTS:
        inputs = [guarded(x), guarded(y), guarded(z)]
        Compiled(body, inputs, inputs)(*inputs, *inputs, cuts=cuts)
        for got, wanted in zip(inputs, expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-6)


# ---------------------------------------------------------------------- the schedule as data


def test_small_kernels_are_one_unit() -> None:
    x = normal(8, 32)
    (a,) = inputs_of(x)
    (schedule,) = schedules(graph((a,), softmax(a, (1,))), x)
    assert schedule.units.count == 1


def test_a_softmax_keeps_its_exponentials() -> None:
    x = normal(512, 1024)
    (a,) = inputs_of(x)
    (schedule,) = schedules(graph((a,), softmax(a, (1,))), x)
    assert [len(each.reductions) for each in schedule.passes] == [1, 1, 0]
    (kept,) = schedule.passes[1].saves
    assert kept.op.name == "exp"
    assert schedule.passes[2].reads == (kept,)
    assert schedule.scratch_bytes == 1024 * 4
    assert schedule.units.count > 16


def test_cheap_values_are_computed_again() -> None:
    x = normal(512, 1024)
    (a,) = inputs_of(x)
    (schedule,) = schedules(graph((a,), layer_norm(a, a, a, (1,))[0]), x)
    assert schedule.scratch_bytes == 0


def test_a_large_sum_has_chunks_of_fixed_size() -> None:
    x = normal(1_000_003)
    (a,) = inputs_of(x)
    chunks, combining = schedules(graph((a,), sum_(a, dims=(0,))), x)
    assert chunks.units.count == math.ceil(1_000_003 / chunks.units.block)
    assert combining.units.count == 1


def test_sums_over_many_rows_read_the_rows_in_order() -> None:
    x = normal(4096, 1000)
    (a,) = inputs_of(x)
    body = graph((a,), *layer_norm(a, a, a, (0,)))
    phases = schedules(body, x)
    assert len(phases) == 5
    assert [phase.units.count for phase in phases][::2][:2] == [256, 256]
    last = phases[-1].analysis
    computed = {node.op.name for node in last.nodes if node not in last.leaves}
    assert "mul" in computed
    assert "rsqrt" not in computed, "computed again at each point"


def test_schedules_print_as_loops() -> None:
    x = normal(512, 1000)
    (a,) = inputs_of(x)
    text = describe(schedules(graph((a,), softmax(a, (1,))), x))
    assert text.splitlines()[1:] == [
        "  for i0 in 512: blocks of 4, a unit each",
        "    for i0 in 512",
        "      for i1 in 1000: vectors 15 x 64, 2 x 16, 1 x 8",
        "        amax",
        "      for i1 in 1000: vectors 31 x 32, 1 x 8",
        "        sum; keep exp; fetch the next row",
        "      for i1 in 1000: vectors 15 x 64, 2 x 16, 1 x 8",
        "        store; reuse exp",
    ]


def test_equal_layouts_give_equal_code() -> None:
    x = normal(300, 300)
    (a,) = inputs_of(x)
    body = graph((a,), mul(exp(a), expand(scalar(2.0), shape=(300, 300))), sub(a, a))
    modules = [Module(host_target()) for _ in range(2)]
    for module in modules:
        build_kernel(module, body, [layout_of(x)], [layout_of(x), layout_of(x)])
    assert modules[0].text() == modules[1].text()


# ---------------------------------------------------------------------- outputs of any layout

STRIDED_OUTPUTS: dict[str, Callable[[], Array]] = {
    "rows of a wider array": lambda: np.zeros((23, 90), np.float32)[:, 7:44],
    "every other element": lambda: np.zeros((23, 74), np.float32)[:, ::2],
    "in columns": lambda: np.zeros((37, 23), np.float32).T,
    "flipped": lambda: np.zeros((23, 37), np.float32)[::-1, ::-1],
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", STRIDED_OUTPUTS)
def test_outputs_may_have_any_strides(name: str) -> None:
    x, y = normal(23, 37), normal(37, 23).T
    a, b = inputs_of(x, y)
    for result in (add(a, b), softmax(mul(a, b), (1,)), softmax(mul(a, b), (0,))):
        body = graph((a, b), result)
        (wanted,) = reference(body, [x, y])
        for target in targets().values():
            inputs = [guarded(x), guarded(y)]
            out = guarded(STRIDED_OUTPUTS[name]())
            run = Compiled(body, inputs, [out], target)
            for cuts in CUTS[:3]:
                out[...] = 0
                run(*inputs, out, cuts=cuts)
                np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-6)


def test_short_rows_are_walked_side_by_side() -> None:
    x = normal(500, 10)
    (a,) = inputs_of(x)
    (schedule,) = schedules(graph((a,), softmax(a, (1,))), x)
    space = schedule.analysis.space
    assert space.vector in space.kept
    divide(graph((a,), softmax(a, (1,)), argmax(a, dims=(1,))), x)


def test_many_values_per_channel_do_not_decide_how_pixels_are_walked() -> None:
    x = normal(20, 16, 48)
    channels = [normal(16, 1) for _ in range(8)]
    image, *values = inputs_of(x, *channels)
    scaled = image
    for value in values:
        scaled = add(mul(scaled, value), value)
    body = graph((image, *values), scaled)
    (schedule,) = schedules(body, x, *channels)
    assert schedule.analysis.space.vector is not None
    assert schedule.analysis.space.vector.dim == 2
    divide(body, x, *channels, rtol=1e-4, atol=1e-3)
