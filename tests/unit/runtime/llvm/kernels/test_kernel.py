"""Kernels between guard pages against the definition of the operations, and their properties."""

import math
from typing import Any

import numpy as np
import pytest

from graphc.dtypes import DType, bool_, float32, float64, int32, int64, of_array
from graphc.errors import CompileError
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops.comparison import gt
from graphc.ops.elementwise import add, div, exp, log, mul, rsqrt, sqrt, sub, tanh
from graphc.ops.leaf import iota, placeholder
from graphc.ops.reduce import amax, amin, argmax, argmin, prod, sum_
from graphc.ops.select import cast, where
from graphc.ops.shape import concat, expand, reshape
from graphc.runtime.llvm.compiler import engine, native
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.kernel import build_kernel
from graphc.types import TensorType
from tests.unit.runtime.llvm.guard import Array, Compiled, guarded, layout_of, reference, run_kernel
from tests.unit.runtime.llvm.harness import targets

GENERATOR = np.random.default_rng(11)
LENGTHS = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 70, 127, 200]


def normal(*shape: int, dtype: Any = np.float32) -> Array:
    return GENERATOR.normal(size=shape).astype(dtype)


def inputs_of(*arrays: Array) -> tuple[Node, ...]:
    return tuple(
        placeholder(f"a{k}", TensorType(array.shape, of_array(array)))
        for k, array in enumerate(arrays)
    )


def graph(inputs: tuple[Node, ...], *results: Node) -> Graph:
    return Graph(inputs, {f"r{k}": node for k, node in enumerate(results)})


def scalar(value: float, dtype: Any = np.float32) -> Node:
    return constant(np.asarray(value, dtype))


def check(body: Graph, *arrays: Array, rtol: float = 2e-6, atol: float = 1e-6) -> None:
    """On every target, with the guard page behind and before the operands."""
    expected = reference(body, arrays)
    for target in targets().values():
        for at_start in (False, True):
            got = run_kernel(body, arrays, target, at_start=at_start)
            for result, wanted in zip(got, expected, strict=True):
                assert result.dtype == wanted.dtype
                np.testing.assert_allclose(result, wanted, rtol=rtol, atol=atol)


def softmax(x: Node, dims: tuple[int, ...]) -> Node:
    shifted = exp(sub(x, amax(x, dims=dims)))
    return div(shifted, sum_(shifted, dims=dims))


def layer_norm(x: Node, gain: Node, bias: Node, dims: tuple[int, ...]) -> tuple[Node, Node, Node]:
    count = math.prod(x.type.static_shape[dim] for dim in dims)
    mean = div(sum_(x, dims=dims), scalar(count))
    centered = sub(x, mean)
    variance = div(sum_(mul(centered, centered), dims=dims), scalar(count))
    inverse = rsqrt(add(variance, scalar(1e-5)))
    return add(mul(mul(centered, inverse), gain), bias), mean, variance


# ---------------------------------------------------------------------- maps


@pytest.mark.parametrize("length", LENGTHS)
def test_a_chain_of_any_length(length: int) -> None:
    x, y = normal(length), normal(length)
    a, b = inputs_of(x, y)
    check(graph((a, b), mul(tanh(add(a, b)), a), gt(a, b)), x, y)


STRIDED = {
    "transposed": lambda: (normal(23, 37), normal(37, 23).T),
    "row": lambda: (normal(23, 37), normal(37)),
    "column": lambda: (normal(23, 37), normal(23, 1)),
    "both broadcast": lambda: (normal(23, 1), normal(1, 37)),
    "expanded": lambda: (normal(23, 37), np.broadcast_to(normal(1, 37), (23, 37))),
    "scalar": lambda: (normal(23, 37), normal()),
    "flipped": lambda: (normal(23, 37)[::-1, ::-1], normal(23, 37)),
    "sliced": lambda: (normal(46, 74)[::2, ::2], normal(23, 40)[:, 2:39]),
    "flipped steps": lambda: (normal(23, 80)[:, ::-2][:, :37], normal(23, 37)),
    "all transposed": lambda: (normal(37, 23).T, normal(37, 23).T),
    "three dims": lambda: (normal(5, 6, 7).transpose(2, 0, 1), normal(5, 1)),
    "sizes of one": lambda: (normal(1, 4, 1, 9), normal(3, 1, 5, 1)),
    "0-d": lambda: (normal(), normal()),
    "one element": lambda: (normal(1), normal(1, 1)),
    "narrow": lambda: (normal(50, 3), normal(50, 3)),
}


@pytest.mark.parametrize("name", STRIDED)
def test_strides(name: str) -> None:
    x, y = STRIDED[name]()
    a, b = inputs_of(x, y)
    check(graph((a, b), add(mul(a, b), a), sub(b, a)), x, y)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5), (2, 0, 3)])
def test_zero_size_maps_write_nothing(shape: tuple[int, ...]) -> None:
    x = normal(*shape)
    (a,) = inputs_of(x)
    (got,) = run_kernel(graph((a,), add(a, a)), [x])
    assert got.shape == shape


def test_mixed_dtypes() -> None:
    x, flags, numbers = normal(9, 21), normal(9, 21) > 0, np.arange(21, dtype=np.int64)
    a, b, c = inputs_of(x, flags, numbers)
    wide = mul(cast(a, dtype=float64), cast(c, dtype=float64))
    body = graph((a, b, c), where(b, wide, cast(a, dtype=float64)), cast(wide, dtype=int32), b)
    check(body, x, flags, numbers)


def test_results_of_several_sizes() -> None:
    x, row = normal(7, 19), normal(19)
    a, b = inputs_of(x, row)
    squared = mul(b, b)
    check(graph((a, b), add(a, squared), squared, add(b, b), scalar(2.5)), x, row)


def test_iota_and_constant_arrays() -> None:
    x = normal(6, 17)
    (a,) = inputs_of(x)
    table = constant(np.arange(17, dtype=np.float32) ** 2)
    column = iota((6, 17), 1, int64)
    row = iota((6, 1), 0, float32)
    check(graph((a,), add(a, table), column, add(a, row), mul(cast(column, dtype=float32), a)), x)


@pytest.mark.parametrize("dtype", [int64, float32])
def test_counting_along_one_place_is_zero_at_all_others(dtype: DType) -> None:
    x = normal(6, 17)
    (a,) = inputs_of(x)
    first, both = iota((1,), 0, dtype), iota((1, 17), 0, dtype)
    check(graph((a,), add(a, cast(first, dtype=float32)), add(a, cast(both, dtype=float32))), x)


def test_views_that_keep_their_place() -> None:
    x, row = normal(6, 17), normal(17)
    a, b = inputs_of(x, row)
    spread = expand(reshape(b, shape=(1, 17)), shape=(6, 17))
    check(graph((a, b), mul(spread, a), spread), x, row)


def test_a_reshape_that_moves_dims_is_refused() -> None:
    x = normal(4, 4)
    (a,) = inputs_of(x)
    moved = reshape(amax(a, dims=(1,)), shape=(4,))
    with pytest.raises(CompileError, match="moves dims"):
        run_kernel(graph((a,), add(a, moved)), [x])


def test_an_operation_without_native_code_is_refused() -> None:
    x = normal(4)
    (a,) = inputs_of(x)
    with pytest.raises(CompileError, match="concat: no native code"):
        run_kernel(graph((a,), concat(a, a, dim=0)), [x])


@pytest.mark.parametrize("length", LENGTHS)
def test_the_tail_has_the_same_bits_as_whole_vectors(length: int) -> None:
    x = normal(256)
    results = []
    for part in (x, x[:length]):
        (a,) = inputs_of(part)
        body = graph((a,), log(add(exp(a), mul(tanh(a), tanh(a)))))
        results.append(run_kernel(body, [part])[0])
    assert results[0][:length].tobytes() == results[1].tobytes()


def test_an_output_may_take_the_place_of_an_input() -> None:
    x, y = normal(33, 70), normal(70)
    a, b = inputs_of(x, y)
    for body in (
        graph((a, b), mul(add(a, b), b), add(b, b)),
        graph((a, b), softmax(add(a, b), (1,))),
    ):
        expected = reference(body, [x, y])
        inputs = [guarded(x), guarded(y)]
        outputs = inputs[: len(expected)]
        Compiled(body, inputs, outputs)(*inputs, *outputs)
        for got, wanted in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-5)


# ---------------------------------------------------------------------- reductions

DIMS = [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)]


@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_softmax_over_any_dims(dims: tuple[int, ...], order: tuple[int, ...]) -> None:
    shape = np.array([5, 18, 35])[np.argsort(order)]
    x = normal(*shape).transpose(order)
    (a,) = inputs_of(x)
    assert x.shape == (5, 18, 35)
    check(graph((a,), softmax(a, dims)), x)


@pytest.mark.parametrize("length", LENGTHS)
def test_softmax_of_any_length(length: int) -> None:
    for x, dim in ((normal(3, length), 1), (normal(length, 3), 0)):
        (a,) = inputs_of(x)
        check(graph((a,), softmax(a, (dim,)), amax(a, dims=(dim,))), x)


@pytest.mark.parametrize("dims", DIMS)
def test_layer_norm_with_its_statistics(dims: tuple[int, ...]) -> None:
    x = normal(6, 9, 34) * 3 + 1
    statistics = tuple(1 if dim in dims else size for dim, size in enumerate(x.shape))
    gain, bias = normal(*statistics), normal(34)
    inputs = inputs_of(x, gain, bias)
    check(graph(inputs, *layer_norm(*inputs, dims)), x, gain, bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["flipped", "sliced", "expanded", "column"])
def test_reductions_of_strided_operands(name: str) -> None:
    x, y = STRIDED[name]()
    a, b = inputs_of(x, y)
    for dims in ((0,), (1,), (0, 1)):
        product = add(mul(a, b), a)
        body = graph((a, b), sum_(product, dims=dims), amin(product, dims=dims))
        check(body, x, y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int16", "int32", "int64", "float16", "float64"]
)
@pytest.mark.parametrize("dims", DIMS)
def test_all_reductions(dims: tuple[int, ...], dtype: str) -> None:
    x = (GENERATOR.integers(0, 100, (5, 18, 35)) % 3).astype(dtype)
    x[3] = GENERATOR.integers(0, 2, (18, 35)).astype(dtype)
    (a,) = inputs_of(x)
    operations = [sum_, amax, amin] + ([prod] if dtype != "bool" else [])
    results = [operation(a, dims=dims) for operation in operations]
    if len(dims) == 1:
        results += [argmax(a, dims=dims), argmin(a, dims=dims)]
    body = graph((a,), *results)
    for name, target in targets().items():
        if name == "baseline" and dtype == "float16":
            continue
        for got, wanted in zip(run_kernel(body, [x], target), reference(body, [x]), strict=True):
            assert got.dtype == wanted.dtype
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0,), (2, 0, 4)])
def test_reductions_of_nothing(shape: tuple[int, ...]) -> None:
    x = normal(*shape)
    (a,) = inputs_of(x)
    for dims in [(dim,) for dim in range(len(shape))] + [tuple(range(len(shape)))]:
        body = graph(
            (a,), sum_(a, dims=dims), prod(a, dims=dims), add(sum_(a, dims=dims), scalar(1))
        )
        for got, wanted in zip(run_kernel(body, [x]), reference(body, [x]), strict=True):
            np.testing.assert_array_equal(got, wanted)
            np.testing.assert_array_equal(np.signbit(got), np.signbit(wanted))


@pytest.mark.parametrize("length", [1, 7, 16, 70, 300])
def test_nan_and_infinity_in_reductions(length: int) -> None:
    x = normal(12, length)
    x[1, length // 2] = np.nan
    x[2, -1], x[2, 0] = np.nan, np.nan
    x[3, -1] = np.inf
    x[4] = -np.inf
    x[5] = np.inf
    x[6, 0], x[6, -1] = np.inf, -np.inf
    x[7] = 0.0
    x[8] = -0.0
    x[9] = np.nan
    for array, dim in ((x, 1), (np.ascontiguousarray(x.T), 0)):
        (a,) = inputs_of(array)
        operations = [amax, amin, argmax, argmin, sum_]
        body = graph((a,), *(operation(a, dims=(dim,)) for operation in operations))
        for target in targets().values():
            results = run_kernel(body, [array], target)
            for got, wanted in zip(results, reference(body, [array]), strict=True):
                np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_the_first_extreme_wins() -> None:
    x = np.tile(np.array([1, 3, 3, 0, 0, 2, 3], np.float32), (2, 30))
    (a,) = inputs_of(x)
    got = run_kernel(graph((a,), argmax(a, dims=(1,)), argmin(a, dims=(1,))), [x])
    assert [result.ravel().tolist() for result in got] == [[1, 1], [3, 3]]


@pytest.mark.parametrize("count", [257, 5000, 1_000_003])
@pytest.mark.parametrize("across", [True, False])
def test_long_sums_are_accurate(count: int, across: bool) -> None:
    values = (GENERATOR.random(count) + 0.1).astype(np.float32)
    exact = math.fsum(values.astype(np.float64).tolist())
    x = values.reshape(1, -1) if across else np.repeat(values[:, None], 3, axis=1)
    (a,) = inputs_of(x)
    (got,) = run_kernel(graph((a,), sum_(a, dims=(1 if across else 0,))), [x])
    assert np.all(np.abs(got.astype(np.float64) - exact) <= 16 * np.finfo(np.float32).eps * exact)


def test_a_long_sum_may_be_infinite() -> None:
    x = np.ones((3, 20_000), np.float32)
    x[0, 500], x[1, 500], x[2, :] = np.inf, np.nan, 3e38
    (a,) = inputs_of(x)
    (got,) = run_kernel(graph((a,), sum_(a, dims=(1,))), [x])
    np.testing.assert_array_equal(got.ravel(), np.array([np.inf, np.nan, np.inf], np.float32))


def test_repeated_elements_count_each_time() -> None:
    row = normal(1, 37)
    (a,) = inputs_of(row)
    spread = expand(a, shape=(11, 37))
    check(
        graph((a,), sum_(spread, dims=(0,)), sum_(mul(spread, spread), dims=(0,))), row, rtol=1e-5
    )


def test_different_reduced_dims_are_refused() -> None:
    x = normal(4, 5)
    (a,) = inputs_of(x)
    body = graph((a,), sum_(a, dims=(0,)), sum_(a, dims=(1,)))
    with pytest.raises(CompileError, match="different dims"):
        run_kernel(body, [x])


# ---------------------------------------------------------------------- the module


def test_equal_kernels_are_one() -> None:
    x, y = normal(8, 8), normal(8, 8)
    module = Module(host_target())
    symbols = set()
    for factor in (2.0, 2.0, 3.0):
        (a,) = inputs_of(x)
        body = graph((a,), mul(a, scalar(factor)))
        symbols.add(build_kernel(module, body, [layout_of(x)], [layout_of(y)]))
    assert len(symbols) == 2
    assert module.text().count("define i32 @kernel") == 2


def test_kernels_compile_for_aarch64() -> None:
    llvm = native.binding()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = Module(Target("aarch64-unknown-linux-gnu", "generic", "", "neon", 128, True))
    x = normal(9, 37)
    (a,) = inputs_of(x)
    for body in (graph((a,), softmax(a, (1,))), graph((a,), softmax(a, (0,)))):
        build_kernel(module, body, [layout_of(x)], [layout_of(x)])
    large, turned = np.empty((2048, 600), np.float32), np.empty((600, 2048), np.float32).T
    b, c = inputs_of(large, turned)
    layouts = [layout_of(large), layout_of(turned)]
    for result in (add(b, c), sum_(b, dims=(0,)), sum_(mul(b, b), dims=(0, 1)), softmax(b, (1,))):
        out = layout_of(np.empty(result.type.static_shape, np.float32))
        build_kernel(module, graph((b, c), result), layouts, [out])
    code = engine.compile_object(module.text(), module.target)
    assert int.from_bytes(code[18:20], "little") == 183  # EM_AARCH64


# ---------------------------------------------------------------------- random bodies

UNARY_OPS = [exp, tanh, lambda a: mul(a, a), lambda a: sqrt(add(mul(a, a), scalar(1)))]
BINARY_OPS = [add, sub, mul, lambda a, b: div(a, add(mul(b, b), scalar(1)))]


def random_body(generator: np.random.Generator) -> tuple[Graph, list[Array]]:
    """A chain with reductions over one set of dims; values stay near 1."""
    rank = int(generator.integers(1, 4))
    shape = tuple(int(generator.choice([1, 2, 5, 16, 19, 33])) for _ in range(rank))
    dims = tuple(dim for dim in range(rank) if generator.random() < 0.5)
    arrays = []
    for _ in range(3):
        sizes = [1 if generator.random() < 0.3 else size for size in shape]
        array = (generator.normal(size=sizes) * 0.5).astype(np.float32)
        if generator.random() < 0.3:
            order = generator.permutation(rank)
            array = np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))
        arrays.append(array)
    arrays[0] = (generator.normal(size=shape) * 0.5).astype(np.float32)
    inputs = inputs_of(*arrays)
    pool = list(inputs)
    for _ in range(int(generator.integers(2, 9))):
        kind = generator.random()
        a, b = (pool[int(generator.integers(len(pool)))] for _ in range(2))
        if kind < 0.3:
            made = tanh(UNARY_OPS[int(generator.integers(len(UNARY_OPS)))](a))
        elif kind < 0.6 or not dims:
            made = tanh(BINARY_OPS[int(generator.integers(len(BINARY_OPS)))](a, b))
        else:
            operand = expand(a, shape=shape) if a.type.shape != shape else a
            reduction = sum_ if kind < 0.85 else amax
            count = math.prod(shape[dim] for dim in dims)
            made = div(reduction(operand, dims=dims), scalar(count))
        pool.append(made)
    results = pool[-min(3, len(pool) - 3) :]
    return graph(inputs, *results), arrays


@pytest.mark.parametrize("seed", range(80))
def test_random_bodies(seed: int) -> None:
    body, arrays = random_body(np.random.default_rng(seed))
    for target in targets().values():
        results = run_kernel(body, arrays, target, at_start=bool(seed % 2))
        for got, wanted in zip(results, reference(body, arrays), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_boolean_reductions_are_any_and_all() -> None:
    x = normal(9, 40) > 2.2
    (a,) = inputs_of(x)
    assert a.type.dtype is bool_
    got = run_kernel(graph((a,), amax(a, dims=(1,)), amin(a, dims=(1,))), [x])
    np.testing.assert_array_equal(got[0], x.any(1, keepdims=True))
    np.testing.assert_array_equal(got[1], x.all(1, keepdims=True))
