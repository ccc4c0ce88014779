"""``gather`` and ``scatter_add`` whose positions are the same in all rows, against plain loops."""

import tracemalloc

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import graphc as gc
from graphc.errors import IndexRangeError
from graphc.ops.index import gather, scatter_add
from graphc.storage import Array


@st.composite
def problems(draw: st.DrawFn) -> tuple[Array, Array, Array, int]:
    """What is read, positions that repeat along some dims in memory, what is added, the dim."""
    rank = draw(st.integers(1, 3))
    dim = draw(st.integers(0, rank - 1))
    shape = [draw(st.integers(axis == dim, 4)) for axis in range(rank)]
    picked = [draw(st.integers(0, size)) if draw(st.booleans()) else size for size in shape]
    picked[dim] = draw(st.integers(0, 6))
    once = [1 if size and draw(st.booleans()) else size for size in picked]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    dtype = draw(st.sampled_from(["float32", "float64", "float16", "int32", "bool", "complex64"]))
    index = np.broadcast_to(rng.integers(0, shape[dim], once), picked)
    scales = 10.0 ** rng.integers(-3, 4, picked)  # another order of additions gives other bits
    source = (rng.normal(size=picked) * scales).astype(dtype)
    x = (rng.normal(size=shape) * 9).astype(dtype)
    return np.asfortranarray(x) if draw(st.booleans()) else x, index, source, dim


@hypothesis.given(problems())
@hypothesis.settings(max_examples=300)
def test_every_element_comes_from_its_place(problem: tuple[Array, Array, Array, int]) -> None:
    x, index, source, dim = problem
    read, total = np.empty(index.shape, x.dtype), np.array(x, order="C")
    for at in np.ndindex(*index.shape):
        place = (*at[:dim], index[at], *at[dim + 1 :])
        read[at] = x[place]
        total[place] = total[place] + source[at]
    for got, wanted in (
        (gather.eval(x, index, dim=dim), read),
        (scatter_add.eval(x, index, source, dim=dim), total),
    ):
        assert got.dtype == wanted.dtype
        assert got.shape == wanted.shape
        assert got.flags.c_contiguous
        assert got.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("dim", [0, 1])
def test_few_elements_are_read_without_a_copy_of_all(dim: int) -> None:
    x, shape = np.arange(250_000.0).reshape(500, 500).T, (500, 3)
    line = np.array([400, 7, 7])
    index = np.broadcast_to(line, shape) if dim else np.broadcast_to(line[:, None], shape[::-1])
    gather.eval(x, index, dim=dim)
    tracemalloc.start()
    try:
        found = gather.eval(x, index, dim=dim)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(found, x[:, line] if dim else x[line])
    assert found.flags.c_contiguous
    assert peak < x.nbytes / 10


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_position_outside_is_refused(wrong: int) -> None:
    x, index = np.ones((2, 3)), np.broadcast_to(np.array([0, wrong]), (2, 2))
    with pytest.raises(IndexRangeError, match="gather: index out of range"):
        gather.eval(x, index, dim=1)
    with pytest.raises(IndexRangeError, match="scatter_add: index out of range"):
        scatter_add.eval(x, index, np.ones((2, 2)), dim=1)


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16], ids=str)
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_of_16_bits_are_rounded_once(dtype: gc.DType, compiled: bool) -> None:
    """4096 ones, added one by one in 16 bits, stop at 2048 or 256."""

    def total(x: gc.Tensor) -> gc.Tensor:
        return gc.gather(x, 1, gc.zeros((2, 4096), dtype=gc.int64)).sum()

    gradient = gc.func.grad(total)
    found = (gc.compile(gradient) if compiled else gradient)(gc.ones(2, 3, dtype=dtype))
    assert found.dtype is dtype
    assert found.tolist() == [[4096, 0, 0]] * 2
