"""Reductions against PyTorch and numpy, in both modes."""

import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.both_modes import check_both
from tests.closeness import assert_same
from tests.torch_oracle import check

SHAPES: list[tuple[tuple[int, ...], Any]] = [
    ((), None), ((), 0), ((), -1), ((5,), None), ((5,), 0), ((1, 4), 0), ((3, 4), None),
    ((3, 4), -1), ((3, 4), (0, 1)), ((2, 3, 4), 1), ((2, 3, 4), (0, -1)), ((2, 1, 3, 2), (1, 3)),
]  # fmt: skip
EMPTY: list[tuple[tuple[int, ...], Any]] = [((0,), None), ((0, 3), 0), ((0, 3), 1), ((2, 0), None)]


@pytest.mark.parity
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "logsumexp"])
def test_over_dims(
    name: str, shape: tuple[int, ...], dim: Any, keepdim: bool, rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape)
    dims = tuple(range(len(shape))) if dim is None and name == "logsumexp" else dim
    dims = () if dims is None and name in ("amax", "amin") else dims
    check(lambda m, x: getattr(m, name)(x, dims, keepdim), x, loose=10)
    check(lambda m, x: getattr(x, name)(dim=dims, keepdim=keepdim), x.astype(np.float32), loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.parametrize(("shape", "dim"), [case for case in SHAPES if math.prod(case[0]) > 1])
@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.filterwarnings("ignore:.*degrees of freedom.*")
def test_var_and_std(
    name: str, shape: tuple[int, ...], dim: Any, correction: int, rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape)
    count = math.prod(shape[d] for d in np.atleast_1d(range(len(shape)) if dim is None else dim))
    check(
        lambda m, x: getattr(m, name)(x, dim, correction=correction, keepdim=True),
        x, loose=100, grads=count > correction,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("unbiased", [True, False])
def test_var_unbiased(unbiased: bool, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 5))
    check(lambda m, x: m.var(x, 1, unbiased=unbiased), x, loose=100)
    check(lambda m, x: x.std(unbiased=unbiased), x, loose=100)


@pytest.mark.parity
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(("shape", "dim"), [case for case in SHAPES if isinstance(case[1], int)])
@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin", "prod", "any", "all"])
def test_over_one_dim(
    name: str, shape: tuple[int, ...], dim: int, keepdim: bool, rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape)
    check(lambda m, x: getattr(m, name)(x, dim, keepdim), x, loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 4), (2, 1, 3)])
@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin", "prod", "any", "all", "std"])
@pytest.mark.filterwarnings("ignore:.*degrees of freedom.*")
def test_over_everything(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.normal(size=shape)
    check(
        lambda m, x: getattr(m, name)(x), x, loose=10, grads=name != "std" or x.size > 1
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16"]
)
@pytest.mark.parametrize("name", ["sum", "prod", "amax", "argmin", "any", "all", "max", "min"])
def test_dtypes(name: str, dtype: str) -> None:
    x = gc.tensor([[1, 0, 3], [2, 5, 1]], dtype=dtype)
    if dtype == "bool" and name == "argmin":
        pytest.skip("torch refuses argmin of bool")
    check(lambda m, x: getattr(m, name)(x), x, grads=False)
    if name != "amax" or dtype != "bool":
        check(lambda m, x: getattr(m, name)(x, 1), x, grads=False)


@pytest.mark.parity
@pytest.mark.parametrize(("shape", "dim"), EMPTY)
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "any", "all", "logsumexp", "var"])
@pytest.mark.filterwarnings("ignore:.*degrees of freedom.*")
def test_no_elements(name: str, shape: tuple[int, ...], dim: Any) -> None:
    if dim is None and name == "logsumexp":
        dim = tuple(range(len(shape)))
    x = np.zeros(shape)
    args = () if dim is None else (dim,)
    check(lambda m, x: getattr(m, name)(x, *args), x)


@pytest.mark.parametrize("name", ["amax", "argmin", "max", "min"])
def test_no_elements_to_choose_from(name: str) -> None:
    with pytest.raises(gc.GraphcError, match="no elements"):
        getattr(gc, name)(gc.zeros(0))
    with pytest.raises(gc.GraphcError, match="no elements"):
        getattr(gc, name)(gc.zeros(0, 2), 0)
    assert gc.zeros(2, 0, 3).sum(1).shape == (2, 3)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["amax", "amin", "argmax", "argmin", "sum", "max", "min"])
def test_nan_infinity_and_zeros(name: str) -> None:
    x = np.array(
        [[1, np.nan, np.inf], [-np.inf, 2, 3], [-0.0, 0.0, -0.0], [np.nan, np.nan, 1]], np.float32
    )
    check(lambda m, x: getattr(m, name)(x, 1), x, grads=False)
    check(lambda m, x: getattr(m, name)(x, 0), x, grads=False)


@pytest.mark.parity
def test_ties_share_or_go_to_the_first() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    check(lambda m, x: m.amax(x, 1), x)
    check(lambda m, x: m.amin(x, 1), x)
    check(lambda m, x: m.max(x, 1), x)
    check(lambda m, x: m.max(x), x)
    check(lambda m, x: m.min(x), x)


@pytest.mark.parity
def test_product_gradients_with_zeros() -> None:
    x = np.array([[1.0, 2.0, 3.0], [0.0, 2.0, 3.0], [0.0, 0.0, 3.0]])
    check(lambda m, x: m.prod(x, 1), x)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(
    ("shape", "dim"), [((), 0), ((4,), 0), ((3, 4), -1), ((3, 4), 0), ((2, 3, 4), 1), ((2, 0), 1)]
)
def test_softmax(name: str, shape: tuple[int, ...], dim: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=shape) * 5
    check(lambda m, x: getattr(m, name)(x, dim), x, loose=10)
    narrow = x.astype(np.float32)
    check(lambda m, x: getattr(m, name)(x, dim=dim, dtype=m.float64), narrow, loose=10)


@pytest.mark.parity
def test_softmax_of_huge_values() -> None:
    x = np.array([[1e4, 1e4 - 1, -1e4], [0, -np.inf, 0]], np.float32)
    check(lambda m, x: (m.softmax(x, 1), m.log_softmax(x, 1), m.logsumexp(x, 1)), x, grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
def test_norm(p: float, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    check(lambda m, x: m.norm(x, p), x, loose=10)
    check(lambda m, x: m.norm(x, p, 1), x, loose=10)


@pytest.mark.parity
def test_dtype_argument() -> None:
    check(lambda m, x: m.sum(x, dtype=m.float64), np.arange(5))
    check(lambda m, x: m.mean(x, dtype=m.float32), np.arange(5))
    check(lambda m, x: m.sum(x, 0, dtype=m.float64), np.ones((2, 3), np.float32))


@pytest.mark.parametrize("array", [np.ones(3, np.int64), np.ones(3, bool)])
@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_mean_of_integers_is_an_error(name: str, array: Any) -> None:
    with pytest.raises(gc.GraphcError, match=f"{name}|var") as caught:
        getattr(gc, name)(gc.tensor(array))
    assert "test_reduction.py" in str(caught.value)


@pytest.mark.parametrize("dim", [2, -3, (0, 0), (0, -2), 1.5])
def test_wrong_dims(dim: Any) -> None:
    with pytest.raises(gc.GraphcError, match="dim"):
        gc.sum(gc.ones(2, 3), dim)


def test_softmax_needs_a_dim() -> None:
    with pytest.raises(gc.GraphcError, match="dim"):
        gc.softmax(gc.ones(3))


def test_numpy_oracle_without_torch(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 5))
    got = check_both(lambda x: (x.sum(), x.mean(0), x.max(1).values, x.argmax(1), x.amin()), x)
    wanted = [x.sum(), x.mean(0), x.max(1), x.argmax(1), x.min()]
    for one, other in zip(got.outputs, wanted, strict=True):
        assert_same(one, np.asarray(other), ulps=16)


def test_noncontiguous(rng: np.random.Generator) -> None:
    x = rng.normal(size=(6, 8))
    got = check_both(lambda x: (x.T.sum(0), x[::-2, 1::3].mean(1), x.T.argmax(1)), x)
    wanted = [x.T.sum(0), x[::-2, 1::3].mean(1), x.T.argmax(1)]
    for one, other in zip(got.outputs, wanted, strict=True):
        assert_same(one, np.asarray(other), ulps=16)


def test_float32_sums_stay_accurate() -> None:
    x = np.full((1 << 20,), 0.1, np.float32)
    assert abs(gc.tensor(x).sum().item() - 0.1 * (1 << 20)) < 0.1


@pytest.mark.parametrize("values", [[0.0, 2, 3], [0.0, 0, 3], [1.0, 2, 3]])
def test_the_second_derivative_of_a_product_with_zeros(values: list[float]) -> None:
    x = gc.tensor(np.array(values), requires_grad=True)
    (grad,) = gc.grad(x.prod(), x, create_graph=True)
    assert grad is not None
    rows = [gc.grad(grad[i], x, retain_graph=True)[0] for i in range(3)]
    expected = [
        [0.0 if i == j else values[3 - i - j] for j in range(3)] for i in range(3)
    ]  # fmt: skip
    np.testing.assert_array_equal([row.tolist() for row in rows if row is not None], expected)
