"""Gradients where rules meet their limits: equal limits, rows of NaN, poles, empty sources."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.backends import BACKENDS
from tests.torch_oracle import check

NAN, INF = float("nan"), float("inf")
NONE = gc.tensor([], dtype=gc.int64)


def _gradients(function: Callable[..., gc.Tensor], *arrays: Any) -> list[Any]:
    """The gradients of the sum, which all executions agree about."""

    def run(*tensors: gc.Tensor) -> list[gc.Tensor]:
        return list(gc.grad(function(*tensors).sum(), list(tensors)))

    tensors = [gc.tensor(each).requires_grad_() for each in arrays]
    found = [each.numpy() for each in run(*tensors)]
    for backend in BACKENDS:
        for one, other in zip(found, gc.compile(run, backend=backend)(*tensors), strict=True):
            np.testing.assert_array_equal(one, other.numpy(), str(backend))
    return found


def _limits() -> list[np.ndarray[Any, Any]]:
    """Three numbers in all orders, with ties and NaN.

    Two cases are left out, in which PyTorch gives the upper limit the gradient of a NaN.
    """
    rows = [
        (x, low, high) for x, low, high in product((1.0, 2.0, 3.0, NAN), repeat=3)
        if not (np.isnan(low) and x > high) and not (np.isnan(x) and high < low)
    ]  # fmt: skip
    return list(np.array(rows).T)


@pytest.mark.parity
def test_gradients_of_clamp_in_all_orders_of_its_limits() -> None:
    x, low, high = _limits()
    check(lambda m, x, low, high: m.clamp(x, low, high), x, low, high)
    check(lambda m, x, low: m.clamp(x, min=low), x, low)
    check(lambda m, x, high: m.clamp(x, max=high), x, high)
    for least, most in product((1.0, 2.0, NAN), repeat=2):
        check(lambda m, x, least=least, most=most: m.clamp(x, least, most), x)
    check(lambda m, x, low, high: m.clamp(x, low, high), x, low[:1], high[:1])


def test_of_equal_limits_the_upper_one_has_the_gradient() -> None:
    x, low, high = _gradients(gc.clamp, [0.0, 1.0, 2.0, 0.0], [1.0, 1, 1, 1], [1.0, 1, 1, 3])
    assert x.tolist() == [0, 1, 0, 0]
    assert low.tolist() == [0, 0, 0, 1]
    assert high.tolist() == [0, 0, 1, 0]


def test_the_mean_of_no_numbers_has_no_gradient_either() -> None:
    (found,) = _gradients(lambda x: gc.nanmean(x, 1), [[NAN, NAN], [1.0, NAN]])
    np.testing.assert_array_equal(found, [[NAN, NAN], [1, 0]])


@pytest.mark.parity
def test_nanmean_of_rows_of_nan() -> None:
    x = np.array([[NAN, NAN], [1.0, NAN], [INF, 2.0]])
    for dim in (None, 0, 1, (0, 1)):
        check(lambda m, x, dim=dim: m.nanmean(x, dim), x)
        check(lambda m, x, dim=dim: m.nanmean(x, dim, keepdim=True), np.full((2, 2), NAN))


@pytest.mark.parity
@pytest.mark.parametrize("other", [NAN, 0.0, -1.0, 2.0, INF])
def test_xlogy_beside_a_number(other: float) -> None:
    x = np.array([0.0, -0.0, 1.0, NAN, INF])
    check(lambda m, x: m.xlogy(x, other), x)
    check(lambda m, x: m.xlogy(other, x), x)
    check(lambda m, x, y: m.xlogy(x, y), x, np.full(5, other))


def test_beside_the_number_nan_0_has_the_gradient_0() -> None:
    (found,) = _gradients(lambda x: gc.xlogy(x, NAN), [0.0, 1.0])
    np.testing.assert_array_equal(found, [0, NAN])


@pytest.mark.parametrize(("function", "pole"), [(gc.atan, 1j), (gc.atan, -1j), (gc.atanh, 1 + 0j)])
def test_gradients_at_poles_are_infinite(function: Callable[..., gc.Tensor], pole: complex) -> None:
    z = gc.tensor(pole, dtype=gc.complex128, requires_grad=True)
    (found,) = gc.grad(function(z), [z], gc.tensor(1 + 0j, dtype=gc.complex128))
    assert np.isinf(found.numpy().real)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["atan", "atanh"])
def test_inverse_tangents_beside_their_poles(name: str) -> None:
    z = np.array([1j, -1j, 1, -1, 0, 1 + 1e-9j, 0.5 - 2j, 3])
    with np.errstate(all="ignore"):
        check(lambda m, z: getattr(m, name)(z), z, loose=10)
        check(lambda m, x: getattr(m, name)(x), np.array([1.0, -1.0, 0.0, -0.0, 0.3, NAN]))


WRITES: dict[str, Callable[..., Any]] = {
    "scatter": lambda x, s: gc.scatter(x, 0, NONE, s),
    "scatter_add": lambda x, s: gc.scatter_add(x, 0, NONE, s),
    "scatter_reduce": lambda x, s: gc.scatter_reduce(x, 0, NONE, s, "mean", include_self=False),
    "index_reduce": lambda x, s: gc.index_reduce(x, 0, NONE, s, "prod"),
    "index_add": lambda x, s: gc.index_add(x, 0, NONE, s),
    "index_put": lambda x, s: gc.index_put(x, (NONE,), s),
    "slice_scatter": lambda x, s: gc.slice_scatter(x, s, 0, 1, 1),
    "cat": lambda x, s: gc.cat([x, s]),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_source_of_which_nothing_is_written_has_zeros(name: str) -> None:
    x, source = _gradients(WRITES[name], [-0.0, 2.0, 3.0], np.zeros(0, np.float32))
    assert x.tolist() == [1, 1, 1]
    assert source.shape == (0,)
    if name != "index_add":  # which adds a 0 to it
        made = WRITES[name](gc.tensor([-0.0, 2.0, 3.0]), gc.zeros(0))
        assert np.signbit(made.numpy()).tolist() == [True, False, False]


def test_an_assignment_of_nothing_has_zeros() -> None:
    def written(x: gc.Tensor, source: gc.Tensor, place: Any) -> gc.Tensor:
        made = x * 1
        made[place] = source
        return made

    for place in (slice(1, 1), NONE, (slice(2, 0, 1),)):
        x, source = _gradients(
            lambda x, s, place=place: written(x, s, place), [1.0, 2.0], np.zeros(0, np.float32)
        )
        assert (x.tolist(), source.shape) == ([1, 1], (0,))


def test_a_larger_source_of_which_nothing_is_written() -> None:
    x, source = _gradients(
        lambda x, s: gc.scatter(x, 1, gc.zeros(0, 2, dtype=gc.int64), s),
        np.ones((2, 3)), np.ones((4, 5)),
    )  # fmt: skip
    assert (x == 1).all()
    assert source.shape == (4, 5)
    assert not source.any()


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(0, 0), (3, 0, 0), (0, 2, 2), (0, 3), (2, 0), (2, 0, 3)])
@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, INF])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_the_condition_of_empty_matrices(shape: tuple[int, ...], p: Any, dtype: Any) -> None:
    def condition(m: Any, x: Any) -> Any:
        return m.linalg.cond(x, p)

    if shape != (0, 2, 2):
        check(condition, np.ones(shape, dtype), grads=False)
    made = gc.linalg.cond(gc.ones(shape, dtype=getattr(gc, np.dtype(dtype).name)), p)
    assert made.shape == shape[:-2]
