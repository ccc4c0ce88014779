"""Reductions, scans, sorting and products of a size that is known only when the program runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.frontend.graph import Graph

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
