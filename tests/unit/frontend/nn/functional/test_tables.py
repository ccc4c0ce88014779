"""Embeddings, bags of embeddings and bilinear maps against PyTorch, in both executions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn
from graphc.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from tests.torch_oracle import check


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


@pytest.mark.parity
def test_embedding_options(rng: np.random.Generator) -> None:
    table = rng.normal(size=(6, 3))
    for indices in (np.array([[1, 1, 4], [0, 1, 5]]), np.array(2), np.zeros((0, 2), np.int64)):
        check(
            lambda m, w, i: _functional(m).embedding(i, w, scale_grad_by_freq=True), table, indices
        )
        check(lambda m, w, i: _functional(m).embedding(i, w, padding_idx=-2), table, indices)


@pytest.mark.parity
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0])
def test_rows_that_are_read_are_limited_in_place(
    norm_type: float, rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    table, indices = rng.normal(size=(6, 3)), np.array([0, 3, 3, 5])
    ours, theirs = gc.tensor(table), torch.tensor(table)
    a = F.embedding(gc.tensor(indices), ours, max_norm=0.8, norm_type=norm_type)
    b = torch.nn.functional.embedding(
        torch.tensor(indices), theirs, max_norm=0.8, norm_type=norm_type
    )
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
    np.testing.assert_array_equal(ours.numpy()[[1, 2, 4]], table[[1, 2, 4]])


def test_the_layer_limits_its_table_compiled_too() -> None:
    gc.manual_seed(0)
    layer = nn.Embedding(4, 3, max_norm=0.5)
    start = layer.weight.detach().numpy().copy()
    out = gc.compile(layer)(gc.tensor([0, 2]))
    norms = np.linalg.norm(layer.weight.detach().numpy(), axis=1)
    assert norms[[0, 2]].max() <= 0.5
    np.testing.assert_array_equal(layer.weight.detach().numpy()[[1, 3]], start[[1, 3]])
    np.testing.assert_array_equal(out.detach().numpy(), layer.weight.detach().numpy()[[0, 2]])
    assert "max_norm=0.5" in repr(layer)


MODES = ("sum", "mean", "max")


@pytest.mark.parity
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", [None, 1, -1])
def test_bags(mode: str, padding: int | None, rng: np.random.Generator) -> None:
    table = rng.normal(size=(6, 3))
    rows = np.array([[1, 1, 4], [0, 1, 5], [5, 5, 5]])

    def bag(m: Any, w: Any, i: Any, *offsets: Any, **options: Any) -> Any:
        return _functional(m).embedding_bag(
            i, w, *offsets, mode=mode, padding_idx=padding, **options
        )

    check(bag, table, rows)
    check(bag, table, rows.ravel(), np.array([0, 2, 2, 5]))
    check(
        lambda m, w, i, o: bag(m, w, i, o, include_last_offset=True),
        table, rows.ravel(), np.array([0, 2, 2, 9]),
    )  # fmt: skip
    check(bag, table, rows[:0])
    if mode == "sum":
        check(
            lambda m, w, i, f: bag(m, w, i, per_sample_weights=f), table, rows,
            rng.normal(size=(3, 3)),
        )  # fmt: skip
        check(
            lambda m, w, i, o, f: bag(m, w, i, o, per_sample_weights=f), table, rows.ravel(),
            np.array([0, 4]), rng.normal(size=9),
        )  # fmt: skip


def test_bags_may_share_gradients_by_frequency(rng: np.random.Generator) -> None:
    table = gc.tensor(rng.normal(size=(6, 3)), requires_grad=True)
    rows = np.array([[1, 1, 4], [0, 1, 5], [5, 5, 5]])
    out = F.embedding_bag(gc.tensor(rows), table, mode="sum", scale_grad_by_freq=True)
    np.testing.assert_allclose(out.detach().numpy(), table.detach().numpy()[rows].sum(1), 1e-12)
    out.sum().backward()
    read = np.isin(np.arange(6), rows).astype(float)
    np.testing.assert_allclose(table.grad.numpy(), np.repeat(read[:, None], 3, 1), rtol=1e-12)


@pytest.mark.parity
def test_bilinear(rng: np.random.Generator) -> None:
    w, b = rng.normal(size=(5, 3, 4)), rng.normal(size=5)
    for lead in ((), (2,), (2, 3), (0,)):
        x, y = rng.normal(size=(*lead, 3)), rng.normal(size=(*lead, 4))
        check(lambda m, x, y, w, b: _functional(m).bilinear(x, y, w, b), x, y, w, b, loose=20)
        check(lambda m, x, y, w: _functional(m).bilinear(x, y, w), x, y, w, loose=20)


def test_bilinear_by_hand(rng: np.random.Generator) -> None:
    x, y, w = rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), rng.normal(size=(5, 3, 4))
    got = F.bilinear(gc.tensor(x), gc.tensor(y), gc.tensor(w)).numpy()
    np.testing.assert_allclose(got, np.einsum("ni,oij,nj->no", x, w, y), rtol=1e-12)


TABLE, ROW = gc.ones(4, 2), gc.tensor([0, 1, 2])


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.embedding_bag(ROW, TABLE), ShapeError, "offsets"),
        (lambda: F.embedding_bag(ROW, TABLE, gc.tensor([[0]])), ShapeError, "offsets"),
        (lambda: F.embedding_bag(ROW, TABLE, gc.tensor([1])), ArgumentError, "first offset"),
        (lambda: F.embedding_bag(ROW, TABLE, gc.tensor([0]), mode="min"), ArgumentError, "mode"),
        (
            lambda: F.embedding_bag(ROW, TABLE, gc.tensor([0]), per_sample_weights=gc.ones(3)),
            ArgumentError, "per_sample_weights",
        ),
        (
            lambda: F.embedding_bag(
                ROW, TABLE, gc.tensor([0]), mode="max", scale_grad_by_freq=True
            ),
            ArgumentError, "scale_grad_by_freq",
        ),
        (
            lambda: F.embedding_bag(gc.tensor([[0]]), TABLE, include_last_offset=True),
            ArgumentError, "include_last_offset",
        ),
        (lambda: F.embedding_bag(gc.ones(1, 2), TABLE), DTypeError, "integer"),
        (lambda: F.embedding_bag(gc.tensor([[4]]), TABLE), IndexRangeError, "range"),
        (lambda: F.bilinear(gc.ones(2, 3), gc.ones(2, 4), gc.ones(5, 4, 3)), ShapeError, "out"),
        (lambda: F.bilinear(gc.ones(2, 3), gc.ones(3, 4), gc.ones(5, 3, 4)), ShapeError, "out"),
    ],
)  # fmt: skip
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
