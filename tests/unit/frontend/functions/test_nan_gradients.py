"""What NaN does to limits, extrema, searches and their gradients: what it does in PyTorch."""

import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.both_modes import check_both
from tests.torch_oracle import check

NAN, INF = math.nan, math.inf
VALUES = np.array([NAN, INF, -INF, -0.0, 0.0, 1.0, -1.0, 3.0, 0.5, NAN], np.float32)
LIMITS = [(NAN, None), (None, NAN), (NAN, 1.0), (1.0, NAN), (-1, 1), (0, None), (None, 0), (2, 1)]


def limited(m: Any, x: Any, low: Any, high: Any, wrap: bool) -> Any:
    bounds = [None if v is None else m.tensor(float(v)) if wrap else v for v in (low, high)]
    return x.clamp(*bounds)


@pytest.mark.parity
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize(("low", "high"), LIMITS)
def test_clamp(low: Any, high: Any, wrap: bool) -> None:
    check(lambda m, x: limited(m, x, low, high, wrap), VALUES)
    check(lambda m, x: limited(m, x, low, high, wrap), np.array([1, 2, 3]))


@pytest.mark.parity
def test_limits_that_are_tensors() -> None:
    x = np.array([NAN, 1.0, NAN, 2.0, 2.0, 3.0])
    limit = np.array([1.0, NAN, NAN, 2.0, 3.0, 2.0])
    check(lambda m, x, y: x.clamp(y), x, limit)
    check(lambda m, x, y: x.clamp(max=y), x, limit)
    check(lambda m, x, y: x.clamp(y, y + 1), x, limit)


@pytest.mark.parity
def test_gradients_at_nan() -> None:
    check(lambda m, x: x.abs(), VALUES)
    check(lambda m, x: m.nn.functional.hardsigmoid(x), VALUES)
    check(lambda m, x: m.nn.functional.l1_loss(x, x * 2, reduction="none"), VALUES)
    for function in ("max", "min"):
        check(lambda m, x, function=function: getattr(x, function)(), VALUES)
    for order in (INF, -INF, 1):
        check(lambda m, x, order=order: m.linalg.vector_norm(x, order), VALUES)
        check(lambda m, x, order=order: m.linalg.vector_norm(x, order, dim=0), VALUES[:, None])


def test_nan_without_torch() -> None:
    x = np.array([NAN, 0.5, 2.0])
    low = check_both(lambda x: x.clamp(0.0, 1.0), x)
    np.testing.assert_array_equal(low.outputs[0], [NAN, 0.5, 1.0])
    np.testing.assert_array_equal(low.grads[0] != 0, [False, True, False])
    unknown = check_both(lambda x: x.clamp(NAN, 1.0), x)
    assert np.isnan(unknown.outputs[0]).all()
    np.testing.assert_array_equal(unknown.grads[0], np.zeros(3))
    peak = gc.tensor([1.0, NAN, NAN], requires_grad=True)
    peak.max().backward()
    assert peak.grad is not None
    assert peak.grad.tolist() == [0.0, 0.5, 0.5]
    rows = gc.tensor([[1.0, NAN], [2.0, 2.0]], requires_grad=True)
    rows.amax(1).sum().backward()
    assert rows.grad is not None
    assert rows.grad.tolist() == [[0.0, 1.0], [0.5, 0.5]]


@pytest.mark.parity
@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize(
    "sequence",
    [[1.0, 2.0, NAN], [1.0, 2.0, INF, NAN, NAN], [NAN], [1.0, 2.0], [1.0, NAN, NAN, NAN, NAN]],
)
def test_searches(sequence: list[float], right: bool) -> None:
    values = np.array([[3.0, INF, NAN], [0.0, 1.0, 1.5]])
    places = np.array(sequence)
    check(lambda m, s, v: m.searchsorted(s, v, right=right), places, values)
    check(lambda m, s, v: m.bucketize(v, s, right=right), places, values)
    check(lambda m, s, v: m.searchsorted(s, v, right=right), np.stack([places, places]), values)


def test_searches_without_torch() -> None:
    found = gc.searchsorted(gc.tensor([1.0, 2.0, NAN]), gc.tensor([3.0, INF, NAN, 0.0]))
    assert found.tolist() == [3, 3, 3, 0]


A, B, C = np.array([[NAN, 1.0], [2, 3]]), np.array([[1.0, 1.0], [2, INF]]), np.array([[1.0], [2]])


@pytest.mark.parity
@pytest.mark.parametrize("beta", [0, 0.0, 1, 0.5])
@pytest.mark.parametrize("alpha", [0, 0.0, 1])
def test_products_that_do_not_count(alpha: float, beta: float) -> None:
    factors = {"alpha": alpha, "beta": beta}
    grads = alpha != 0
    check(lambda m, a, b, c: m.addmm(c, a, b, **factors), A, B, C, grads=grads)
    check(lambda m, a, b, c: m.addbmm(c, a[None], b[None], **factors), A, B, C, grads=grads)


def test_products_that_do_not_count_without_torch() -> None:
    x = gc.tensor(A, requires_grad=True)
    total = gc.addmm(gc.tensor(C), x, gc.tensor(B), alpha=0)
    assert total.tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert gc.addmv(gc.ones(2).double(), x, gc.ones(2).double(), alpha=0).tolist() == [1.0, 1.0]
    total.sum().backward()
    assert x.grad is not None
    assert x.grad.shape == (2, 2)
