"""Sorting, ranks, medians and quantiles against PyTorch, in both modes."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, IndexRangeError
from tests.both_modes import check_both
from tests.torch_oracle import check

CASES: list[tuple[tuple[int, ...], int]] = [
    ((), 0), ((5,), 0), ((1,), -1), ((3, 4), 0), ((3, 4), -1), ((2, 0, 3), 0), ((2, 3, 4), 1),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("shape", "dim"), [*CASES, ((2, 0, 3), 1)])
def test_sort(shape: tuple[int, ...], dim: int, descending: bool, rng: np.random.Generator) -> None:
    x = rng.normal(size=shape)
    check(lambda m, x: m.sort(x, dim, descending), x)
    check(lambda m, x: x.argsort(dim, descending=descending), x)


@pytest.mark.parity
@pytest.mark.parametrize("descending", [False, True])
def test_stable_sort_of_equal_elements_and_nan(descending: bool) -> None:
    x = np.array([[1.0, np.nan, 1, -0.0, 0.0, np.nan, -np.inf], [2, 2, 2, 1, 1, 3, 3]])
    check(lambda m, x: m.sort(x, dim=1, descending=descending, stable=True), x)
    check(lambda m, x: x.argsort(dim=1, descending=descending, stable=True), x.astype(np.float32))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.bool_])
def test_sort_of_integers(dtype: Any, rng: np.random.Generator) -> None:
    x = rng.integers(0, 3, (4, 6)).astype(dtype)
    check(lambda m, x: m.sort(x, stable=True), x)
    check(lambda m, x: m.sort(x, stable=True, descending=True), x)
    check(lambda m, x: m.msort(x), x)


@pytest.mark.parity
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_topk(k: int, largest: bool, rng: np.random.Generator) -> None:
    x = rng.permutation(24).reshape(2, 3, 4) * 0.5
    check(lambda m, x: m.topk(x, k, 1, largest), x)
    check(lambda m, x: x.topk(k, largest=largest), x)


@pytest.mark.parity
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(("shape", "dim"), CASES)
def test_values_by_rank(
    shape: tuple[int, ...], dim: int, keepdim: bool, rng: np.random.Generator
) -> None:
    x = rng.permutation(int(np.prod(shape))).reshape(shape) * 0.5
    if shape != (2, 0, 3):
        check(lambda m, x: m.kthvalue(x, 1, dim, keepdim), x)
        check(lambda m, x: m.median(x, dim, keepdim), x)
        check(lambda m, x: x.nanmedian(dim, keepdim), x)
        check(lambda m, x: m.mode(x, dim, keepdim), x)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["median", "nanmedian", "mode"])
def test_values_of_hostile_lanes(name: str) -> None:
    x = np.array([[1.0, 3, 3, 2, 3, 1], [2, 2, 0, 1, 1, 5], [np.inf, 1, -np.inf, 0, 0, 7]])
    check(lambda m, x: getattr(m, name)(x, 1).values, x, grads=False)
    if name != "mode":
        y = np.array([[np.nan, 3, np.nan, 2, 3, 1], [np.nan] * 6, [1, 2, 3, 4, 5, np.nan]])
        check(lambda m, x: getattr(m, name)(x, 1).values, y, grads=False)
        check(lambda m, x: getattr(m, name)(x.long(), 1).values, x, grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["median", "nanmedian"])
@pytest.mark.parametrize(
    "values", [[], [1.0], [3.0, 1, 2, 2], [2.0, 2, 2], [1.0, np.nan, 3, 2], [np.inf, np.inf]]
)
def test_median_of_all(name: str, values: list[float]) -> None:
    check(lambda m, x: getattr(m, name)(x), np.array(values), grads=len(values) > 0)
    check(lambda m, x: getattr(x, name)(), np.array([values, values]), grads=len(values) > 0)


@pytest.mark.parity
def test_the_index_of_a_mode_is_the_last() -> None:
    x = np.array([[1, 3, 3, 2, 3, 1], [2, 2, 0, 1, 1, 5]])
    check(lambda m, x: m.mode(x, 1), x)


@pytest.mark.parity
@pytest.mark.parametrize("dim", [None, 0, -1])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantile(
    name: str, interpolation: str, keepdim: bool, dim: int | None, rng: np.random.Generator
) -> None:
    x, shares = rng.normal(size=(3, 5)), np.array([0.0, 0.3, 0.5, 1.0])
    how = {"dim": dim, "keepdim": keepdim, "interpolation": interpolation}
    check(lambda m, x: getattr(m, name)(x, 0.4, **how), x)
    check(lambda m, x, q: getattr(x, name)(q.detach(), **how), x, shares)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantile_of_nan_and_numbers(name: str) -> None:
    x = np.array([[1.0, np.nan, 3, 2], [np.nan] * 4, [4, 3, 2, 1]])
    check(lambda m, x: getattr(m, name)(x, 0.7, 1), x, grads=False)
    check(lambda m, x: getattr(m, name)(x, 0.7), np.array(3.0))


def test_wrong_arguments() -> None:
    x = gc.ones(3, 4)
    with pytest.raises(IndexRangeError, match=r"topk: k out of range(.|\n)*0\.\.4"):
        gc.topk(x, 5)
    with pytest.raises(IndexRangeError, match="kthvalue: k out of range"):
        gc.kthvalue(x, 0)
    with pytest.raises(IndexRangeError, match="median: expected a dim with one element"):
        gc.median(gc.ones(3, 0), 1)
    with pytest.raises(ArgumentError, match="q must be from 0 to 1"):
        gc.quantile(x, 1.5)
    with pytest.raises(ArgumentError, match="q must be from 0 to 1"):
        gc.quantile(x, gc.tensor([0.5, -0.1]))
    with pytest.raises(ArgumentError, match="unknown interpolation"):
        gc.quantile(x, 0.5, interpolation="cubic")
    with pytest.raises(DTypeError, match="float32 or float64"):
        gc.quantile(x.long(), 0.5)


def test_results_are_the_same_in_both_modes_for_half_types(rng: np.random.Generator) -> None:
    x = gc.tensor(rng.normal(size=(4, 5))).to(gc.bfloat16).numpy()
    outcome = check_both(lambda x: gc.sort(x, dim=1, descending=True), x)
    np.testing.assert_array_equal(
        outcome.outputs[0].astype(np.float32), -np.sort(-x.astype(np.float32), 1)
    )
