"""Padding and resizing against PyTorch, in both executions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, ShapeError
from tests.torch_oracle import check, torch


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


@pytest.mark.parity
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_pad(mode: str, rng: np.random.Generator) -> None:
    for shape, amounts in (
        ((3, 5), (2, 1)), ((2, 3, 5), (4, 4)), ((2, 3, 5), (0, 3)), ((2, 3, 5), (-1, 2)),
        ((2, 3, 5), (2, -2)), ((2, 3, 5), (-1, -2)), ((2, 3, 4, 5), (1, 2, 3, 0)),
        ((3, 4, 5), (4, 0, 1, 2)), ((2, 2, 3, 4, 5), (1, 2, 0, 3, 2, 1)),
    ):  # fmt: skip
        x = rng.normal(size=shape)
        check(lambda m, x, p=amounts: _functional(m).pad(x, p, mode=mode), x)


@pytest.mark.parity
def test_pad_with_a_constant(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3))
    for amounts in ((1, 2), (1, -1, 0, 2), (0, 0)):
        check(lambda m, x, p=amounts: _functional(m).pad(x, p, value=1.5), x)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_pad_of_an_unknown_size_compiles(mode: str) -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2, "length"), name="x")
        out = F.pad(x, (2, 1), mode)
    session = graph.compile(outputs=out)
    for length in (3, 6):
        values = np.arange(2.0 * length, dtype=np.float32).reshape(2, length)
        expected = F.pad(gc.tensor(values), (2, 1), mode).numpy()
        np.testing.assert_array_equal(session.run({"x": values}), expected)


RESIZE: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    *[
        ((2, 2, 5), {"mode": mode, **size})
        for mode in ("nearest", "nearest-exact", "linear", "area")
        for size in ({"size": 8}, {"size": 3}, {"scale_factor": 1.7}, {"scale_factor": 0.5})
    ],
    *[
        ((2, 2, 5, 6), {"mode": mode, **size})
        for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area")
        for size in (
            {"size": (8, 3)}, {"scale_factor": (2, 0.7)}, {"size": 1},
            {"scale_factor": 1.3, "recompute_scale_factor": True},
        )
    ],
    *[
        ((1, 2, 3, 4, 5), {"mode": mode, "size": (5, 2, 7)})
        for mode in ("nearest", "trilinear", "area")
    ],
    *[
        ((2, 1, 5, 6), {"mode": mode, "size": size, "align_corners": True})
        for mode in ("bilinear", "bicubic")
        for size in ((8, 3), (1, 9))
    ],
    *[
        ((2, 1, 9, 7), {"mode": mode, "antialias": True, **size})
        for mode in ("bilinear", "bicubic")
        for size in ({"size": (4, 3)}, {"size": (12, 5)}, {"scale_factor": 0.4})
    ],
    ((2, 1, 9, 7), {"mode": "bilinear", "antialias": True, "size": 4, "align_corners": True}),
    ((2, 1, 4), {"mode": "linear", "size": 7, "align_corners": True}),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("shape", "options"), RESIZE)
def test_interpolate(
    shape: tuple[int, ...], options: dict[str, Any], rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape)
    check(lambda m, x: _functional(m).interpolate(x, **options), x, loose=50)
    check(lambda m, x: _functional(m).interpolate(x, **options), x.astype(np.float32), loose=50)


@pytest.mark.parity
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_single_column_is_resized_along_its_rows(mode: str, rng: np.random.Generator) -> None:
    """PyTorch repeats the first row; a single row of the transposed image it resizes rightly."""
    x = rng.normal(size=(1, 2, 6, 5))
    got = F.interpolate(gc.tensor(x), size=(4, 1), mode=mode, antialias=True)
    turned = torch().tensor(x).transpose(2, 3)
    wanted = torch().nn.functional.interpolate(turned, size=(1, 4), mode=mode, antialias=True)
    np.testing.assert_allclose(got.numpy(), wanted.transpose(2, 3).numpy(), rtol=1e-12)


def test_older_names() -> None:
    x = gc.arange(4.0).reshape(1, 1, 2, 2)
    for name, options in (
        ("upsample", {"mode": "nearest"}), ("upsample_nearest", {"mode": "nearest"}),
        ("upsample_bilinear", {"mode": "bilinear", "align_corners": True}),
    ):  # fmt: skip
        with pytest.warns(DeprecationWarning, match="interpolate"):
            got = getattr(F, name)(x, size=3)
        assert got.tolist() == F.interpolate(x, size=3, **options).tolist()


X = gc.ones(1, 2, 4, 4)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.pad(X, (1, 1), mode="mirror"), ArgumentError, "mode"),
        (lambda: F.pad(X, (1, 1), mode="reflect"), ArgumentError, "spatial"),
        (lambda: F.pad(X, (1, 1, 1), mode="reflect"), ArgumentError, "spatial"),
        (lambda: F.pad(X, (1, 1, 1, 1), "reflect", 2.0), ArgumentError, "value"),
        (lambda: F.pad(X, (4, 0, 0, 0), mode="reflect"), ShapeError, "more elements"),
        (lambda: F.pad(X, (5, 0, 0, 0), mode="circular"), ShapeError, "more elements"),
        (lambda: F.pad(X[..., :0], (1, 0, 0, 0), mode="replicate"), ShapeError, "more elements"),
        (lambda: F.interpolate(X), ArgumentError, "either"),
        (lambda: F.interpolate(X, 2, 2.0), ArgumentError, "either"),
        (lambda: F.interpolate(X, (2, 2, 2)), ArgumentError, "per spatial"),
        (lambda: F.interpolate(X, 0), ArgumentError, "positive"),
        (lambda: F.interpolate(X, 2, mode="cubic"), ArgumentError, "mode"),
        (lambda: F.interpolate(X, 2, mode="linear"), ShapeError, "1 spatial"),
        (lambda: F.interpolate(X, 2, align_corners=True), ArgumentError, "align_corners"),
        (lambda: F.interpolate(X, 2, antialias=True), ArgumentError, "antialias"),
        (lambda: F.interpolate(gc.ones(2, 2), 2), ShapeError, "spatial"),
    ],
)
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
