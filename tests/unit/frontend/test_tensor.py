"""The tensor as Python sees it: numbers, printing, iteration, hashing, copies, pickles."""

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, AutogradError, DTypeError, SymbolicValueError
from graphc.frontend.graph import Graph, placeholder
from tests.torch_oracle import torch

PRINTED: list[Any] = [
    1.0, 1, True, [1.0, 2.0], [1, 2, 3], [[1.5, 2.25], [3, 4]], [True, False], [1e-5, 1.0],
    [1e10, 1.0], [math.nan, 1.0], [math.inf, -1.0], [0.1] * 3, [], [[]], [1e5, 2e5], [123456.789],
    [-0.0, 1], [[0.001, 1000.0]], list(range(30)), 1e-8, [1e-4, 1], [1e8, 1.0], [0.0, 0.0],
    [math.nan, math.inf], [[[1.0, 2.0]], [[3.0, -4.5]]], list(range(2000)), [-1, 10],
    [[0.123456] * 20] * 3, [[i * j / 7 for i in range(40)] for j in range(40)], [5e-324, 1.0],
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("data", PRINTED, ids=lambda data: str(data)[:30])
def test_prints_like_pytorch(data: Any) -> None:
    for dtype in (None, "float64", "int32", "float16", "bfloat16"):
        if dtype == "int32" and not np.isfinite(np.array(data, float)).all():
            continue
        if dtype == "int32" and np.abs(np.array(data, float)).max(initial=0) > 1e9:
            continue
        theirs = torch().tensor(data, dtype=None if dtype is None else getattr(torch(), dtype))
        ours = gc.tensor(data, dtype=dtype)
        assert repr(ours) == repr(theirs).replace("torch.", "graphc.")


@pytest.mark.parity
def test_prints_gradients_like_pytorch() -> None:
    for m in (gc, torch()):
        x = m.tensor([1.0, 2.0], requires_grad=True)
        assert repr(x) == "tensor([1., 2.], requires_grad=True)"
        assert repr(x * 2) == "tensor([2., 4.], grad_fn=<MulBackward0>)"
    x, y = gc.rand(3, 5, requires_grad=True), None
    y = torch().tensor(x.detach().numpy(), requires_grad=True)
    assert repr(x * 1.0) == repr(y * 1.0)


def test_symbolic_tensors_print_type_and_place() -> None:
    with Graph():
        x = placeholder((None, 3), name="x")
        assert "f32[x_0,3]" in repr(x)
        assert "test_tensor.py" in repr(x * 2)


def test_numbers() -> None:
    assert isinstance(float(gc.tensor(2.5)), float)
    assert int(gc.tensor(-2.5)) == -2
    assert int(gc.tensor([[3]])) == 3
    assert bool(gc.tensor([0.0])) is False
    assert bool(gc.tensor(math.nan)) is True
    assert gc.tensor(2).item() == 2
    assert isinstance(gc.tensor(2).item(), int)
    assert gc.tensor(True).item() is True
    assert isinstance(gc.tensor(1.5, dtype=gc.bfloat16).item(), float)
    assert [10, 20, 30][gc.tensor(1)] == 20
    assert f"{gc.tensor(1.23456):.2f}" == "1.23"
    assert f"{gc.tensor([1, 2])}" == "tensor([1, 2])"
    assert gc.tensor([[1.5, 2.0]]).tolist() == [[1.5, 2.0]]
    assert gc.tensor(1.5, dtype=gc.bfloat16).tolist() == 1.5


@pytest.mark.parametrize("convert", [float, int, bool, lambda x: x.item()])
def test_numbers_of_several_elements_are_refused(convert: Any) -> None:
    for size in (0, 2):
        with pytest.raises(ArgumentError) as caught:
            convert(gc.ones(size))
        assert "test_tensor.py" in str(caught.value)


def test_float_tensors_are_no_indices() -> None:
    with pytest.raises(TypeError):
        [1, 2][gc.tensor(1.0)]  # type: ignore[call-overload]  # the error is what is tested
    with pytest.raises(DTypeError):
        range(gc.tensor(1.0))


def test_sizes() -> None:
    x = gc.ones(2, 3, 4)
    assert x.size() == x.shape == (2, 3, 4)
    assert (x.size(-1), x.size(0), x.dim(), x.ndim, x.numel()) == (4, 2, 3, 3, 24)
    assert (len(x), x.element_size(), x.is_floating_point()) == (2, 4, True)
    assert (x.T.shape, x.mT.shape, x.is_contiguous(), x.T.is_contiguous()) == (
        (4, 3, 2), (2, 4, 3), True, False,
    )  # fmt: skip
    with pytest.raises(gc.GraphcError):
        len(gc.ones(()))
    with pytest.raises(gc.GraphcError):
        x.size(3)


def test_iteration_and_membership() -> None:
    x = gc.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x
    assert 7 not in x
    _, second = x
    assert second.tolist() == [3, 4]
    with pytest.raises(gc.GraphcError):
        iter(gc.tensor(1))


def test_hash_is_identity_and_eq_compares_elements() -> None:
    a, b = gc.ones(2), gc.ones(2)
    assert len({a, b, a}) == 2
    assert (a == b).tolist() == [True, True]
    assert (a != b).tolist() == [False, False]
    assert (a == 1).all()
    assert (a == None) is False  # noqa: E711 - what comparing with None gives is tested
    assert (a != None) is True  # noqa: E711
    assert a not in ([], None)


def test_numpy_protocol() -> None:
    x = gc.tensor([1.0, 2.0])
    assert np.shares_memory(x.numpy(), np.asarray(x))
    assert not np.shares_memory(x.numpy(), np.array(x))
    assert np.asarray(x, np.int64).tolist() == [1, 2]
    assert isinstance(np.ones(2, np.float32) * x, gc.Tensor)
    assert isinstance(np.float32(2) * x, gc.Tensor)
    x.requires_grad_()
    with pytest.raises(AutogradError, match="detach"):
        x.numpy()
    assert x.detach().numpy().tolist() == [1.0, 2.0]


def test_conversions() -> None:
    x = gc.tensor([1.7, -1.7, 300.0])
    assert x.to(gc.float32) is x
    for method, dtype in (
        ("float", gc.float32), ("double", gc.float64), ("half", gc.float16), ("long", gc.int64),
        ("bfloat16", gc.bfloat16), ("int", gc.int32), ("short", gc.int16), ("char", gc.int8),
        ("byte", gc.uint8), ("bool", gc.bool),
    ):  # fmt: skip
        assert getattr(x, method)().dtype is dtype
    assert x.int().tolist() == [1, -1, 300]
    assert x.type_as(gc.tensor(1)).dtype is gc.int64
    assert x.to(gc.tensor(True)).dtype is gc.bool
    assert x.to("float64").dtype is gc.float64


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, copy.copy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_and_pickles(copied: Any) -> None:
    x = gc.tensor([[1.0, 2.0]], requires_grad=True)
    (x * 2).sum().backward()
    x.note = "kept"
    y = copied(x)
    assert y.tolist() == [[1.0, 2.0]]
    assert y.requires_grad
    assert y.is_leaf
    assert y.grad.tolist() == [[2.0, 2.0]]
    assert y.note == "kept"
    assert copied(gc.tensor([1, 2], dtype=gc.int8)).dtype is gc.int8
    assert copied(gc.ones(2, 3).T).tolist() == gc.ones(3, 2).tolist()
    p = copied(nn.Parameter(gc.ones(2)))
    assert isinstance(p, nn.Parameter)
    assert p.is_state
    with pytest.raises(AutogradError):
        copied(x * 2)
    with Graph(), pytest.raises(SymbolicValueError):
        copied(placeholder((), name="x"))


def test_deep_copies_have_their_own_memory() -> None:
    x = gc.ones(2)
    pair = copy.deepcopy([x, x])
    assert pair[0] is pair[1]
    pair[0].add_(1)
    assert x.tolist() == [1.0, 1.0]


def test_properties_of_gradients() -> None:
    x = gc.ones(2)
    x.requires_grad = True
    with pytest.raises(AutogradError, match="shape"):
        x.grad = gc.ones(3)
    y = x * 2
    with pytest.raises(AutogradError, match="leaf"):
        y.requires_grad = False
    x.data = gc.zeros(2)
    assert x.tolist() == [0.0, 0.0]
    x.requires_grad_(False)
    assert not (x * 2).requires_grad


def test_arrays_compare_by_elements_from_both_sides() -> None:
    x, array = gc.tensor([1.0, 2.0]), np.array([1.0, 5.0])
    for equal, differ in ((x == array, x != array), (array == x, array != x)):
        assert equal.tolist() == [True, False]
        assert differ.tolist() == [False, True]
    assert gc.compile(lambda x: x == array)(x).tolist() == [True, False]
