"""New tensors: dtypes, shapes and values as PyTorch makes them."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, AutogradError, DTypeError, SymbolicValueError
from graphc.frontend.graph import Graph
from tests.both_modes import check_both
from tests.closeness import assert_same
from tests.torch_oracle import check, torch


@pytest.mark.parity
@pytest.mark.parametrize(
    "data",
    [1, 1.5, True, -0.0, [], [[]], [1, 2], [1, 2.5], [True, False], [True, 2], [[1, 2], [3, 4]],
     (1.0, 2.0), [[1.0], [float("nan")]], 2**40, [[[1]]]],
    ids=str,
)  # fmt: skip
def test_tensor_of_python_data(data: Any) -> None:
    check(lambda m: m.tensor(data))
    check(lambda m: m.tensor(data, dtype=m.float64))


@pytest.mark.parity
@pytest.mark.parametrize(
    "dtype",
    [np.float16, np.float32, np.float64, np.int8, np.uint8, np.int16, np.int32, np.int64, bool],
)
def test_tensor_of_arrays_keeps_the_dtype(dtype: Any) -> None:
    check(lambda m: m.tensor(np.array([[1, 0, 3]], dtype)))
    check(lambda m: m.tensor(np.array(1, dtype)))
    check(lambda m: m.from_numpy(np.array([1, 0], dtype)))
    check(lambda m: m.as_tensor(np.array([1, 0], dtype)))


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.zeros(3, np.float32)
    copied, shared = gc.tensor(array), gc.from_numpy(array)
    array[0] = 5
    assert copied.tolist() == [0, 0, 0]
    assert shared.tolist() == [5, 0, 0]
    shared.add_(1)
    assert array.tolist() == [6, 1, 1]
    with pytest.raises(DTypeError):
        gc.from_numpy([1, 2])  # type: ignore[arg-type]  # the error is what is tested
    x = gc.ones(2)
    assert gc.as_tensor(x) is x
    assert gc.as_tensor(x, gc.int64).dtype is gc.int64
    assert gc.tensor(x) is not x


def test_strange_arrays() -> None:
    assert gc.tensor(np.arange(6).reshape(2, 3).T[::-1]).tolist() == [[2, 5], [1, 4], [0, 3]]
    assert gc.tensor(np.array([1, 2], ">i4")).dtype is gc.int32
    assert gc.tensor(np.array([1, 2], ">i4")).tolist() == [1, 2]
    assert gc.tensor(np.float64(2.5)).dtype is gc.float64
    assert gc.tensor(np.ones(2, ml_dtypes.bfloat16)).dtype is gc.bfloat16
    assert gc.tensor([np.ones(2), np.zeros(2)]).dtype is gc.float64
    assert gc.tensor([gc.tensor(1.0), gc.tensor(2.0)]).tolist() == [1.0, 2.0]
    with pytest.raises(DTypeError):
        gc.tensor(np.ones(2, np.uint16))


@pytest.mark.parametrize("data", ["text", [[1], 2], None, [None], object(), {"a": 1}])
def test_what_is_no_tensor(data: Any) -> None:
    with pytest.raises(DTypeError) as caught:
        gc.tensor(data)
    assert "test_creation.py" in str(caught.value)


@pytest.mark.parity
@pytest.mark.parametrize("size", [(), (0,), (3,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("dtype", [None, "int64", "bool", "float64", "bfloat16"])
def test_filled(size: tuple[int, ...], dtype: str | None) -> None:
    def of(m: Any) -> Any:
        return {} if dtype is None else {"dtype": getattr(m, dtype)}

    check(lambda m: (m.zeros(size, **of(m)), m.ones(size, **of(m)), m.full(size, 1, **of(m))))
    check(lambda m: (m.full(size, 2.5), m.full(size, 7), m.full(size, True)))
    check(lambda m: (m.zeros(*size), m.ones(*size)) if size else m.zeros(()))
    check(
        lambda m, x: (m.zeros_like(x), m.ones_like(x), m.full_like(x, 3)), np.ones(size, np.int16)
    )
    check(lambda m, x: m.full_like(x, 3, **of(m)), np.ones(size))
    assert gc.empty(size).shape == size
    assert gc.empty_like(gc.ones(size)).dtype is gc.float32


@pytest.mark.parity
@pytest.mark.parametrize(
    "args",
    [
        (5,),
        (0,),
        (2, 7),
        (2, 7, 2),
        (7, 2, -2),
        (1, 2, 0.25),
        (5.0,),
        (0.5, 3),
        (-1, 1, 0.1),
        (3, 3),
    ],
)
def test_arange(args: tuple[Any, ...]) -> None:
    check(lambda m: m.arange(*args))
    check(lambda m: m.arange(*args, dtype=m.float64))
    if all(isinstance(value, int) for value in args):
        check(lambda m: m.arange(*args, dtype=m.int32))


@pytest.mark.parity
@pytest.mark.parametrize(("start", "end", "steps"), [(0, 1, 5), (3, -2, 4), (1, 1, 1), (0, 1, 0)])
def test_linspace(start: float, end: float, steps: int) -> None:
    check(lambda m: m.linspace(start, end, steps))
    check(lambda m: m.linspace(start, end, steps, dtype=m.float64))


@pytest.mark.parity
def test_eye() -> None:
    check(lambda m: (m.eye(3), m.eye(2, 4), m.eye(0), m.eye(3, dtype=m.int64)))


def test_requires_grad() -> None:
    assert gc.ones(2, requires_grad=True).requires_grad
    assert gc.zeros(2, 3, requires_grad=True).is_leaf
    with pytest.raises(AutogradError):
        gc.ones(2, dtype=gc.int64, requires_grad=True)


@pytest.mark.parametrize(
    "make",
    [lambda: gc.zeros(-1), lambda: gc.ones(2, 1.5), lambda: gc.zeros("a"), lambda: gc.arange(3, 1),
     lambda: gc.arange(1, 3, 0), lambda: gc.linspace(0, 1, -1), lambda: gc.full((2, -3), 1.0),
     lambda: gc.eye(-1)],
)  # fmt: skip
def test_wrong_sizes(make: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        make()
    assert "test_creation.py" in str(caught.value)


def test_fresh_tensors_while_recording_do_not_alias() -> None:
    with Graph():
        a = gc.zeros(2, requires_grad=True)
    assert a.requires_grad
    assert not a.is_symbolic
    got = check_both(lambda: (gc.zeros(2, 3), gc.full((2,), 5), gc.arange(3) * gc.ones(3)))
    assert_same(got.outputs[0], np.zeros((2, 3), np.float32))


@pytest.mark.parity
def test_more_sequences_and_places() -> None:
    check(
        lambda m: (
            m.logspace(0, 2, 5), m.logspace(-1, 3, 4, base=2), m.logspace(0, 3, 4, 2.0).long(),
            m.logspace(1, 1, 1, dtype=m.float64), m.logspace(0, 1, 0),
            m.linspace(m.tensor(0.0), 1, 3), m.scalar_tensor(3), m.scalar_tensor(2, dtype=m.int32),
        ),
        grads=False,
    )  # fmt: skip
    for offset in range(-4, 5):
        check(
            lambda m, k=offset: (
                m.tril_indices(3, 4, k), m.triu_indices(4, 3, offset=k, dtype=m.int32),
                m.tril_indices(0, 2, k), m.triu_indices(1, 1, k),
            ),
            grads=False,
        )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool"])
def test_new_tensors_of_a_tensors_dtype(dtype: str) -> None:
    check(
        lambda m, x: (
            x.new_zeros(2, 3), x.new_ones((2,)), x.new_full((1, 2), 1), x.new_tensor([1, 0]),
            x.new_zeros(()), x.new_full((2,), 7, dtype=m.int64), x.new_tensor(2.5, dtype=m.float64),
        ),
        np.zeros(1, dtype), grads=False,
    )  # fmt: skip
    x = gc.zeros(1, dtype=dtype)
    assert x.new_empty(2, 3).shape == (2, 3)
    assert gc.zeros(1).new_ones(2, requires_grad=True).requires_grad


def test_gradients_can_be_asked_for() -> None:
    x = gc.ones(2)
    made = [
        gc.zeros_like(x, requires_grad=True), gc.ones_like(x, requires_grad=True),
        gc.full_like(x, 2, requires_grad=True), gc.empty_like(x, requires_grad=True),
        gc.arange(0.0, 3.0, requires_grad=True), gc.linspace(0, 1, 3, requires_grad=True),
        gc.logspace(0, 1, 3, requires_grad=True), gc.eye(2, requires_grad=True),
    ]  # fmt: skip
    assert all(each.requires_grad and each.is_leaf for each in made)
    with pytest.raises(AutogradError):
        gc.arange(3, requires_grad=True)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8", "complex64", "bool"])
def test_dlpack_shares_memory(dtype: str) -> None:
    ours = gc.arange(6).reshape(2, 3).to(dtype)
    theirs = torch().from_dlpack(ours)
    assert theirs.tolist() == ours.tolist()
    ours[0, 1] = 0
    assert theirs[0, 1] == 0
    back = gc.from_dlpack(theirs)
    assert back.dtype is ours.dtype
    theirs[1, 1] = 1
    assert back[1, 1].item() == 1
    strided = gc.from_dlpack(torch().arange(6).reshape(2, 3).t())
    assert strided.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert strided.stride() == (1, 3)
    assert strided.stride(-1) == 3


def test_dlpack_errors() -> None:
    with pytest.raises(ArgumentError, match="from_dlpack"):
        gc.from_dlpack([1, 2])
    with pytest.raises(AutogradError, match="detach"):
        np.from_dlpack(gc.ones(2, requires_grad=True))
    with pytest.raises(DTypeError, match="bfloat16"):
        np.from_dlpack(gc.ones(2, dtype=gc.bfloat16))
    with gc.Graph(), pytest.raises(SymbolicValueError):
        gc.placeholder((2,)).__dlpack__()
