"""Running results against PyTorch, in both modes."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError
from tests.torch_oracle import check

CASES: list[tuple[tuple[int, ...], int]] = [
    ((), 0), ((), -1), ((5,), 0), ((1,), 0), ((0,), 0), ((3, 4), 0), ((3, 4), -1), ((2, 0), 0),
    ((2, 3, 4), 1),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("shape", "dim"), CASES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"])
def test_floats(name: str, shape: tuple[int, ...], dim: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=shape)
    check(lambda m, x: getattr(m, name)(x, dim), x, loose=10)
    check(lambda m, x: getattr(x, name)(dim=dim), x.astype(np.float32), loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.bool_])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin"])
def test_integers(name: str, dtype: Any, rng: np.random.Generator) -> None:
    x = rng.integers(0, 3, (4, 5)).astype(dtype)
    check(lambda m, x: getattr(m, name)(x, 1), x)


@pytest.mark.parity
def test_the_dtype_is_cast_to_first(rng: np.random.Generator) -> None:
    x = rng.integers(0, 9, 6)
    check(lambda m, x: m.cumsum(x, 0, dtype=m.float64), x)
    check(lambda m, x: x.cumprod(0, dtype=m.float32), x)


@pytest.mark.parity
@pytest.mark.parametrize(
    "values", [[2.0, 0, 3, 0, 4], [0.0, 1, 2], [1.0, 0], [0.0, 0], [-1.0, 2, -3, 3]]
)
def test_products_with_zeros_have_gradients(values: list[float]) -> None:
    check(lambda m, x: m.cumprod(x, 0), np.array(values))


@pytest.mark.parity
def test_hostile_logarithms() -> None:
    rows = np.array([[800.0, 900, -800, 0], [-900, -800, 3, -np.inf]])
    check(lambda m, x: m.logcumsumexp(x, 1), rows, loose=10)
    infinite = np.array([[-np.inf, -np.inf, 0.0, 1], [np.inf, 1, 2, 3], [1, np.nan, 2, 3]])
    check(lambda m, x: m.logcumsumexp(x, 1), infinite, loose=10, grads=False)


def test_what_is_infinitely_small_has_no_gradient() -> None:
    x = gc.tensor([-np.inf, 0.0, 0.0], requires_grad=True)
    (grad,) = gc.grad(gc.logcumsumexp(x, 0).sum(), x)
    assert grad is not None
    np.testing.assert_allclose(grad.numpy(), [0, 1.5, 0.5])


@pytest.mark.parity
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_equal_elements_and_nan(name: str) -> None:
    x = np.array([[1.0, 3, 3, 2, 3], [2, np.nan, 5, np.nan, 1], [0.0, -0.0, 0.0, 1, 1]])
    check(lambda m, x: getattr(m, name)(x, 1), x)


@pytest.mark.parity
def test_layouts(rng: np.random.Generator) -> None:
    check(lambda m, x: m.cumsum(x.t(), 0), rng.normal(size=(3, 4)), loose=10)


def test_long_sums_keep_their_digits() -> None:
    x = np.full(100_000, 0.1, np.float32)
    exact = np.cumsum(x.astype(np.float64))
    np.testing.assert_allclose(gc.cumsum(gc.tensor(x), 0).numpy(), exact, rtol=1e-7)


def test_the_dim_must_exist() -> None:
    with pytest.raises(ArgumentError, match="cumsum: dim out of range"):
        gc.cumsum(gc.ones(3), 1)
    with pytest.raises(ArgumentError, match="cummax: dim out of range"):
        gc.ones(3, 2).cummax(-3)
