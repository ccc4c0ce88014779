"""Functions of PyTorch's outermost namespace that live elsewhere in graphc, or look different."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, GraphcError
from tests.torch_oracle import check, torch

rng = np.random.default_rng(5)
X = rng.normal(size=(2, 4, 6))
IMAGE = rng.normal(size=(2, 4, 6, 6))
C = rng.uniform(0.5, 2, 4)

NETWORKS: list[tuple[Callable[..., Any], Any]] = [
    (lambda m, x, w: m.conv1d(x, w, None, 2, 1), (X, rng.normal(size=(3, 4, 3)))),
    (lambda m, x, w: m.conv2d(x, w, padding=1, groups=2), (IMAGE, rng.normal(size=(4, 2, 3, 3)))),
    (lambda m, x, w: m.conv_transpose2d(x, w, stride=2), (IMAGE, rng.normal(size=(4, 2, 3, 3)))),
    (lambda m, x: m.avg_pool1d(x, 2), (X,)), (lambda m, x: m.max_pool1d(x, 2), (X,)),
    (lambda m, x: m.max_pool1d(x, kernel_size=3, stride=1, padding=1), (X,)),
    (lambda m, x: m.max_pool1d_with_indices(x, 3), (X,)),
    (lambda m, x: m.max_pool2d(x, 2), (IMAGE,)),
    (lambda m, x: m.max_pool3d(x, 2), (IMAGE,)), (lambda m, x: m.adaptive_avg_pool1d(x, 4), (X,)),
    (lambda m, x: m.adaptive_max_pool1d(x, 4), (X,)),
    (lambda m, x: m.constant_pad_nd(x, (1, 0, 2, 1), 3), (X,)),
    (lambda m, x, w, b: m.batch_norm(x, w, b, None, None, True, 0.1, 1e-5, False), (X, C, -C)),
    (lambda m, x: m.batch_norm(x, None, None, m.ones(4).double(), m.ones(4).double() * 3, False,
                               0.1, 1e-5, False), (X,)),
    (lambda m, x, w, b: m.instance_norm(x, w, b, None, None, True, 0.1, 1e-5, False), (X, C, -C)),
    (lambda m, x, w: m.layer_norm(x, (6,), w), (X, np.arange(6.0))),
    (lambda m, x, w: m.group_norm(x, 2, w), (X, C)), (lambda m, x: m.rms_norm(x, (6,)), (X,)),
    (lambda m, w: m.embedding(w, m.tensor([[1, 2], [2, 0]])), (X[0],)),
    (lambda m, w: m.embedding(w, m.tensor([1, 2, 2, 0]), 2), (X[0],)),
    (lambda m, w: m.embedding(w, m.tensor([1, 2, 2]), -1, True), (X[0],)),
    (lambda m, x: m.dropout(x, 0.5, False), (X,)), (lambda m, x: m.dropout(x, 0.0, True), (X,)),
    (lambda m, x: m.feature_dropout(x, 1.0, True), (X,)),
    (lambda m, x: m.alpha_dropout(x, 0.0, False), (X,)),
    (lambda m, x: m.feature_alpha_dropout(x, 0.3, False), (X,)),
    (lambda m, x: m.celu(x, 1.5), (X,)), (lambda m, x: m.selu(x), (X,)),
    (lambda m, x: m.celu_(x * 1, 1.5), (X,)), (lambda m, x: m.selu_(x * 1), (X,)),
    (lambda m, x: m.rrelu(x, 0.2, 0.2), (X,)), (lambda m, x: m.rrelu_(x * 1, 0.2, 0.2), (X,)),
    (lambda m, x: m.hardshrink(x), (X,)), (lambda m, x: m.threshold(x, 0.1, 2.0), (X,)),
    (lambda m, x: m.threshold_(x * 1, 0.1, 2.0), (X,)), (lambda m, x, w: m.prelu(x, w), (X, C)),
    (lambda m, x: m.channel_shuffle(x, 2), (X,)), (lambda m, x: m.pdist(x[0]), (X,)),
    (lambda m, x, y: m.cosine_similarity(x, y), (X, X[::-1])),
    (lambda m, x, y: m.pairwise_distance(x, y), (X, X[::-1])),
    (lambda m, x, y, w: m.bilinear(x, y, w), (X, X[:, :, :2], rng.normal(size=(3, 6, 2)))),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("function", "arrays"), NETWORKS)
def test_networks(function: Callable[..., Any], arrays: Any) -> None:
    check(function, *arrays, loose=64)


CELLS = {"rnn_tanh_cell": 1, "rnn_relu_cell": 1, "gru_cell": 3}


@pytest.mark.parity
@pytest.mark.parametrize("name", [*CELLS, "lstm_cell"])
@pytest.mark.parametrize("has_bias", [True, False])
def test_recurrent_cells(name: str, has_bias: bool) -> None:
    gates, size, hidden = CELLS.get(name, 4) * 3, 5, 3
    x, h, c = (rng.normal(size=(2, n)) for n in (size, hidden, hidden))
    weights = [rng.normal(size=(gates, n)) for n in (size, hidden)]
    biases = [rng.normal(size=gates) for _ in range(2)] if has_bias else []

    def cell(m: Any, x: Any, h: Any, c: Any, *others: Any) -> Any:
        state = (h, c) if name == "lstm_cell" else h
        return getattr(m, name)(x, state, *others)

    check(cell, x, h, c, *weights, *biases, loose=64)


def test_dropout_in_place() -> None:
    for name in ("dropout_", "alpha_dropout_", "feature_dropout_", "feature_alpha_dropout_"):
        x = gc.ones(3, 40)
        assert getattr(gc, name)(x, 0.5, True) is x
        assert 1 < len(set(x.reshape(-1).tolist())) < 4
    whole = gc.feature_dropout(gc.ones(8, 50, 3), 0.5, True)
    assert set(whole.sum(2).reshape(-1).tolist()) == {0.0, 6.0}


UNARY = """abs acos asin atan ceil cos cosh deg2rad erf erfc exp exp2 expm1 floor frac i0 log log10
log1p log2 logit nan_to_num neg negative rad2deg reciprocal relu round rsqrt sigmoid sin sinc sinh
sqrt square tan tanh trunc fix arccos arcsin arctan""".split()


@pytest.mark.parity
@pytest.mark.parametrize("name", UNARY)
def test_writing_functions(name: str) -> None:
    def program(m: Any, x: Any) -> Any:
        y = x * 1
        assert getattr(m, name + "_")(y) is y
        return y

    check(program, rng.uniform(0.1, 0.9, (2, 3)), loose=64)


@pytest.mark.parity
def test_writing_functions_with_more_arguments() -> None:
    def program(m: Any, x: Any) -> Any:
        y = x * 1
        m.addmv_(y[0], x.t() @ x, x[1])
        m.clamp_(y, 0.2, 0.7)
        m.clip_(y, max=0.6)
        m.fill_(y[0], 2)
        m.index_put_(y, (m.tensor([1]),), x[:1] * 3)
        m.clamp_min_(y, 0.3)
        m.clamp_max_(y, 5)
        m.xlogy_(y, x)
        m.ldexp_(y, m.tensor([1, 2, 1]))
        m.zero_(y[:, 0])
        return y

    check(program, rng.uniform(0.1, 0.9, (2, 3)), loose=64, grads=False)


@pytest.mark.parity
def test_buffers() -> None:
    for m in (gc, torch()):
        memory = bytearray(range(12))
        x = m.frombuffer(memory, dtype=m.int16, count=2, offset=4)
        assert x.tolist() == [0x0504, 0x0706]
        memory[4] = 0
        assert x[0].item() == 0x0500
        assert m.frombuffer(memory, dtype=m.uint8).shape == (12,)
        assert m.frombuffer(bytearray(8), dtype=m.float32, requires_grad=True).requires_grad
    for wrong in (lambda: gc.frombuffer(b"", dtype=gc.int8),
                  lambda: gc.frombuffer(3, dtype=gc.int8),
                  lambda: gc.frombuffer(bytearray(3), dtype=gc.int16)):  # fmt: skip
        with pytest.raises(ArgumentError, match=r"test_torch_names\.py"):
            wrong()


@pytest.mark.parity
def test_anything_as_a_tensor() -> None:
    for m in (gc, torch()):
        array = np.arange(3.0)
        x = m.asarray(array)
        array[0] = 7
        assert x.tolist() == [7, 1, 2]
        assert m.asarray(x) is not None
        assert m.asarray(array, copy=True).tolist() == [7, 1, 2]
        copied = m.asarray(x, copy=True)
        copied.zero_()
        assert x[0].item() == 7
        assert m.asarray([1, 2.5]).dtype == m.float32
        assert m.asarray(x, dtype=m.int64).dtype == m.int64
        assert m.asarray(x, requires_grad=True).is_leaf
        assert m.asarray([1.0], requires_grad=True).requires_grad
        assert m.asarray(3).shape == ()
        tracked = m.ones(2, requires_grad=True)
        assert not m.asarray(tracked, requires_grad=False).requires_grad
        for wrong in (lambda m=m, x=x: m.asarray(x, dtype=m.int8, copy=False),
                      lambda m=m: m.asarray([1], copy=False)):  # fmt: skip
            with pytest.raises(ValueError):  # noqa: PT011 - the two libraries' texts differ
                wrong()
    capsule = gc.to_dlpack(gc.ones(2))
    assert "dltensor" in repr(capsule)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: gc.gru_cell(gc.ones(3), gc.ones(2, 2), gc.ones(6, 3), gc.ones(6, 2)),
        lambda: gc.feature_dropout(gc.ones(3), 0.5, True),
        lambda: gc.dropout(gc.ones(3), 1.5, True),
        lambda: gc.embedding(gc.ones(3, 2), gc.ones(2)), lambda: gc.asarray(object()),
    ],
)  # fmt: skip
def test_errors(wrong: Callable[[], object]) -> None:
    with pytest.raises(GraphcError, match=r"test_torch_names\.py"):
        wrong()
