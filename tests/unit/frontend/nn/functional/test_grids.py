"""Sampling at positions against PyTorch, in both executions."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, DTypeError, ShapeError
from tests.torch_oracle import check


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid:UserWarning")
@pytest.mark.parametrize("aligned", [False, True])
def test_affine_grid(aligned: bool, rng: np.random.Generator) -> None:
    for shape, size in (
        ((2, 2, 3), (2, 1, 3, 4)), ((1, 2, 3), (1, 5, 1, 2)), ((2, 3, 4), (2, 1, 2, 3, 4)),
    ):  # fmt: skip
        check(
            lambda m, x, s=size: _functional(m).affine_grid(x, s, align_corners=aligned),
            rng.normal(size=shape), loose=8,
        )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(
    ("mode", "padding", "aligned"),
    list(
        itertools.product(
            ["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [False, True]
        )
    ),
)
def test_grid_sample(mode: str, padding: str, aligned: bool, rng: np.random.Generator) -> None:
    def run(m: Any, x: Any, grid: Any) -> Any:
        return _functional(m).grid_sample(x, grid, mode, padding, align_corners=aligned)

    image, grid = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 2, 2))
    check(run, image, grid * 0.5, loose=200)
    check(run, image, grid * 4, loose=400)
    check(run, image[:, :, :1, :1], grid, loose=200)
    if mode != "bicubic":
        volume, places = rng.normal(size=(1, 2, 3, 4, 2)), rng.normal(size=(1, 2, 1, 3, 3))
        check(run, volume, places, loose=200)


def test_the_plain_grid_gives_the_image_back(rng: np.random.Generator) -> None:
    image = rng.normal(size=(2, 3, 4, 5))
    plain = gc.tensor([[[1.0, 0, 0], [0, 1, 0]]] * 2, dtype=gc.float64)
    for aligned in (False, True):
        grid = F.affine_grid(plain, image.shape, align_corners=aligned)
        again = F.grid_sample(gc.tensor(image), grid, align_corners=aligned)
        np.testing.assert_allclose(again.numpy(), image, rtol=1e-12, atol=1e-12)


def test_second_derivatives(rng: np.random.Generator) -> None:
    image = gc.tensor(rng.normal(size=(1, 1, 3, 4)), requires_grad=True)
    grid = gc.tensor(rng.uniform(-0.8, 0.8, size=(1, 2, 1, 2)), requires_grad=True)

    def gradient(image: gc.Tensor, grid: gc.Tensor) -> tuple[gc.Tensor, ...]:
        out = F.grid_sample(image, grid, align_corners=True)
        return gc.grad((out * out).sum(), (image, grid), create_graph=True)

    assert gc.autograd.gradcheck(gradient, [image, grid])


X, G = gc.ones(1, 2, 3, 3), gc.zeros(1, 2, 2, 2)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.grid_sample(X, G, "linear"), ArgumentError, "mode"),
        (lambda: F.grid_sample(X, G, padding_mode="wrap"), ArgumentError, "padding_mode"),
        (lambda: F.grid_sample(X, gc.zeros(1, 2, 2, 3)), ShapeError, "batch"),
        (lambda: F.grid_sample(X, gc.zeros(2, 2, 2, 2)), ShapeError, "batch"),
        (lambda: F.grid_sample(X, G.double()), DTypeError, "one floating"),
        (lambda: F.affine_grid(gc.ones(1, 2, 2), (1, 1, 2, 2)), ShapeError, "affine_grid"),
        (lambda: F.affine_grid(gc.ones(1, 2, 3), (1, 1, 0, 2)), ShapeError, "affine_grid"),
    ],
)
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
