"""``view(dtype)``: the same memory, read as another dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentTypeError, RecordingError, ShapeError
from tests.torch_oracle import torch

PAIRS = [
    ("float32", "int32"), ("float32", "uint8"), ("float32", "float64"), ("float64", "float32"),
    ("int64", "int16"), ("uint8", "int8"), ("complex64", "float32"), ("float32", "complex64"),
    ("float16", "bfloat16"), ("bfloat16", "int16"), ("int32", "int32"),
]  # fmt: skip


def numbers(g: Any, dtype: str) -> Any:
    return g.arange(24).reshape(2, 3, 4).to(getattr(g, dtype)) * 3


@pytest.mark.parity
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_bits_are_pytorchs(source: str, target: str) -> None:
    found = numbers(gc, source).view(getattr(gc, target))
    wanted = numbers(torch(), source).view(getattr(torch(), target))
    assert (found.dtype.name, found.shape) == (target, tuple(wanted.shape))
    np.testing.assert_array_equal(
        found.contiguous().view(gc.uint8).numpy(), wanted.contiguous().view(torch().uint8).numpy()
    )


def test_bits_of_one() -> None:
    assert gc.ones(2).view(gc.int32).tolist() == [0x3F800000] * 2
    assert gc.ones(2).view(dtype=gc.float64).shape == (1,)
    assert gc.tensor([1.5 + 2j]).view(gc.float32).tolist() == [1.5, 2.0]


def test_memory_is_shared_both_ways() -> None:
    x = gc.zeros(3)
    bits = x.view(gc.int32)
    bits[1] = 0x3F800000
    assert x.tolist() == [0, 1, 0]
    x.fill_(-0.0)
    assert bits.tolist() == [-(2**31)] * 3


def test_a_write_to_the_bits_is_seen_by_backward() -> None:
    x = gc.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.detach().view(gc.int32).zero_()
    with pytest.raises(RuntimeError, match="overwritten"):
        z.sum().backward()


def test_the_result_has_no_gradient() -> None:
    assert not gc.ones(3, requires_grad=True).view(gc.int32).requires_grad
    assert not (gc.ones(3, requires_grad=True) * 2).view(gc.int32).requires_grad


@pytest.mark.parity
@pytest.mark.parametrize(
    ("shape", "source", "target"),
    [((), "float32", "float64"), ((), "float64", "float32"), ((2, 3), "float32", "float64")],
)
def test_what_does_not_fit_is_refused_as_by_pytorch(
    shape: tuple[int, ...], source: str, target: str
) -> None:
    with pytest.raises(RuntimeError):
        torch().zeros(shape, dtype=getattr(torch(), source)).view(getattr(torch(), target))
    with pytest.raises(ShapeError, match="view: the last dim"):
        gc.zeros(shape, dtype=getattr(gc, source)).view(getattr(gc, target))


def test_gaps_in_the_last_dim_are_refused_unless_sizes_agree() -> None:
    x = gc.ones(4, 2)[:, ::2]
    assert x.view(gc.int32).shape == (4, 1)
    with pytest.raises(ShapeError):
        gc.ones(4, 4).t().view(gc.uint8)
    assert gc.ones(4, 4).t().view(gc.int32).stride() == (1, 4)


def test_a_shape_and_a_dtype_are_too_much() -> None:
    with pytest.raises(ArgumentTypeError, match="either"):
        gc.ones(2).view(2, dtype=gc.int32)


def test_while_recording_it_says_what_to_do() -> None:
    with pytest.raises(RecordingError, match="cannot be changed while recording"):
        gc.compile(lambda x: x.view(gc.int32))(gc.ones(2))
    assert gc.compile(lambda x: x.view(gc.float32))(gc.ones(2)).tolist() == [1, 1]
