"""Layers' functions against numpy written by hand, and their errors."""

import math

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn
from graphc.errors import ArgumentError, IndexRangeError, ShapeError


def test_linear(rng: np.random.Generator) -> None:
    x, w, b = (rng.normal(size=shape) for shape in ((2, 3, 4), (5, 4), (5,)))
    actual = F.linear(gc.tensor(x), gc.tensor(w), gc.tensor(b)).numpy()
    np.testing.assert_allclose(actual, np.einsum("abi,oi->abo", x, w) + b, rtol=1e-12)
    vector = F.linear(gc.tensor(x), gc.tensor(w[0]), gc.tensor(b[0]))
    np.testing.assert_allclose(vector.numpy(), x @ w[0] + b[0], rtol=1e-12)
    with pytest.raises(ShapeError):
        F.linear(gc.tensor(x), gc.zeros(5, 3, dtype=gc.float64))
    with pytest.raises(ShapeError, match="linear"):
        F.linear(gc.tensor(1.0), gc.zeros(5, 3))


def test_embedding(rng: np.random.Generator) -> None:
    table, index = rng.normal(size=(5, 3)), rng.integers(0, 5, (2, 4))
    weight = gc.tensor(table, requires_grad=True)
    out = F.embedding(gc.tensor(index), weight, padding_idx=2)
    np.testing.assert_array_equal(out.detach().numpy(), table[index])
    out.sum().backward()
    counts = np.bincount(index.ravel(), minlength=5).astype(float)
    counts[2] = 0
    np.testing.assert_array_equal(weight.grad.numpy(), np.repeat(counts[:, None], 3, 1))
    for wrong in (-1, 5):
        with pytest.raises(IndexRangeError):
            F.embedding(gc.tensor([wrong]), weight)
    with pytest.raises(ArgumentError, match="padding_idx"):
        F.embedding(gc.tensor([0]), weight, padding_idx=5)


def test_embedding_layer_starts_with_zeros_at_padding() -> None:
    layer = nn.Embedding(4, 3, padding_idx=1)
    assert layer.weight[1].tolist() == [0, 0, 0]
    assert bool((layer.weight[0] != 0).all())
    table = gc.ones(2, 3)
    frozen = nn.Embedding.from_pretrained(table)
    assert not frozen.weight.requires_grad
    table.fill_(2.0)
    assert frozen(gc.tensor([1])).tolist() == [[2, 2, 2]]


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_dropout_zeros_and_scales(p: float) -> None:
    gc.manual_seed(3)
    x = gc.ones(100, 100, requires_grad=True)
    out = F.dropout(x, p)
    values = np.unique(out.detach().numpy())
    assert set(values) <= {np.float32(0), np.float32(1 / (1 - p)) if p < 1 else np.float32(0)}
    assert (out == 0).float().mean().item() == pytest.approx(p, abs=0.02)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())


def test_dropout_is_the_identity_in_evaluation_and_repeats_by_seed() -> None:
    x = gc.ones(50)
    layer = nn.Dropout(0.5)
    assert layer.eval()(x) is x
    layer.train()
    gc.manual_seed(1)
    first, second = layer(x), layer(x)
    gc.manual_seed(1)
    again = layer(x)
    assert first.tolist() == again.tolist() != second.tolist()
    h = x * 1
    assert nn.Dropout(0.5, inplace=True)(h) is h
    assert 0 in h.tolist()
    for p in (-0.1, 1.1, math.nan):
        with pytest.raises(ArgumentError, match="probability"):
            nn.Dropout(p)


def test_batch_norm(rng: np.random.Generator) -> None:
    x = rng.normal(2, 3, size=(8, 4, 5))
    mean, var = gc.zeros(4, dtype=gc.float64), gc.ones(4, dtype=gc.float64)
    w, b = rng.normal(size=(2, 4))
    out = F.batch_norm(gc.tensor(x), mean, var, gc.tensor(w), gc.tensor(b), True, 0.2, 0.01)
    center = x.mean((0, 2), keepdims=True)
    scale = np.sqrt(x.var((0, 2), keepdims=True) + 0.01)
    expected = (x - center) / scale * w[:, None] + b[:, None]
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(mean.numpy(), 0.2 * x.mean((0, 2)), rtol=1e-12)
    np.testing.assert_allclose(var.numpy(), 0.8 + 0.2 * x.var((0, 2), ddof=1), rtol=1e-12)
    out = F.batch_norm(gc.tensor(x), mean, var)
    expected = (x - mean.numpy()[:, None]) / np.sqrt(var.numpy()[:, None] + 1e-5)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)


def test_batch_norm_errors() -> None:
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ShapeError, match="one value per channel"):
        layer(gc.ones(1, 3))
    assert layer.eval()(gc.ones(1, 3)).shape == (1, 3)
    with pytest.raises(ShapeError, match="channels"):
        layer(gc.ones(2, 4))
    with pytest.raises(ShapeError, match="BatchNorm1d"):
        layer(gc.ones(2, 3, 4, 5))
    with pytest.raises(ArgumentError, match="running"):
        F.batch_norm(gc.ones(2, 3), None, None)
    with pytest.raises(ShapeError):
        F.batch_norm(gc.ones(3), None, None, training=True)


def test_batch_norm_of_large_values_keeps_accuracy() -> None:
    x = np.array([[1e4 + 1], [1e4 - 1], [1e4 + 1], [1e4 - 1]], np.float32)
    out = F.batch_norm(gc.tensor(x), None, None, training=True, eps=0.0)
    np.testing.assert_allclose(out.numpy().ravel(), [1, -1, 1, -1], rtol=1e-6)


def test_layer_norm(rng: np.random.Generator) -> None:
    x, w, b = rng.normal(5, 2, (3, 2, 4)), rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    out = F.layer_norm(gc.tensor(x), (2, 4), gc.tensor(w), gc.tensor(b), 0.1).numpy()
    center, var = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    np.testing.assert_allclose(out, (x - center) / np.sqrt(var + 0.1) * w + b, rtol=1e-11)
    for shape in ((3,), (2, 2, 3, 2, 4), ()):
        with pytest.raises(ShapeError, match="layer_norm"):
            F.layer_norm(gc.tensor(x), shape)


def test_activations_by_formula() -> None:
    x = np.linspace(-4, 4, 41)
    t = gc.tensor(x)
    normal = np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])
    np.testing.assert_allclose(F.gelu(t).numpy(), x * normal, rtol=1e-12, atol=1e-15)
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    np.testing.assert_allclose(
        F.gelu(t, "tanh").numpy(), 0.5 * x * (1 + np.tanh(inner)), rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(F.silu(t).numpy(), x / (1 + np.exp(-x)), rtol=1e-12)
    np.testing.assert_allclose(F.softplus(t).numpy(), np.log1p(np.exp(x)), rtol=1e-12)
    np.testing.assert_allclose(F.logsigmoid(t).numpy(), -np.log1p(np.exp(-x)), rtol=1e-12)
    np.testing.assert_array_equal(F.leaky_relu(t, 0.5).numpy(), np.where(x > 0, x, 0.5 * x))
    np.testing.assert_array_equal(F.relu(t).numpy(), np.maximum(x, 0))
    with pytest.raises(ArgumentError, match="approximat"):
        F.gelu(t, "sigmoid")


def test_softplus_has_finite_gradients_far_out() -> None:
    x = gc.tensor([-1000.0, 0.0, 1000.0], requires_grad=True)
    F.softplus(x).sum().backward()
    assert x.grad.tolist() == [0, 0.5, 1]


def test_one_hot_and_pad() -> None:
    assert F.one_hot(gc.tensor([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert F.pad(gc.ones(2), (1, 2), value=5.0).tolist() == [5, 1, 1, 5, 5]
