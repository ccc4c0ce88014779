"""Functions refuse what PyTorch refuses, by errors of their own, and compute what it computes."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    IndexRangeError,
    ShapeError,
)
from tests.torch_oracle import check, torch

Call = Callable[[Any], Any]


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.fft.fft(m.ones(4), 1.5),
        lambda m: m.fft.irfft(m.ones(4), 2.5),
        lambda m: m.fft.fftn(m.ones(4, 4), (1.5, 2)),
        lambda m: m.randperm(3.5),
        lambda m: m.slice_copy(m.ones(4), 0, 1.5, 3),
        lambda m: m.ones(4).unflatten(0, (2, 2.0)),
        lambda m: m.broadcast_to(m.ones(4), (1.5, 4)),
    ],
)
def test_sizes_are_whole_numbers(call: Call) -> None:
    with pytest.raises(ArgumentTypeError):
        call(gc)


def test_sizes_in_a_sequence_are_looked_at_in_every_call() -> None:
    x = gc.ones(4, 4)
    assert gc.fft.fft2(x, (gc.tensor(3), np.int64(2))).shape == (3, 2)
    for sizes in ((None, 2), (1.5, 2), ("3", 2)):
        with pytest.raises(ArgumentTypeError, match="whole number"):
            gc.fft.fft2(x, sizes)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(DTypeError, match="integer"):
        gc.fft.fft2(x, (gc.tensor(3.0), 2))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.fft.fft(m.tensor(1.0)),
        lambda m: m.fft.irfft2(m.tensor(1.0)),
        lambda m: m.softmax(m.tensor(1.0), 1),
        lambda m: m.special.log_softmax(m.tensor(1.0), -2),
    ],
)
def test_a_number_has_no_such_dim(call: Call) -> None:
    with pytest.raises(IndexRangeError):
        call(gc)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.linalg.multi_dot([m.ones(2, 2, 2), m.ones(2, 2)]),
        lambda m: m.linalg.multi_dot([m.ones(2, 2), m.ones(2, 2, 2)]),
        lambda m: m.linalg.multi_dot([m.ones(()), m.ones(2, 2)]),
        lambda m: m.linalg.tensorinv(m.ones(1, 1), 3),
        lambda m: m.linalg.tensorinv(m.ones(()), 1),
    ],
)
def test_ranks_that_do_not_fit(call: Call) -> None:
    with pytest.raises(ShapeError):
        call(gc)


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16, gc.float32])
@pytest.mark.parametrize("decimals", [6, 5, 3, 1, -1, -3, -6])
@pytest.mark.parity
def test_decimals_of_short_numbers(dtype: gc.DType, decimals: int) -> None:
    values = np.array([3.186, -0.995, 1234.5, 0.1, 600.0, -0.04, 0.0]).astype(dtype.numpy)
    check(lambda m, x: m.round(x, decimals=decimals), values)


def test_decimals_of_short_numbers_by_hand() -> None:
    x = gc.tensor([3.186, -0.995], dtype=gc.float16)
    assert gc.round(x, decimals=5).tolist() == x.tolist()
    assert gc.round(gc.tensor([1234.5]).half(), decimals=-6).tolist() == [0.0]


@pytest.mark.parametrize("decimals", [1, -1])
@pytest.mark.parametrize("dtype", [gc.bool, gc.int32])
def test_integers_have_no_decimals(dtype: gc.DType, decimals: int) -> None:
    with pytest.raises(DTypeError, match="round"):
        gc.round(gc.ones(2).to(dtype), decimals=decimals)


@pytest.mark.parametrize(
    ("compute", "wanted"),
    [
        (lambda m: m.ones(2) * 1e39, [np.inf, np.inf]),
        (lambda m: m.ones(2) == 1e39, [False, False]),
        (lambda m: m.ones(2).half() < 1e6, [True, True]),
        (lambda m: -1e300 / m.ones(1), [-np.inf]),
        (lambda m: m.round(m.ones(1), decimals=39), [np.nan]),
    ],
)
def test_numbers_beyond_the_dtype_are_infinite_without_a_warning(
    compute: Call, wanted: list[float]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compute(gc).tolist()
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parity
def test_the_kinds_of_errors_are_those_of_pytorch() -> None:
    calls: list[tuple[Call, type[Exception]]] = [
        (lambda m: m.fft.fft(m.ones(4), 1.5), TypeError),
        (lambda m: m.fft.fft(m.tensor(1.0)), IndexError),
        (lambda m: m.softmax(m.tensor(1.0), 1), IndexError),
        (lambda m: m.linalg.multi_dot([m.ones(2, 2, 2), m.ones(2, 2)]), RuntimeError),
        (lambda m: m.linalg.tensorinv(m.ones(1, 1), 3), RuntimeError),
    ]
    for call, kind in calls:
        for module in (gc, torch()):
            with pytest.raises(kind):
                call(module)


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (lambda: gc.ones(2) & gc.ones(2), "int64"),
        (lambda: gc.ones(2) << 1, "int64"),
        (lambda: gc.erf(gc.ones(2)) | True, "int64"),
        (lambda: gc.polar(gc.ones(2), gc.ones(2)) % 2, "x.real"),
    ],
)
def test_the_advice_is_a_dtype_that_is_accepted(call: Callable[[], Any], target: str) -> None:
    with pytest.raises(DTypeError) as caught:
        call()
    assert target in caught.value.fix


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.linalg.pinv(m.ones(2, 2), rcond=0.1, rtol=0.2),
        lambda m: m.linalg.matrix_rank(m.ones(2, 2), tol=0.1, atol=0.2),
    ],
)
def test_an_older_tolerance_stands_alone(call: Call) -> None:
    with pytest.raises(ArgumentError, match="older form"):
        call(gc)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.linalg.matrix_rank(m.ones(1, 3), hermitian=True),
        lambda m: m.linalg.pinv(m.ones(1, 3), hermitian=True),
        lambda m: m.linalg.vector_norm(m.ones(3, 0), -2),
        lambda m: m.linalg.vector_norm(m.ones(3, 0), -0.5, dim=1),
        lambda m: m.linalg.cond(m.ones(0, 0), "x"),
        lambda m: m.linalg.cond(m.ones(0, 0), 3),
    ],
)
@pytest.mark.parity
def test_what_pytorch_refuses_of_matrices(call: Call) -> None:
    for module in (gc, torch()):
        with pytest.raises(RuntimeError):
            call(module)


def test_the_first_power_of_a_matrix_is_a_copy() -> None:
    x = gc.tensor([[1.0, np.inf], [0.0, 1.0]])
    power = gc.linalg.matrix_power(x, 1)
    assert power.tolist() == x.tolist()
    power[0, 0] = 5
    assert x[0, 0].item() == 1
    assert gc.linalg.matrix_power(gc.tensor([[2, 1], [0, 1]]), 5).tolist() == [[32, 31], [0, 1]]
    assert gc.linalg.matrix_power(gc.ones(2, 3, 3), 0).tolist() == [np.eye(3).tolist()] * 2
