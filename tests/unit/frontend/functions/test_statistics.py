"""Moments, counts, covariances, histograms and distinct values against PyTorch."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, ShapeError, SymbolicValueError
from graphc.frontend.graph import Graph
from tests.torch_oracle import check

X = np.random.default_rng(3).normal(size=(3, 5))
HOLES = np.where(X > 0.8, np.nan, X)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["var_mean", "std_mean"])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 1)])
def test_both_moments(name: str, dim: Any) -> None:
    check(lambda m, x: getattr(m, name)(x, dim, correction=0, keepdim=True), X, loose=100)
    check(lambda m, x: getattr(m, name)(x, dim, unbiased=True), X, loose=100)


@pytest.mark.parametrize("dim", [None, 0, 1, (0, 2)])
def test_a_mean_far_from_zero_costs_no_accuracy(dim: Any) -> None:
    array = np.random.default_rng(3).normal(1000, 0.1, (50, 20, 40)).astype(np.float32)
    exact = array.astype(np.float64).var(dim, ddof=1)
    for function in (gc.var, gc.compile(gc.var)):
        found = function(gc.tensor(array), dim).numpy()
        np.testing.assert_allclose(found, exact, rtol=1.5e-6)


def test_equal_values_have_no_variance() -> None:
    for value in (0.1, -7.3e4, 1e-20, 3.3e18):
        x = gc.full((7, 3), value)
        for function in (gc.var, gc.compile(gc.var)):
            assert np.all(function(x, 0).numpy() >= 0)
            np.testing.assert_allclose(function(x, 0).numpy(), 0, atol=(value * 1e-7) ** 2)


@pytest.mark.parity
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("name", ["nansum", "nanmean"])
def test_without_nan(name: str, dim: Any, keepdim: bool) -> None:
    check(lambda m, x: getattr(m, name)(x, dim, keepdim), HOLES, loose=10)
    check(
        lambda m, x: getattr(x, name)(dim=dim, keepdim=keepdim),
        np.full((2, 2), np.nan),
        grads=False,
    )


@pytest.mark.parity
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 1)])
def test_count_nonzero(dim: Any, rng: np.random.Generator) -> None:
    x = rng.integers(-1, 2, (3, 4))
    for array in (x, x.astype(np.float32), x.astype(bool)):
        check(lambda m, x: m.count_nonzero(x, dim), array)


@pytest.mark.parity
@pytest.mark.parametrize("dim", [None, 0, -1])
def test_aminmax(dim: int | None) -> None:
    check(lambda m, x: m.aminmax(x, dim=dim), X)
    check(lambda m, x: tuple(x.aminmax(dim=dim, keepdim=True)), HOLES, grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("correction", [0, 1])
def test_cov(correction: int) -> None:
    counts, shares = np.array([1, 2, 0, 3, 1]), np.array([0.5, 1, 2, 0.1, 0.7])
    check(lambda m, x: m.cov(x, correction=correction), X, loose=100)
    check(lambda m, x: x.cov(correction=correction), X[0], loose=100)
    check(lambda m, x, f: m.cov(x, correction=correction, fweights=f), X, counts, loose=100)
    check(
        lambda m, x, f, a: m.cov(x, correction=correction, fweights=f, aweights=a),
        X, counts, shares, loose=100,
    )  # fmt: skip


@pytest.mark.parity
def test_corrcoef() -> None:
    check(lambda m, x: m.corrcoef(x), X, loose=1000)
    check(lambda m, x: m.corrcoef(x), X[0], grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("bounds", [(0, 0), (-1, 1), (-0.5, 3)])
@pytest.mark.parametrize("bins", [1, 4, 10])
def test_histc(bins: int, bounds: tuple[float, float]) -> None:
    check(lambda m, x: m.histc(x.detach(), bins, *bounds), X)
    edges = np.array([-1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    check(lambda m, x: x.detach().histc(bins, *bounds), edges)


@pytest.mark.parity
def test_histc_of_equal_elements() -> None:
    check(lambda m, x: m.histc(x.detach(), 4), np.full(5, 2.0))


@pytest.mark.parity
@pytest.mark.parametrize("density", [False, True])
def test_histogram(density: bool) -> None:
    weight = np.abs(X)
    edges = np.array([-2.0, -0.3, 0.1, 5.0])

    def with_edges(m: Any, x: Any, e: Any, w: Any) -> Any:
        return tuple(m.histogram(x.detach(), e.detach(), weight=w.detach(), density=density))

    check(with_edges, X, edges, weight, record=False, loose=10)
    check(lambda m, x: tuple(m.histogram(x.detach(), 4, range=(-1.0, 1.0), density=density)), X,
          record=False, loose=10)  # fmt: skip
    check(lambda m, x: tuple(x.detach().histogram(5, density=density)), X, record=False, loose=10)


@pytest.mark.parity
def test_bincount() -> None:
    x = np.array([1, 5, 1, 0, 2])
    check(lambda m, x: m.bincount(x), x, record=False)
    check(lambda m, x: x.bincount(minlength=9), x.astype(np.uint8), record=False)
    for dtype in (np.float32, np.float64):
        weights = np.array([0.5, 1, 2, 3, 4], dtype)
        check(lambda m, x, w: m.bincount(x, w.detach()), x, weights, record=False)
    check(lambda m, x: m.bincount(x), np.zeros(0, np.int64), record=False)


@pytest.mark.parity
@pytest.mark.parametrize("dim", [None, 0, 1])
@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
def test_distinct_values(name: str, dim: int | None) -> None:
    x = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 1, 2], [1, 1, 2, 2]])
    for array in (x, x.astype(np.uint8), x > 1):
        check(
            lambda m, x: getattr(m, name)(x, return_inverse=True, return_counts=True, dim=dim),
            array, record=False,
        )  # fmt: skip
        check(lambda m, x: getattr(x, name)(dim=dim), array, record=False)


def test_every_nan_is_distinct() -> None:
    assert gc.unique(gc.tensor([1.0, np.nan, np.nan])).shape == (3,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "function",
    [gc.bincount, gc.unique, gc.unique_consecutive, lambda x: gc.histogram(x.float(), 3)],
)
def test_sizes_that_depend_on_values_are_not_recorded(function: Any) -> None:
    with Graph(), pytest.raises(SymbolicValueError, match="asked of a symbolic tensor"):
        function(gc.placeholder((4,), dtype=gc.int64, name="x"))


def test_wrong_arguments() -> None:
    with pytest.raises(ArgumentError, match="must not be negative"):
        gc.bincount(gc.tensor([1, -1]))
    with pytest.raises(DTypeError, match="vector of integers"):
        gc.bincount(gc.ones(3))
    with pytest.raises(ArgumentError, match="min <= max"):
        gc.histc(gc.ones(3), 4, 2, 1)
    with pytest.raises(ArgumentError, match="one bin or more"):
        gc.histc(gc.ones(3), 0)
    with pytest.raises(ShapeError, match="cov: expected two dims"):
        gc.cov(gc.ones(2, 2, 2))
    with pytest.raises(ArgumentError, match="fweights must be integers"):
        gc.cov(gc.ones(2, 2), fweights=gc.ones(2))
    with pytest.raises(DTypeError, match="nanmean: expected a floating point"):
        gc.nanmean(gc.tensor([1, 2]))


@pytest.mark.parity
@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: m.var(x, 1),
        lambda m, x: m.std_mean(x),
        lambda m, x: m.cov(x),
        lambda m, x: m.norm(x),
        lambda m, x: m.linalg.vector_norm(x, 3, 0),
        lambda m, x: m.linalg.vecdot(x, x + 1),
        lambda m, x: m.vdot(x[0], x[1]),
        lambda m, x: m.inner(x, x),
        lambda m, x: m.cumprod(x, 1),
        lambda m, x: m.einsum("ij,kj->ik", x, x),
        lambda m, x: m.prod(x, 1),
    ],
)
def test_complex_numbers(function: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 5)) + 1j * rng.normal(size=(3, 5))
    check(function, x, grads=False, loose=100)
