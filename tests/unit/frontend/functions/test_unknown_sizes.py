"""Reductions, scans, sorting and products of a size that is known only when the program runs."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.frontend.graph import Graph
from tests.torch_oracle import torch

FUNCTIONS: dict[str, Callable[[gc.Tensor], Any]] = {
    "cumsum": lambda x: x.cumsum(0),
    "cumprod": lambda x: x.cumprod(0),
    "logcumsumexp": lambda x: x.logcumsumexp(0),
    "cummax": lambda x: x.cummax(0).values,
    "sort": lambda x: x.sort(0, descending=True).values,
    "topk": lambda x: x.topk(2, 0).values,
    "kthvalue": lambda x: x.kthvalue(2, 0).values,
    "mode": lambda x: x.round().mode(0).values,
    "median": lambda x: x.median(0)[0],
    "median of all": lambda x: x.median(),
    "quantile": lambda x: gc.quantile(x, 0.3, 0),
    "var_mean": lambda x: gc.var_mean(x, 0)[0],
    "nanmean": lambda x: x.nanmean(0),
    "cov": lambda x: gc.cov(x.t()),
    "histc": lambda x: gc.histc(x, 4, -1, 1),
    "diff": lambda x: x.diff(dim=0),
    "gradient": lambda x: gc.gradient(x, dim=0, edge_order=2)[0],
    "trapezoid": lambda x: gc.trapezoid(x, dim=0),
    "norm": lambda x: gc.norm(x),
    "cdist": lambda x: gc.cdist(x, x),
    "einsum": lambda x: gc.einsum("bi,bj->ij", x, x),
    "tensordot": lambda x: gc.tensordot(x, x, ([0], [0])),
    "inner": lambda x: gc.inner(x, x),
    "kron": lambda x: gc.kron(x, x),
    "solve": lambda x: gc.linalg.solve(2 * gc.eye(3), x.t()),
    "vander": lambda x: gc.linalg.vander(x[:, 0], 3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_recording_serves_every_size(name: str, rng: np.random.Generator) -> None:
    with Graph() as graph:
        x = gc.placeholder((None, 3), name="x")
        graph.output(FUNCTIONS[name](x), "y")
    session = graph.compile(backend="numpy")
    for size in (3, 6):
        array = rng.normal(size=(size, 3)).astype(np.float32)
        expected = FUNCTIONS[name](gc.tensor(array)).numpy()
        np.testing.assert_allclose(session.run({"x": array})["y"], expected, rtol=1e-5, atol=1e-6)


EMPTY: dict[str, Callable[[gc.Tensor], Any]] = {
    "softmax": lambda x: x.softmax(0),
    "softmax of batches": lambda x: x[None].softmax(1),
    "log_softmax": lambda x: x.log_softmax(0),
    "logsumexp": lambda x: x.logsumexp(0),
    "attention": lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None]),
    "median of all": lambda x: x.median(),
    "nanmedian of all": lambda x: x.nanmedian(),
    "prod": lambda x: x.prod(0),
    "any of all": lambda x: x.any(),
    "any": lambda x: (x > 0.5).any(0),
    "all of all": lambda x: x.all(),
    "all": lambda x: (x > -0.5).all(0, keepdim=True),
    "isin": lambda x: gc.isin(x, x),
    "roll": lambda x: x.roll(1, 0),
    "roll back": lambda x: x.roll(-4, 0),
    "roll all": lambda x: x.roll(2),
    "roll around": lambda x: x.roll(5, 0),
    "diff": lambda x: x.diff(dim=0),
    "diff twice": lambda x: x.diff(n=2, dim=0),
    "diff of bools": lambda x: (x > 0).diff(dim=0),
    "trapezoid": lambda x: gc.trapezoid(x, dim=0),
    "trapezoid with places": lambda x: gc.trapezoid(x, x.cumsum(0), dim=0),
    "cumulative_trapezoid": lambda x: gc.cumulative_trapezoid(x, dim=0),
}


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("name", EMPTY)
def test_an_unknown_size_may_be_one_or_none(
    name: str, backend: Literal["numpy", "llvm"], rng: np.random.Generator
) -> None:
    with Graph() as graph:
        x = gc.placeholder((None, 3), name="x")
        graph.output(EMPTY[name](x), "y")
    session = graph.compile(backend=backend)
    for size in (0, 1, 2, 5):
        array = rng.normal(size=(size, 3)).astype(np.float32)
        expected = EMPTY[name](gc.tensor(array)).numpy()
        found = session.run({"x": array})["y"]
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "any", "all", "roll", "diff twice"])
@pytest.mark.parametrize("size", [0, 1, 3])
def test_few_elements_as_in_pytorch(name: str, size: int, rng: np.random.Generator) -> None:
    array = rng.normal(size=(size, 3)).astype(np.float32)
    found, expected = EMPTY[name](gc.tensor(array)), EMPTY[name](torch().tensor(array))
    assert found.shape == tuple(expected.shape)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6, atol=1e-7)


ALONG_NOTHING: dict[str, Callable[[gc.Tensor], gc.Tensor]] = {
    "softmax, roll and diff": lambda x: (
        (x.softmax(0) * x.roll(1, 0)).sum() + x.diff(dim=0).pow(2).sum()
    ),
    "cumprod": lambda x: x.cumprod(0).sum(),
    "logcumsumexp": lambda x: x.logcumsumexp(0).sum(),
    "prod": lambda x: x.prod(0).sum() + x.prod(),
    "median": lambda x: x.median().sum(),
}


@pytest.mark.parametrize("name", ALONG_NOTHING)
def test_gradients_along_a_size_that_turns_out_to_be_nothing(name: str) -> None:
    function = ALONG_NOTHING[name]
    with Graph() as graph:
        x = gc.placeholder((None, 3), name="x").requires_grad_()
        y = function(x)
        (slope,) = gc.grad(y, [x])
        assert slope is not None
        graph.output(slope, "g")
    session = graph.compile()
    for size in (0, 1, 4):
        array = np.linspace(-1, 1, 3 * size, dtype=np.float32).reshape(size, 3)
        leaf = gc.tensor(array, requires_grad=True)
        expected = np.zeros((0, 3), np.float32)
        if size:
            (found,) = gc.grad(function(leaf), [leaf])
            assert found is not None
            expected = found.numpy()
        np.testing.assert_allclose(session.run({"x": array})["g"], expected, rtol=1e-5, atol=1e-6)
