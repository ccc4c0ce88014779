"""Arguments have PyTorch's names, those that it has taken from numpy included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc
from graphc.errors import ArgumentTypeError

CALLS: list[Callable[[Any, Any], Any]] = [
    lambda g, x: x.permute(dims=(1, 0)),
    lambda g, x: g.permute(x, dims=(1, 0)),
    lambda g, x: x.repeat(repeats=(1, 2)),
    lambda g, x: x.expand(size=(3, 2, 4)),
    lambda g, x: x.tile(dims=(2,)),
    lambda g, x: g.tile(x, dims=(2, 1)),
    lambda g, x: x.reshape(shape=(4, -1)),
    lambda g, x: g.reshape(x, shape=(4, -1)),
    lambda g, x: x.split(split_size=3, dim=1)[1],
    lambda g, x: x.split(split_size=[1, 3], dim=1)[1],
    lambda g, x: x.tensor_split(indices=(1,))[1],
    lambda g, x: g.tensor_split(x, sections=3, dim=1)[0],
    lambda g, x: x.hsplit(sections=2)[1],
    lambda g, x: g.hsplit(x, indices=(1,))[1],
    lambda g, x: x.vsplit(sections=2)[1],
    lambda g, x: x.reshape(1, 2, 4).dsplit(indices=(1, 3))[1],
    lambda g, x: x.clone().swapaxes_(axis0=0, axis1=1),
    lambda g, x: g.zeros(size=(2, 3)),
    lambda g, x: g.ones(size=[2, 0]),
    lambda g, x: g.rand(size=(2,)) * 0,
    lambda g, x: g.randn(size=(2, 3)) * 0,
    lambda g, x: g.empty(size=(2,)) * 0,
    lambda g, x: x.new_zeros(size=(2,)),
    lambda g, x: x.new_ones(size=(2, 1)),
    lambda g, x: x.new_empty(size=(2,)) * 0,
    lambda g, x: g.sum(x, axis=0),
    lambda g, x: x.sum(axis=(0, 1), keepdims=True),
    lambda g, x: x.mean(axis=-1),
    lambda g, x: x.std(axis=1, keepdims=True),
    lambda g, x: x.var(axis=1),
    lambda g, x: x.prod(axis=0),
    lambda g, x: x.max(axis=0).values,
    lambda g, x: x.argmax(axis=0),
    lambda g, x: (x > 2).all(axis=0),
    lambda g, x: x.softmax(axis=0),
    lambda g, x: g.cat([x, x], axis=1),
    lambda g, x: g.stack([x, x], axis=2),
    lambda g, x: x.unsqueeze(axis=1).squeeze(axis=1),
    lambda g, x: x.cumsum(axis=1),
    lambda g, x: g.sort(x, axis=0).values,
    lambda g, x: x.median(axis=0, keepdims=True).values,
    lambda g, x: x.nansum(axis=0),
    lambda g, x: g.sin(a=x),
    lambda g, x: g.sin(x=x),
    lambda g, x: g.maximum(x1=x, x2=x.flip(0)),
    lambda g, x: x.add(x2=x),
    lambda g, x: g.squeeze(x[None], axis=0),
    lambda g, x: g.special.entr(x=x),
    lambda g, x: g.special.airy_ai(x=x),
    lambda g, x: g.special.hermite_polynomial_h(x=x, n=2),
    lambda g, x: g.fft.fft(a=x).real,
    lambda g, x: g.linalg.vector_norm(input=x),
    lambda g, x: g.linalg.matrix_norm(input=x),
    lambda g, x: g.linalg.matrix_rank(input=x),
    lambda g, x: g.det(input=x @ x.t() / 50),
    lambda g, x: g.fill_(input=x.clone(), value=2),
    lambda g, x: g.isin(element=1.0, test_elements=x),
    lambda g, x: g.cholesky_solve(input=x.t(), input2=g.eye(4)),
    lambda g, x: g.linalg.lstsq(x.t(), b=x.t()).solution,
    lambda g, x: g.nn.functional.softmax(x, 0, 3),
    lambda g, x: g.nn.functional.softmax(x, dim=0, _stacklevel=5),
    lambda g, x: g.nn.functional.log_softmax(x, 1, 3, g.float64),
    lambda g, x: g.nn.functional.softmin(x, 1, _stacklevel=5, dtype=g.float64),
    lambda g, x: x.clone().uniform_(**{"from": 2.0, "to": 2.0}),
    lambda g, x: x.view(size=(x.numel(),)),
]
DATA = np.arange(8, dtype=np.float32).reshape(2, 4)


@pytest.mark.parity
@pytest.mark.parametrize("call", CALLS)
def test_pytorch_takes_the_same_names(call: Callable[[Any, Any], Any]) -> None:
    torch = pytest.importorskip("torch")
    wanted = call(torch, torch.from_numpy(DATA.copy())).numpy()
    found = call(graphc, graphc.tensor(DATA)).numpy()
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("call", [c for i, c in enumerate(CALLS) if i != 16])
def test_compiled_functions_take_them(call: Callable[[Any, Any], Any]) -> None:
    x = graphc.tensor(DATA)
    found = graphc.compile(lambda y: call(graphc, y))(x).numpy()
    np.testing.assert_allclose(found, call(graphc, x).numpy(), rtol=1e-6)


def test_names_mean_what_positions_mean() -> None:
    g: Any = graphc
    x = g.tensor(DATA)
    np.testing.assert_array_equal(g.sum(x, axis=0).numpy(), DATA.sum(0))
    np.testing.assert_array_equal(x.permute(dims=(1, 0)).numpy(), DATA.T)
    np.testing.assert_array_equal(x.hsplit(indices=(1,))[1].numpy(), DATA[:, 1:])
    assert x.repeat(repeats=(3, 1, 2)).shape == (3, 2, 8)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda g, x: x.sum(dim=0, axis=0),
        lambda g, x: x.repeat(repeats=2),
        lambda g, x: x.reshape(4, 2, shape=(4, 2)),
        lambda g, x: g.zeros(2, size=(2,)),
    ],
)
def test_two_names_and_numbers_for_sequences_are_refused(
    mistake: Callable[[Any, Any], Any],
) -> None:
    with pytest.raises(ArgumentTypeError) as found:
        mistake(graphc, graphc.tensor(DATA))
    assert "test_argument_names.py" in found.value.where
