"""Dropout per element and per channel: what is dropped, how often, and its gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, ShapeError

CHANNELS: list[tuple[Callable[..., gc.Tensor], tuple[int, ...], int]] = [
    (F.dropout1d, (40, 50, 3), 2), (F.dropout1d, (900, 3), 1),
    (F.dropout2d, (40, 50, 2, 3), 2), (F.dropout3d, (40, 50, 2, 1, 3), 2),
    (F.dropout3d, (900, 2, 1, 3), 1),
]  # fmt: skip


@pytest.mark.parametrize(("function", "shape", "lead"), CHANNELS)
def test_whole_channels_are_dropped(
    function: Callable[..., gc.Tensor], shape: tuple[int, ...], lead: int
) -> None:
    gc.manual_seed(0)
    x = gc.ones(*shape, requires_grad=True)
    out = function(x, 0.25)
    rows = out.detach().numpy().reshape(*shape[:lead], -1)
    assert np.all(rows == rows[..., :1])
    np.testing.assert_allclose(np.unique(rows), [0, 4 / 3], rtol=1e-6)
    assert np.mean(rows == 0) == pytest.approx(0.25, abs=0.06)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())
    assert function(x, 0.25, training=False) is x
    assert not function(x, 1.0).detach().numpy().any()


@pytest.mark.parametrize("function", [F.alpha_dropout, F.feature_alpha_dropout])
def test_alpha_dropout_keeps_mean_and_variance(function: Callable[..., gc.Tensor]) -> None:
    gc.manual_seed(1)
    x = gc.randn(300, 400)
    out = function(x, 0.3, training=True).numpy()
    assert out.mean() == pytest.approx(0, abs=0.02)
    assert out.var() == pytest.approx(1, abs=0.03)
    values, counts = np.unique(out, return_counts=True)
    assert counts.max() / out.size == pytest.approx(0.3, abs=0.01)
    scale = ((1.7580993408473766**2 * 0.3 + 1) * 0.7) ** -0.5
    floor = -1.7580993408473766 * scale * 0.7
    assert values[counts.argmax()] == pytest.approx(floor, rel=1e-5)
    assert function(x, 0.3) is x
    assert not function(x, 1.0, training=True).numpy().any()


def test_feature_alpha_dropout_drops_whole_channels() -> None:
    gc.manual_seed(2)
    out = F.feature_alpha_dropout(gc.zeros(30, 40, 5), 0.5, training=True).numpy()
    assert np.all(out == out[..., :1])
    assert len(np.unique(out)) == 2


@pytest.mark.parametrize("function", [F.dropout, F.dropout1d, F.alpha_dropout])
def test_in_place(function: Callable[..., gc.Tensor]) -> None:
    gc.manual_seed(3)
    x = gc.ones(4, 5, 6)
    assert function(x, 0.5, training=True, inplace=True) is x
    assert len(np.unique(x.numpy())) == 2


def test_recorded_masks_are_the_dynamic_ones() -> None:
    def both(x: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        return F.dropout2d(x, 0.4), F.feature_alpha_dropout(x, 0.4, training=True)

    x = gc.ones(3, 4, 2, 2)
    gc.manual_seed(4)
    now = both(x)
    gc.manual_seed(4)
    later = gc.compile(both)(x)
    for one, other in zip(now, later, strict=True):
        np.testing.assert_allclose(other.numpy(), one.numpy(), rtol=1e-6)


def test_other_numbers_of_dims_warn_as_in_pytorch() -> None:
    with pytest.warns(UserWarning, match="dropout1d"):
        F.dropout2d(gc.ones(2, 3, 4))
    with pytest.warns(UserWarning, match="dropout3d"):
        F.dropout3d(gc.ones(2, 3))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.dropout1d(gc.ones(3)), ShapeError, "channels"),
        (lambda: F.dropout2d(gc.ones(3)), ShapeError, "channels"),
        (lambda: F.feature_alpha_dropout(gc.ones(3)), ShapeError, "channels"),
        (lambda: F.alpha_dropout(gc.ones(3), 1.5), ArgumentError, "probability"),
        (lambda: F.dropout3d(gc.ones(2, 3, 1, 1, 1), -0.5), ArgumentError, "probability"),
    ],
)
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
