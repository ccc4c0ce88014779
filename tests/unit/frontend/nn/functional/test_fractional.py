"""Pooling at random distances against PyTorch with the same random numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, ShapeError
from tests.torch_oracle import check


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


@pytest.mark.parity
@pytest.mark.parametrize(
    ("shape", "kernel", "options"),
    [
        ((2, 3, 7, 9), 2, {"output_size": (3, 4)}),
        ((2, 3, 7, 9), (3, 2), {"output_ratio": (0.5, 0.4)}),
        ((3, 6, 6), 2, {"output_size": 1}),
        ((1, 2, 5, 7, 6), 2, {"output_size": (2, 3, 4)}),
    ],
)
def test_with_given_samples(
    shape: tuple[int, ...], kernel: Any, options: dict[str, Any], rng: np.random.Generator
) -> None:
    dims = 3 if len(shape) == 5 else 2
    batch = shape[:2] if len(shape) == dims + 2 else (1, shape[0])
    samples = rng.uniform(size=(*batch, dims))

    def run(m: Any, x: Any, s: Any) -> Any:
        pool = getattr(_functional(m), f"fractional_max_pool{dims}d")
        return pool(x, kernel, return_indices=True, _random_samples=s.detach(), **options)

    check(run, rng.normal(size=shape), samples)


def test_drawn_windows_cover_both_ends() -> None:
    gc.manual_seed(0)
    x = gc.arange(40.0).reshape(1, 1, 1, 40).expand(1, 30, 2, 40)
    out, places = F.fractional_max_pool2d_with_indices(x, (1, 2), output_size=(1, 15))
    assert out.shape == (1, 30, 1, 15)
    columns = places.numpy()[0, :, 0] % 40
    assert np.all(columns[:, 0] == 1)
    assert np.all(columns[:, -1] == 39)
    assert len({tuple(row) for row in columns.tolist()}) > 5
    assert set(np.diff(columns).ravel()) <= {1, 2, 3}


X = gc.ones(1, 2, 5, 5)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.fractional_max_pool2d(X, 2), ArgumentError, "either"),
        (lambda: F.fractional_max_pool2d(X, 2, 2, 0.5), ArgumentError, "either"),
        (lambda: F.fractional_max_pool2d(X, 2, output_ratio=1.5), ArgumentError, "between"),
        (lambda: F.fractional_max_pool2d(X, 2, 5), ShapeError, "do not fit"),
        (lambda: F.fractional_max_pool2d(X, 2, 2, _random_samples=gc.ones(1, 2, 3)), ShapeError,
         "samples"),
    ],
)  # fmt: skip
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
