"""Vectors of positions along the last dim are read and added row by row, in both executions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import IndexRangeError
from graphc.frontend.graph import Graph
from tests.both_modes import check_both
from tests.closeness import assert_same
from tests.torch_oracle import check

Read = Callable[[gc.Tensor], gc.Tensor]

PLACES = [2, 0, 2, 1]

READS: dict[str, Read] = {
    "tensor": lambda x: x[:, gc.tensor(PLACES)],
    "list": lambda x: x[:, [2, 0, -1, 1]],
    "array behind dots": lambda x: x[..., np.array(PLACES)],
    "part": lambda x: x[1:, PLACES],
    "index_select": lambda x: gc.index_select(x, -1, gc.tensor(PLACES)),
    "one position": lambda x: gc.index_select(x, 1, gc.tensor(2)),
    "repeat_interleave": lambda x: gc.repeat_interleave(x, gc.tensor([2, 0, 3]), 1),
    "unfold": lambda x: x.unfold(1, 2, 1),
}


def operations(read: Read, shape: tuple[int | None, ...]) -> list[str]:
    with Graph() as graph:
        x = gc.placeholder(shape, name="x")
        graph.output(read(x), "y")
    return [node.op.name for node in graph.nodes if node.op.name in ("index", "gather", "permute")]


@pytest.mark.parametrize("name", READS)
def test_they_are_one_gather(name: str) -> None:
    assert operations(READS[name], (2, 3)) == ["gather"]
    assert operations(READS[name], (None, 3)) == ["gather"]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_images_are_resized_without_permuted_columns(mode: str, dims: int) -> None:
    name = {"nearest": "nearest", "linear": ["linear", "bilinear", "trilinear"][dims - 1]}[mode]
    found = operations(lambda x: F.interpolate(x, size=5, mode=name), (1, 2, *[3] * dims))
    taps = 1 if mode == "nearest" else 2
    assert [found.count("gather"), found.count("index")] == [taps, taps * (dims - 1)]
    assert found.count("permute") == found.count("index")


def test_other_dims_and_other_positions_stay_indices() -> None:
    assert operations(lambda x: x[gc.tensor(PLACES)], (3, 2)) == ["index"]
    assert operations(lambda x: x[:, PLACES], (2, 3, 4)) == ["index", "permute"]
    assert operations(lambda x: x[:, [[2, 0], [1, 1]]], (2, 3)) == ["index", "permute"]
    assert operations(lambda x: x[[0, 1], [2, 0]], (2, 3)) == ["index"]
    assert operations(lambda x: x[PLACES], (3,)) == ["index"]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "complex128"])
@pytest.mark.parametrize("shape", [(2, 3), (1, 3), (0, 3), (2, 1, 4, 3), (5, 0, 3)])
@pytest.mark.parametrize("places", [PLACES, [1], []], ids=str)
def test_as_pytorch_reads_and_adds(dtype: str, shape: tuple[int, ...], places: list[int]) -> None:
    x = (np.arange(np.prod(shape)) % 5).reshape(shape).astype(dtype)
    index = np.array(places, np.int64)
    check(lambda m, x, i: x[..., i], x, index)
    check(lambda m, x, i: m.index_select(x, -1, i), x, index)
    check(lambda m, x, i: x[..., i - 3], x, index)


@pytest.mark.parity
def test_derivatives_of_derivatives() -> None:
    def twice(m: Any, x: Any, i: Any) -> Any:
        gradient = m.func.grad(lambda x: (x[:, i] ** 3).sum())
        return m.func.grad(lambda x: (gradient(x) ** 2).sum())(x)

    check(twice, np.arange(6.0).reshape(2, 3), np.array(PLACES))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_gradients_add_up_in_the_order_of_positions(dtype: str, rng: np.random.Generator) -> None:
    """16 bits add up in 32 and are rounded once."""
    x, index = rng.normal(size=(3, 4)).astype(dtype), rng.integers(0, 4, 50)
    weights = (rng.normal(size=(3, 50)) * 10.0 ** rng.integers(-3, 4, (3, 50))).astype(dtype)
    wide = np.zeros((3, 4), "float32" if dtype == "float16" else dtype)
    for place, column in zip(index, weights.T, strict=True):
        wide[:, place] += column
    gradient = gc.func.grad(lambda x, i, w: (x[:, i] * w).sum())
    got = [gradient(*map(gc.tensor, (x, index, weights)))]
    got += [
        gc.compile(gradient, backend=backend)(*map(gc.tensor, (x, index, weights)))
        for backend in ("numpy", "llvm")
    ]
    for each in got:
        assert each.numpy().tobytes() == wide.astype(dtype).tobytes()


@pytest.mark.parametrize("rows", [2, 0])
def test_errors_are_those_of_other_dims(rows: int) -> None:
    def error(read: Callable[[], Any]) -> str:
        with pytest.raises(IndexRangeError) as caught:
            read()
        return str(caught.value).split("created at")[0]

    x = gc.zeros(rows, 3)
    wrong = gc.tensor([0, 3])
    wanted = error(lambda: gc.index_select(x.t(), 0, wrong))
    assert error(lambda: gc.index_select(x, 1, wrong)) == wanted
    assert error(lambda: x[:, wrong]) == error(lambda: x.t()[wrong])


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_compiled_programs_call_the_positions_so_too(backend: str) -> None:
    reads: dict[str, Callable[[gc.Tensor, gc.Tensor], gc.Tensor]] = {
        "index": lambda x, i: x[:, i],
        "index_select": lambda x, i: gc.index_select(x, 1, i),
    }
    for name, read in reads.items():
        run = gc.compile(read, backend=backend)
        with pytest.raises(
            IndexRangeError, match=f"{name}: index out of range\n  got: 3\n"
        ) as caught:
            run(gc.zeros(2, 3), gc.tensor([0, 3]))
        assert "expected: 0..2" in str(caught.value)


def test_examples_with_positions_of_their_own(rng: np.random.Generator) -> None:
    x, many = gc.tensor(rng.normal(size=(4, 2, 3))), gc.tensor(rng.integers(0, 3, (4, 5)))
    for each, index, dims in ((x, many, (0, 0)), (x[0], many, (None, 0)), (x, many[0], (0, None))):
        got = gc.func.vmap(lambda x, i: x[:, i], in_dims=dims)(each, index)
        for number, example in enumerate(got):
            own = each if dims[0] is None else each[number]
            places = index if dims[1] is None else index[number]
            assert_same(example.numpy(), own.numpy()[:, places.numpy()])


def test_rows_of_unknown_number(rng: np.random.Generator) -> None:
    with Graph() as graph:
        x, index = gc.placeholder((None, 3), name="x"), gc.placeholder((None,), "int64", name="i")
        graph.output(x[:, index], "y")
        graph.output(gc.func.grad(lambda x: (x[:, index] ** 2).sum())(x), "g")
    for backend in ("numpy", "llvm"):
        session = graph.compile(backend=backend)
        for rows, places in ((2, [2, 2, -3]), (0, [1]), (1, []), (5, [0])):
            array = rng.normal(size=(rows, 3)).astype(np.float32)
            at = np.array(places, np.int64)
            made = session.run({"x": array, "i": at})
            counts = np.bincount(at % 3, minlength=3)
            assert_same(made["y"], np.ascontiguousarray(array[:, at]))
            np.testing.assert_allclose(made["g"], 2 * counts * array, rtol=1e-6)


def test_a_write_to_the_result_leaves_the_source(rng: np.random.Generator) -> None:
    def write(x: gc.Tensor) -> Any:
        for made in (x[:, [0]], gc.index_select(x, 1, gc.tensor([1])), x.unfold(1, 1, 1)):
            made += 1
        return x * 1

    array = rng.normal(size=(2, 3))
    assert_same(check_both(write, array, grads=False).outputs[0], array)
