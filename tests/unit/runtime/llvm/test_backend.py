"""Whole plans through the LLVM backend against the meaning of the graph."""

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from graphc.config import CACHE, CACHE_DIR, ISA
from graphc.dtypes import complex64, float16, float32, float64, int32, int64
from graphc.errors import IndexRangeError
from graphc.evaluate import evaluate
from graphc.graph import Graph, topological
from graphc.node import Node
from graphc.ops.elementwise import add, exp, mul, tanh
from graphc.ops.fused import fused, item
from graphc.ops.index import gather, index, index_add, scatter_add
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.matrix_exp import matrix_exp
from graphc.ops.random import random_bits
from graphc.ops.reduce import amax, sum_
from graphc.ops.shape import flip, permute
from graphc.runtime.backend import Kernel
from graphc.runtime.llvm.driver.addresses import address_of
from graphc.runtime.sessions.session import Session
from graphc.storage import Storage
from graphc.types import TensorType
from tests.random_graphs import Program, programs


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    directory: Path = tmp_path_factory.mktemp("objects")
    with CACHE.override("1"), CACHE_DIR.override(str(directory)):
        yield


BIT_SHAPES = [(), (1,), (15,), (16,), (64,), (5, 13), (3, 100), (0, 4), (1025,)]


def matrix(name: str, *shape: int, dtype: Any = float32) -> Node:
    return placeholder(name, TensorType(shape, dtype))


def feed_of(graph: Graph, seed: int = 0) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    return {
        node.attrs["name"]: generator.normal(size=node.type.static_shape).astype(
            node.type.dtype.numpy
        )
        for node in graph.inputs
    }


def check(graph: Graph, rtol: float = 1e-5) -> tuple[Kernel, ...]:
    feed = feed_of(graph)
    wanted, _ = evaluate(graph, feed)
    with Session(graph, backend="llvm") as session:
        got = session.run(feed)
        for name, array in wanted.items():
            assert got[name].dtype == array.dtype
            np.testing.assert_allclose(got[name], array, rtol=rtol, atol=1e-6)
        return session.kernels(feed)


@settings(max_examples=150, deadline=None)
@given(programs())
def test_random_programs(program: Program) -> None:
    wanted, updates = evaluate(program.graph, program.feed)
    wanted = {name: np.array(array, order="C") for name, array in wanted.items()}
    updates = {node: np.array(array, order="C") for node, array in updates.items()}
    got = Session(program.graph, backend="llvm").run(program.feed)
    pairs = [(got[name], array) for name, array in wanted.items()]
    pairs += [(np.array(node.attrs["source"].array), array) for node, array in updates.items()]
    for result, array in pairs:
        assert result.dtype == array.dtype
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the programs may overflow
            np.testing.assert_allclose(result, array, rtol=1e-4, atol=1e-5)


def test_native_and_numpy_steps_take_turns() -> None:
    x, w = matrix("x", 7, 8), matrix("w", 8, 7)
    hidden = tanh(matmul(mul(x, x), w))
    power = matrix_exp(hidden)
    kernels = check(Graph((x, w), {"y": exp(power), "h": add(hidden, hidden)}))
    names = {kernel.name: kernel for kernel in kernels if not kernel.native}
    assert set(names) == {"numpy.matrix_exp"}
    assert names["numpy.matrix_exp"].reason == "matrix_exp: no native code"
    steps = sorted(step for kernel in kernels for step in kernel.steps)
    assert steps == list(range(len(steps)))


def test_matrix_products_of_views() -> None:
    x, w = matrix("x", 3, 5, 8, dtype=float64), matrix("w", 6, 8, dtype=float64)
    product = matmul(flip(x, dims=(1,)), permute(w, dims=(1, 0)))
    check(Graph((x, w), {"y": product, "z": tanh(product)}))


def test_a_fused_step_with_two_results() -> None:
    x = matrix("x", 9, 33)
    a = matrix("a0", 9, 33)
    total = sum_(exp(a), dims=(1,))
    body = Graph((a,), {"r0": mul(exp(a), total), "r1": total})
    both = fused((x,), body)
    graph = Graph((x,), {"y": tanh(item(both, 0)), "s": add(item(both, 1), item(both, 1))})
    kernels = check(graph)
    assert all(kernel.native for kernel in kernels)


def test_equal_steps_share_a_kernel() -> None:
    x = matrix("x", 4, 40)
    y = x
    for _ in range(5):
        y = tanh(y)
    kernels = check(Graph((x,), {"y": y}))
    assert [len(kernel.steps) for kernel in kernels if kernel.native] in ([5], [1])


def test_complex_numbers_run_in_numpy() -> None:
    x = matrix("x", 4, dtype=complex64)
    kernels = check(Graph((x,), {"y": mul(x, x)}))
    assert [kernel.native for kernel in kernels] == [False]
    assert "complex" in kernels[0].reason


def test_variables_are_updated_in_place() -> None:
    storage = Storage(np.ones((6, 5), np.float32).T)
    weight = variable("weight", TensorType((5, 6), float32), storage)
    x = matrix("x", 5, 6)
    graph = Graph((x,), {"top": amax(weight, dims=(1,))}, {weight: add(weight, mul(x, x))})
    feed = feed_of(graph)
    session = Session(graph, backend="llvm")
    for step in range(1, 4):
        session.run(feed)
        np.testing.assert_allclose(storage.array, 1 + step * feed["x"] ** 2, rtol=1e-6)


def test_the_second_session_loads_from_the_cache() -> None:
    x = matrix("x", 3, 17)
    graph = Graph((x,), {"y": exp(add(x, x))})
    feed = feed_of(graph)
    phases = []
    for _ in range(2):
        with Session(graph, backend="llvm") as session:
            session.run(feed)
            phases.append(set(session.explain(feed).phases))
    assert "prepare: compile" in phases[0]
    assert "prepare: load from cache" in phases[1]


def test_smaller_instruction_sets_give_the_same_results() -> None:
    x = matrix("x", 7, 50)
    graph = Graph((x,), {"y": tanh(mul(x, exp(x))), "m": amax(x, dims=(0,))})
    for isa in ("", "baseline"):
        with ISA.override(isa):
            check(graph)


def test_profile_measures_every_step() -> None:
    x, w = matrix("x", 5, 8), matrix("w", 8, 7)
    graph = Graph((x, w), {"y": tanh(matmul(exp(x), w))})
    session = Session(graph, backend="llvm")
    assert "tanh" in str(session.profile(feed_of(graph), runs=2))


@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3)])
def test_addresses(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    for view in (array, array[tuple(slice(None, None, -1) for _ in shape)], array[1:]):
        assert address_of(view) == view.ctypes.data


@pytest.mark.parametrize("isa", ["", "baseline"])
@pytest.mark.parametrize("shape", BIT_SHAPES)
def test_random_bits_are_the_definitions(shape: tuple[int, ...], isa: str) -> None:
    state = matrix("state", 2, dtype=int64)
    graph = Graph((state,), {"bits": random_bits(state, call=3, shape=shape)})
    for seed, offset in ((0, 0), (-1, -1), (123456789123, 2**40), (7, -3), (2**62, 2**32 - 1)):
        feed = {"state": np.array([seed, offset])}
        wanted, _ = evaluate(graph, feed)
        with ISA.override(isa), Session(graph, backend="llvm") as session:
            np.testing.assert_array_equal(session.run(feed)["bits"], wanted["bits"])
            assert all(kernel.native for kernel in session.kernels(feed))


def draw(generator: np.random.Generator, shape: tuple[int, ...], size: int, dtype: Any) -> Any:
    return generator.integers(0, size, shape).astype(dtype.numpy)


def index_programs(flipped: bool) -> Iterator[tuple[Graph, dict[str, int]]]:
    """Programs that read and add at positions, and how large each index may be."""
    x, table = matrix("x", 6, 9, 4), matrix("table", 11, 37)
    if flipped:
        x = flip(permute(matrix("x", 4, 9, 6), dims=(2, 1, 0)), dims=(0, 2))
    i, j = matrix("i", 5, 1, dtype=int64), matrix("j", 7, dtype=int32)
    leaves = tuple(node for node in topological([x, i]) if node.op.name == "placeholder")
    yield Graph(leaves, {"y": index(x, i, dims=(1,))}), {"i": 9}
    yield Graph((*leaves, j), {"y": index(x, i, j, dims=(0, 2))}), {"i": 6, "j": 4}
    yield Graph((table, j), {"y": index(table, j, dims=(0,))}), {"j": 11}
    values = matrix("values", 7, 37)
    yield Graph((values, j), {"y": index_add(values, j, shape=(11, 37), dims=(0,))}), {"j": 11}
    cross = matrix("cross", 5, 7, 9)
    added = index_add(cross, i, j, shape=(6, 9, 4), dims=(0, 2))
    yield Graph((cross, i, j), {"y": added}), {"i": 6, "j": 4}
    at = matrix("at", 3, 9, 2, dtype=int64)
    where = tuple(node for node in topological([x, at]) if node.op.name == "placeholder")
    yield Graph(where, {"y": gather(x, at, dim=2)}), {"at": 4}
    source = matrix("source", 3, 9, 4)
    scattered = scatter_add(x, at, source, dim=0)
    yield Graph((*where, source), {"y": scattered}), {"at": 6}


@pytest.mark.parametrize("isa", ["", "baseline"])
@pytest.mark.parametrize("flipped", [False, True])
def test_indexing(flipped: bool, isa: str) -> None:
    generator = np.random.default_rng(2)
    for graph, sizes in index_programs(flipped):
        feed = feed_of(graph)
        for node in graph.inputs:
            name = node.attrs["name"]
            if name in sizes:
                feed[name] = draw(generator, node.type.static_shape, sizes[name], node.type.dtype)
        wanted, _ = evaluate(graph, feed)
        with ISA.override(isa), Session(graph, backend="llvm") as session:
            got = session.run(feed)
            np.testing.assert_allclose(got["y"], wanted["y"], rtol=1e-6, atol=1e-6)
            native = [kernel for kernel in session.kernels(feed) if not kernel.native]
            assert native == []
            for name, size in sizes.items():
                for wrong in (size, -1):
                    broken = feed[name].copy()
                    broken.flat[broken.size // 2] = wrong
                    with pytest.raises(IndexRangeError, match="out of range"):
                        session.run({**feed, name: broken})


def test_an_index_out_of_range_leaves_variables_alone() -> None:
    storage = Storage(np.ones((4, 3), np.float32))
    weight = variable("weight", TensorType((4, 3), float32), storage)
    i = matrix("i", 5, dtype=int64)
    rows = index(weight, i, dims=(0,))
    graph = Graph((i,), {"y": sum_(rows, dims=(0,))}, {weight: add(weight, weight)})
    session = Session(graph, backend="llvm")
    with pytest.raises(IndexRangeError):
        session.run({"i": np.array([0, 1, 2, 3, 4])})
    np.testing.assert_array_equal(storage.array, 1)
    session.run({"i": np.array([0, 1, 2, 3, 3])})
    np.testing.assert_array_equal(storage.array, 2)


def test_float16_runs_everywhere() -> None:
    x = matrix("x", 5, 40, dtype=float16)
    graph = Graph((x,), {"y": mul(x, add(x, x))})
    for isa in ("", "baseline"):
        with ISA.override(isa):
            check(graph)


def test_threads_share_a_session() -> None:
    x, w = matrix("x", 33, 40), matrix("w", 40, 40)
    graph = Graph((x, w), {"y": tanh(matmul(exp(x), w)), "s": sum_(mul(x, x), dims=(0, 1))})
    feeds = [feed_of(graph, seed) for seed in range(8)]
    with Session(graph, backend="llvm") as session, ThreadPoolExecutor(4) as pool:
        wanted = [session.run(feed) for feed in feeds]
        for feed_number, got in enumerate(pool.map(session.run, feeds * 5)):
            for name, array in wanted[feed_number % 8].items():
                np.testing.assert_array_equal(got[name], array)
