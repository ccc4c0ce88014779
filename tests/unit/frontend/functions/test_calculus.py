"""Differences, integrals and distances against PyTorch, in both modes."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, ShapeError
from tests.torch_oracle import check


@pytest.mark.parity
@pytest.mark.parametrize("n", [0, 1, 2, 6])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_diff(n: int, dim: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    check(lambda m, x: m.diff(x, n, dim), x, loose=10)
    check(lambda m, x: x.diff(n=n, dim=dim), rng.integers(0, 9, (3, 4)))


@pytest.mark.parity
def test_diff_with_more_samples(rng: np.random.Generator) -> None:
    x, more = rng.normal(size=(2, 3)), rng.normal(size=(2, 1))
    check(lambda m, x, y: m.diff(x, prepend=y, append=y), x, more)
    check(lambda m, x: m.diff(x), np.array([True, False, False, True]))


@pytest.mark.parity
@pytest.mark.parametrize("name", ["trapezoid", "cumulative_trapezoid"])
@pytest.mark.parametrize("dim", [0, -1])
def test_integrals(name: str, dim: int, rng: np.random.Generator) -> None:
    y = rng.normal(size=(4, 4))
    check(lambda m, y: getattr(m, name)(y, dim=dim), y, loose=10)
    check(lambda m, y: getattr(m, name)(y, dx=0.25, dim=dim), y, loose=10)
    check(lambda m, y, x: getattr(m, name)(y, x, dim=dim), y, rng.normal(size=4), loose=10)
    check(lambda m, y, x: getattr(m, name)(y, x, dim=dim), y, rng.normal(size=(4, 4)), loose=10)
    check(lambda m, y: getattr(m, name)(y), np.array([2.0]))


@pytest.mark.parity
@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient(edge_order: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 5))
    rows, columns = np.sort(rng.normal(size=4)), np.sort(rng.normal(size=5))
    check(lambda m, x: m.gradient(x, edge_order=edge_order), x, loose=20)
    check(lambda m, x: m.gradient(x, spacing=0.5, dim=1, edge_order=edge_order), x, loose=20)
    check(lambda m, x: m.gradient(x, spacing=[2.0, 0.5], dim=(1, 0), edge_order=edge_order), x,
          loose=20)  # fmt: skip
    check(
        lambda m, x, a, b: m.gradient(x, spacing=(a.detach(), b.detach()), edge_order=edge_order),
        x, rows, columns, loose=1000,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("p", [0, 0.5, 1, 2, 3, np.inf])
def test_distances(p: float, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(2, 3))
    check(lambda m, a, b: m.cdist(a, b, p), a, b, loose=100)
    check(lambda m, a, b: m.dist(a, b, p), a[:2], b, loose=100, grads=p != 0)
    check(lambda m, a, b: m.cdist(a, b, p), rng.normal(size=(2, 1, 4, 3)), a[None, :2], loose=100)


@pytest.mark.parity
def test_distances_of_equal_rows(rng: np.random.Generator) -> None:
    a = rng.normal(size=(3, 2))
    check(lambda m, a: m.cdist(a, a.detach()), a, loose=100)
    check(lambda m, a: m.cdist(a, a), np.zeros((3, 0)))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: gc.diff(gc.tensor(1.0)), ArgumentError, "diff: expected one dim or more"),
        (lambda: gc.trapezoid(gc.ones(3), gc.ones(4)), ShapeError, "one place per sample"),
        (lambda: gc.trapezoid(gc.ones(3), gc.ones(3), dx=1.0), ArgumentError, "x and dx"),
        (lambda: gc.gradient(gc.ones(1)), ShapeError, "too few samples"),
        (lambda: gc.gradient(gc.ones(4), edge_order=3), ArgumentError, "edge_order 1 or 2"),
        (lambda: gc.cdist(gc.ones(2, 3), gc.ones(2, 4)), ShapeError, "rows of one length"),
        (lambda: gc.cdist(gc.ones(2, 3), gc.ones(2, 3), -1), ArgumentError, "p >= 0"),
    ],
)
def test_wrong_arguments(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
