"""Numbers that count, and tensors of Python's numbers: PyTorch's bits, sizes and refusals."""

import numpy as np
import pytest

import graphc as gc
from graphc.dtypes import bool_
from graphc.errors import DTypeError, ShapeError
from tests.torch_oracle import torch

INF, NAN = float("inf"), float("nan")
DTYPES = ["float32", "float64", "int8", "int16", "int32", "int64"]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
def test_linspace_has_the_same_bits(dtype: str) -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        first, last = np.round(rng.normal(size=2) * 20, int(rng.integers(0, 17))).tolist()
        steps = int(rng.choice([0, 1, 2, 3, 7, 33, 100, 257, 1000]))
        wanted = torch().linspace(first, last, steps, dtype=getattr(torch(), dtype))
        found = gc.linspace(first, last, steps, dtype=getattr(gc, dtype))
        np.testing.assert_array_equal(found.numpy(), wanted.numpy(), f"{first} {last} {steps}")


@pytest.mark.parity
@pytest.mark.parametrize("dtype", [*DTYPES, "uint8"])
def test_ranges_have_the_same_size(dtype: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        first, last = sorted(np.round(rng.uniform(0, 60, size=2), int(rng.integers(0, 4))).tolist())
        step = float(rng.choice([1, 2, 1.5, 2.25, 3]))
        if rng.integers(2) and dtype != "uint8":
            first, last, step = last, first, -step
        wanted = torch().arange(first, last, step, dtype=getattr(torch(), dtype))
        found = gc.arange(first, last, step, dtype=getattr(gc, dtype))
        assert found.shape == tuple(wanted.shape), f"{first} {last} {step}"
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=3e-7)


def test_small_integers_count_as_the_bounds_say() -> None:
    assert gc.arange(-2.7, 2.5, dtype=gc.int8).tolist() == [-2, -1, 0, 1, 2, 3]
    assert gc.arange(-2.7, 2.5, dtype=gc.int64).tolist() == [-2, -1, 0, 1]


def test_what_does_not_count() -> None:
    for dtype in (bool_, gc.complex64):
        with pytest.raises(DTypeError, match="arange: unsupported dtype"):
            gc.arange(3, dtype=dtype)
    with pytest.raises(DTypeError, match="linspace: unsupported dtype"):
        gc.linspace(0, 1, 2, dtype=bool_)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinite_bounds(dtype: str) -> None:
    for first, last in ((0, INF), (-INF, INF), (NAN, 1), (-3e38, 3e38), (2, 2)):
        for steps in (1, 2, 3, 4):
            wanted = torch().linspace(first, last, steps, dtype=getattr(torch(), dtype))
            found = gc.linspace(first, last, steps, dtype=getattr(gc, dtype))
            np.testing.assert_array_equal(found.numpy(), wanted.numpy(), f"{first} {last} {steps}")


def test_complex_numbers_keep_their_imaginary_part() -> None:
    for data in (1j, [1j, 2], [[1, 2j]]):
        for dtype in (gc.float32, gc.int64):
            with pytest.raises(DTypeError, match="complex numbers do not fit"):
                gc.tensor(data, dtype=dtype)
    with pytest.raises(DTypeError, match="complex numbers do not fit"):
        gc.scalar_tensor(1j)
    assert gc.tensor(1j, dtype=bool_).item() is True


def test_sequences_of_different_lengths() -> None:
    for ragged in ([[1, 2], [3]], [[[1], [2]], [[3], [4, 5]]]):
        with pytest.raises(ShapeError, match="different lengths"):
            gc.tensor(ragged)
    for mixed in ([[1], 2], (1, (2,)), [[1, [2]]]):
        with pytest.raises(DTypeError, match="no array of numbers"):
            gc.tensor(mixed)
