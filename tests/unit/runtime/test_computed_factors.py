"""Products that compute their factors: one kernel, the numpy backend's values, any threads."""

from collections.abc import Callable

import ml_dtypes
import numpy as np
import pytest

import graphc as gc

Build = Callable[[gc.Tensor, gc.Tensor], gc.Tensor]

PROGRAMS: dict[str, tuple[Build, gc.DType, gc.DType, tuple[int, int], tuple[int, int]]] = {
    "weights of 16 bits": (
        lambda x, w: x @ w.to(gc.float32).T + 1.0,
        gc.float32,
        gc.bfloat16,
        (70, 90),
        (150, 90),
    ),
    "one example": (
        lambda x, w: x @ w.to(gc.float32).T,
        gc.float32,
        gc.float16,
        (1, 400),
        (500, 400),
    ),
    "pictures in bytes": (
        lambda x, w: ((x.to(gc.float32) * (1 / 255)) @ w).relu(),
        gc.uint8,
        gc.float32,
        (5000, 64),
        (64, 40),
    ),
    "a masked factor": (
        lambda x, w: x @ gc.where(w > 0, w * 3.0, 0.0),
        gc.float32,
        gc.float32,
        (60, 64),
        (64, 200),
    ),
}
NUMPY = {gc.bfloat16: ml_dtypes.bfloat16, gc.float16: np.float16, gc.uint8: np.uint8}


def drawn(random: np.random.Generator, shape: tuple[int, int], dtype: gc.DType) -> np.ndarray:
    if dtype is gc.uint8:
        return random.integers(0, 256, shape).astype(np.uint8)
    return random.normal(size=shape).astype(NUMPY.get(dtype, np.float32))


@pytest.mark.parametrize("name", PROGRAMS)
def test_products_compute_their_factors(name: str) -> None:
    build, left, right, rows, columns = PROGRAMS[name]
    with gc.Graph() as graph:
        x = gc.placeholder(rows, left, name="x")
        w = gc.placeholder(columns, right, name="w")
        graph.output(build(x, w), "y")
    random = np.random.default_rng(0)
    feed = {"x": drawn(random, rows, left), "w": drawn(random, columns, right)}
    wanted = graph.compile(backend="numpy").run(feed)["y"]
    found = []
    for threads in (1, 2, 3):
        session = graph.compile(threads=threads)
        (kernel,) = session.kernels()
        assert kernel.native
        assert "factor: graph" in kernel.source
        found.append(session.run(feed)["y"])
        np.testing.assert_allclose(found[-1], wanted, rtol=1e-4, atol=1e-3)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
