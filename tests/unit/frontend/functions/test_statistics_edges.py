"""Weights of covariances, logaddexp of complex numbers that are none, and medians of NaN."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError
from tests.torch_oracle import check

NAN, INF = float("nan"), float("inf")
X = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, -1.0]])


@pytest.mark.parametrize(
    "weights",
    [
        {"aweights": [0.0, 0.0, 0.0]},
        {"aweights": [1.0, -0.5, 1.0]},
        {"aweights": [1.0, NAN, 1.0]},
        {"aweights": [1.0, 1j, 1.0]},
        {"fweights": [1, -1, 3]},
        {"fweights": [0, 0, 0]},
        {"fweights": [True, True, False]},
        {"fweights": [1.0, 1.0, 1.0]},
        {"fweights": [1, 0, 0], "aweights": [0.0, 1.0, 2.0]},
    ],
)
def test_weights_that_are_none(weights: dict[str, list[Any]]) -> None:
    with pytest.raises(ArgumentError, match="weights must"):
        gc.cov(gc.tensor(X), **{name: gc.tensor(given) for name, given in weights.items()})


def test_a_recording_does_not_know_the_weights() -> None:
    run = gc.compile(lambda x, weights: gc.cov(x, aweights=weights))
    weights = gc.tensor([0.5, 0.25, 2.0], dtype=gc.float64)
    wanted = gc.cov(gc.tensor(X), aweights=weights)
    np.testing.assert_allclose(run(gc.tensor(X), weights).numpy(), wanted.numpy(), rtol=1e-12)
    assert np.isnan(run(gc.tensor(X), weights * 0).numpy()).all()


def test_one_number_has_its_own_dtype_beside_weights() -> None:
    found = gc.cov(gc.tensor(3.0, dtype=gc.float64), correction=0, aweights=gc.tensor([0.5]))
    assert found.dtype is gc.float64
    assert found.item() == 0


@pytest.mark.parametrize("correction", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.filterwarnings("ignore:cov")
@pytest.mark.parity
def test_no_degrees_of_freedom(correction: int, dtype: type) -> None:
    values = np.array([[1.0, 2.0], [4.0, 3.0]], dtype)
    check(lambda m, x: m.cov(x, correction=correction), values, grads=False)


def test_no_degrees_of_freedom_of_complex_numbers() -> None:
    found = gc.cov(gc.tensor([[1.0 + 1j, 2.0]]), correction=5)
    assert not np.isfinite(found.numpy()).any()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (complex(NAN, 0), complex(-INF, 0)),
        (complex(0, NAN), complex(INF, 3)),
        (complex(-INF, 0), complex(NAN, NAN)),
        (complex(0, NAN), complex(-INF, 0)),
        (complex(1, 2), complex(NAN, 1)),
        (complex(INF, 1), complex(0, NAN)),
    ],
)
def test_logaddexp_of_no_number_is_none(one: complex, other: complex) -> None:
    for a, b in ((one, other), (other, one)):
        pair = gc.tensor([a], dtype=gc.complex128), gc.tensor([b], dtype=gc.complex128)
        for found in (gc.logaddexp(*pair), gc.compile(gc.logaddexp)(*pair)):
            assert np.isnan(found.real.numpy()).all()
            assert np.isnan(found.imag.numpy()).all()


@pytest.mark.parity
def test_logaddexp_of_complex_numbers(rng: np.random.Generator) -> None:
    reals = np.array([0.0, 1.5, -3.0, 800.0, -800.0, -INF, NAN])
    imags = np.array([0.0, 3.0, -1.0, NAN])
    values = (reals[:, None] + 1j * np.where(np.isnan(imags), 0, imags)).reshape(-1)
    values = values + np.tile(np.where(np.isnan(imags), 1j * NAN, 0), len(reals))
    a, b = (x.reshape(-1) for x in np.meshgrid(values, values))
    sane = ~(np.isneginf(a.real) & np.isneginf(b.real))  # their angle means nothing
    check(lambda m, x, y: m.logaddexp(x, y), a[sane], b[sane], grads=False, loose=10)
    a, b = (rng.normal(size=40) + 1j * rng.normal(size=40) for _ in range(2))
    check(lambda m, x, y: m.logaddexp(x, y), a, b, loose=100)


@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
def test_the_median_of_nan_is_the_first_one(dtype: gc.DType) -> None:
    x = gc.tensor([[NAN, 1.0, NAN, 2.0], [5.0, NAN, NAN, NAN], [4.0, 3.0, 2.0, 1.0]], dtype=dtype)
    for found in (gc.median(x, 1), gc.compile(lambda x: gc.median(x, 1))(x)):
        assert found.indices.tolist() == [0, 1, 2]
        np.testing.assert_array_equal(found.values.numpy(), [NAN, NAN, 2.0])
