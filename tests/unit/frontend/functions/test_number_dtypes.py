"""What dtype numbers of numpy and tensors without dims give where they stand for numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError
from tests.torch_oracle import check, from_torch, to_torch

NUMBERS = [
    np.float64(2.5), np.float32(2.5), np.float16(2), np.int64(2), np.int32(2), np.uint8(3),
    np.complex128(2j),
]  # fmt: skip
LISTS: list[Callable[[Any], Any]] = [
    lambda v: [v],
    lambda v: [[v], [v]],
    lambda v: [1.5, v],
    lambda v: [v, np.float64(0.1)],
]


@pytest.mark.parity
@pytest.mark.parametrize("nested", LISTS)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda v: type(v).__name__)
def test_elements_of_numpy_keep_their_dtype(number: Any, nested: Callable[[Any], Any]) -> None:
    check(lambda m: m.tensor(nested(number)))
    check(lambda m: m.as_tensor(nested(number)))


@pytest.mark.parity
def test_elements_that_are_tensors_keep_their_dtype() -> None:
    check(lambda m: m.tensor([m.tensor(1.5, dtype=m.float64), 2.5]))
    check(lambda m: m.tensor([[m.tensor(1)], [m.tensor(2.5, dtype=m.float16)]]))
    mixed = gc.tensor([np.array([1, 2], np.int8), np.array([3, 4], np.uint8)])
    assert mixed.dtype is gc.int16
    assert mixed.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64", "complex64"])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda v: type(v).__name__)
def test_operands_of_numpy_count_as_python_numbers(number: Any, dtype: str) -> None:
    def function(m: Any, x: Any) -> Any:
        x = x.to(getattr(m, dtype))
        return x * number, number * x, m.where(x == 0, x, number)

    check(function, np.array([0.0, 1.0], np.float32), grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("number", [np.float64(2.5), np.float32(2.5), np.int32(2)])
def test_fills_of_numpy_count_as_python_numbers(number: Any) -> None:
    check(lambda m: m.full((2,), number))
    check(lambda m: m.full_like(m.tensor([1]), number))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
def test_arange_takes_the_number_of_a_tensor(dtype: str) -> None:
    end = 1 if dtype == "bool" else 3
    check(lambda m: m.arange(m.tensor(end, dtype=getattr(m, dtype))))
    check(lambda m: m.arange(0, m.tensor(end, dtype=getattr(m, dtype)), m.tensor(2)))


def test_without_torch() -> None:
    assert gc.arange(gc.tensor(3)).dtype is gc.int64
    assert gc.arange(0, gc.tensor(3.0)).dtype is gc.float32
    assert (gc.tensor([1, 2]) * np.float64(2.5)).dtype is gc.float32
    assert gc.full((2,), np.float64(2)).dtype is gc.float32
    assert gc.tensor([np.float64(1.5)]).dtype is gc.float64
    assert gc.tensor([np.int32(1)]).dtype is gc.int32
    assert gc.tensor(range(3)).dtype is gc.int64
    with pytest.raises(ArgumentError, match="a bound must be a number"):
        gc.arange(gc.tensor([3]))
    with pytest.raises(ArgumentError, match="does not fit"):
        gc.full((2,), np.int64(300), dtype=gc.uint8)


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16])
@pytest.mark.parametrize("number", [0.1, 1 / 3, 257, 3001.0, -0.7, 1e-3, 1e6, np.float64(0.1)])
@pytest.mark.parity
def test_products_of_short_numbers_have_all_of_the_number(
    dtype: gc.DType, number: float, rng: np.random.Generator
) -> None:
    """The bits of PyTorch, which rounds once."""
    values = (rng.normal(size=400) * 3).astype(dtype.numpy)
    python = number.item() if isinstance(number, np.generic) else number
    for compute in (
        lambda x, n: x * n,
        lambda x, n: n * x,
        lambda x, n: x / n,
        lambda x, n: x.clone().mul_(n),
        lambda x, n: x.clone().div_(n),
    ):
        wanted = from_torch(compute(to_torch(values).detach(), python))
        for run in (compute, gc.compile(compute)):
            np.testing.assert_array_equal(run(gc.tensor(values), number).numpy(), wanted)


def test_products_of_short_numbers_by_hand() -> None:
    x = gc.tensor([3.0], dtype=gc.float16, requires_grad=True)
    y = x * 0.1
    assert y.dtype is gc.float16
    assert y.item() == np.float16(3 * np.float32(0.1))
    assert (gc.tensor([1e-3]).half() * 1e6).item() == 1000.5
    assert (gc.tensor([2.0]).bfloat16() / 257).item() == float(gc.tensor(2 / 257).bfloat16())
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == np.float16(0.1)
    assert (gc.tensor([3.0]).half() * gc.tensor([0.1]).half()).item() == np.float16(
        3 * np.float32(np.float16(0.1))
    )


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16, gc.float32, gc.float64], ids=str)
def test_numbers_of_all_sizes_are_rounded_quietly(dtype: gc.DType) -> None:
    """Also where numpy is told to raise: a number beyond the dtype is infinite, or 0."""
    sizes = [0, 5e-324, 1e-46, 6e-8, 2.0**-14 * 0.999, 2.0**-14, 65504, 65520, 1e39, 1e308, np.inf]
    for number in [sign * size for size in sizes for sign in (1.0, -1.0)]:
        with np.errstate(all="ignore"):
            wanted = np.asarray(number, dtype.numpy)
        with np.errstate(all="raise"):
            found = gc.where(gc.tensor(False), gc.zeros((), dtype=dtype), number)
        assert found.dtype is dtype
        assert found.numpy().tobytes() == wanted.tobytes()
