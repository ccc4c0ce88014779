"""The default dtype, numbers that fit, devices, and everything about numeric types."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, DTypeError
from tests.torch_oracle import torch


@pytest.fixture
def in_float64() -> Iterator[None]:
    gc.set_default_dtype(gc.float64)
    yield
    gc.set_default_dtype(gc.float32)


MADE: list[Callable[[Any], Any]] = [
    lambda m: m.tensor(1.5), lambda m: m.tensor([1, 2.5]), lambda m: m.tensor(1j),
    lambda m: m.zeros(2), lambda m: m.ones(2), lambda m: m.empty(2), lambda m: m.full((2,), 1.0),
    lambda m: m.full((2,), 1j), lambda m: m.full((2,), 1), lambda m: m.arange(3),
    lambda m: m.arange(0.0, 1.0, 0.25), lambda m: m.linspace(0, 1, 3), lambda m: m.eye(2),
    lambda m: m.logspace(0, 1, 3), lambda m: m.rand(2), lambda m: m.randn(2),
    lambda m: m.normal(0.0, 1.0, (2,)), lambda m: m.scalar_tensor(1), lambda m: m.tensor([1]).exp(),
    lambda m: m.tensor([1]) / 2, lambda m: m.tensor([1]) + 1.5, lambda m: m.tensor([1]) + 1j,
    lambda m: m.tensor([True]).sin(), lambda m: m.tensor([1.0], dtype=m.float32) + 1.5,
    lambda m: m.tensor([1], dtype=m.int64).mean(dtype=m.float32), lambda m: m.fft.fftfreq(3),
    lambda m: m.zeros(2, dtype=float), lambda m: m.hann_window(3),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("make", MADE)
def test_the_default_dtype(make: Callable[[Any], Any], in_float64: None) -> None:
    theirs = torch()
    theirs.set_default_dtype(theirs.float64)
    try:
        expected = make(theirs)
    finally:
        theirs.set_default_dtype(theirs.float32)
    assert make(gc).dtype.name == str(expected.dtype).removeprefix("torch.")
    gc.set_default_dtype(gc.float32)
    assert make(gc).dtype.name == str(make(theirs).dtype).removeprefix("torch.")


def test_compiled_functions_follow_the_default() -> None:
    @gc.compile
    def program(x: gc.Tensor) -> gc.Tensor:
        return gc.ones(2) + x / 2

    x = gc.tensor([1, 2])
    try:
        assert program(x).dtype is gc.float32
        gc.set_default_dtype(gc.float64)
        assert program(x).dtype is gc.float64
    finally:
        gc.set_default_dtype(gc.float32)
    assert program(x).dtype is gc.float32
    assert gc.get_default_dtype() is gc.float32


@pytest.mark.parametrize("dtype", [gc.int64, gc.bool, gc.complex64])
def test_only_floats_are_a_default(dtype: gc.DType) -> None:
    with pytest.raises(DTypeError, match=r"test_default_dtype\.py"):
        gc.set_default_dtype(dtype)


UNFIT: list[Callable[[Any], Any]] = [
    lambda m: m.full((2,), 300, dtype=m.int8), lambda m: m.full((2,), 2**63),
    lambda m: m.full((2,), 1e300), lambda m: m.full((2,), 1 + 2j, dtype=m.float32),
    lambda m: m.full((2,), float("nan"), dtype=m.int32), lambda m: m.full((2,), 1e5, dtype=m.half),
    lambda m: m.full((0,), -256, dtype=m.uint8), lambda m: m.tensor(300, dtype=m.int8),
    lambda m: m.tensor([1, -129], dtype=m.int8), lambda m: m.tensor(2**63),
    lambda m: m.tensor(float("inf"), dtype=m.int32), lambda m: m.tensor([1e10], dtype=m.int32),
    lambda m: m.ones(2, dtype=m.int8).fill_(300), lambda m: m.ones(2, dtype=m.int64) + 2**70,
    lambda m: m.full_like(m.ones(2, dtype=m.int16), 40000),
    lambda m: m.ones(2, dtype=m.int16).new_full((3,), 40000),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("make", UNFIT)
def test_numbers_that_do_not_fit(make: Callable[[Any], Any]) -> None:
    with pytest.raises((RuntimeError, ValueError, OverflowError)):
        make(torch())
    with pytest.raises(ArgumentError, match=r"test_default_dtype\.py"):
        make(gc)
    with gc.Graph(), pytest.raises(ArgumentError):
        make(gc)


FIT: list[Callable[[Any], Any]] = [
    lambda m: m.full((2,), 3.7, dtype=m.int8), lambda m: m.full((2,), -1, dtype=m.uint8),
    lambda m: m.full((2,), 5, dtype=m.bool), lambda m: m.full((2,), float("inf")),
    lambda m: m.full((2,), 3 + 0j, dtype=m.complex64), lambda m: m.full((2,), True),
    lambda m: m.full((2,), m.tensor(3)), lambda m: m.full((2,), m.tensor(3), dtype=m.float32),
    lambda m: m.tensor(-1, dtype=m.uint8), lambda m: m.tensor([-128, 127], dtype=m.int8),
    lambda m: m.tensor([3.7], dtype=m.int8), lambda m: m.ones(2, dtype=m.int8) + 300,
    lambda m: m.tensor(-(2**63)), lambda m: m.full((2,), 65504.0, dtype=m.half),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("make", FIT)
def test_numbers_that_fit(make: Callable[[Any], Any]) -> None:
    expected, got = make(torch()), make(gc)
    assert got.dtype.name == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(got.numpy(), expected.numpy())


def test_devices() -> None:
    cpu = gc.device("cpu")
    assert str(cpu) == "cpu"
    assert repr(gc.device("cpu:0")) == "device(type='cpu', index=0)"
    assert gc.device("cpu", 0) == gc.device("cpu:0")
    assert cpu == gc.device("cpu")
    makers: list[Any] = [
        lambda d: gc.tensor([1.0], device=d), lambda d: gc.zeros(2, device=d),
        lambda d: gc.ones(2, device=d), lambda d: gc.empty(2, device=d),
        lambda d: gc.full((2,), 1, device=d), lambda d: gc.arange(3, device=d),
        lambda d: gc.linspace(0, 1, 2, device=d), lambda d: gc.eye(2, device=d),
        lambda d: gc.zeros_like(gc.ones(2), device=d), lambda d: gc.rand(2, device=d),
        lambda d: gc.randint(3, (2,), device=d), lambda d: gc.randperm(2, device=d),
        lambda d: gc.as_tensor([1], device=d), lambda d: gc.tril_indices(2, 2, device=d),
        lambda d: gc.range(0, 2, device=d), lambda d: gc.logspace(0, 1, 2, device=d),
    ]  # fmt: skip
    for make in makers:
        assert make(cpu).shape == make("cpu").shape == make(None).shape
        with pytest.raises(ArgumentError, match="no such device"):
            make("cuda")
    for wrong in ("cuda", "cpu:1", "mps", "cuda:0"):
        with pytest.raises(ArgumentError, match=r"test_default_dtype\.py"):
            gc.device(wrong)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_the_limits_of_floats(name: str) -> None:
    ours, theirs = gc.finfo(getattr(gc, name)), torch().finfo(getattr(torch(), name))
    for what in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(ours, what) == getattr(theirs, what), what
    assert repr(ours) == repr(theirs)
    assert gc.finfo().dtype == "float32"


@pytest.mark.parity
@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_the_limits_of_integers(name: str) -> None:
    ours, theirs = gc.iinfo(getattr(gc, name)), torch().iinfo(getattr(torch(), name))
    for what in ("bits", "max", "min", "dtype"):
        assert getattr(ours, what) == getattr(theirs, what), what
    assert repr(ours) == repr(theirs)


def test_limits_of_other_types() -> None:
    with pytest.raises(DTypeError, match="iinfo"):
        gc.finfo(gc.int8)
    with pytest.raises(DTypeError, match="finfo"):
        gc.iinfo(gc.float32)


def test_short_names_of_types() -> None:
    pairs = {
        "half": "float16", "float": "float32", "double": "float64", "short": "int16",
        "int": "int32", "long": "int64", "cfloat": "complex64", "cdouble": "complex128",
    }  # fmt: skip
    for short, name in pairs.items():
        assert getattr(gc, short) is getattr(gc, name)
