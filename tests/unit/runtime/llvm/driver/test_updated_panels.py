"""Weights in panels that a run updates: a loop multiplies by what is there when it begins."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from graphc.config import CACHE, CACHE_DIR
from graphc.dtypes import float32
from graphc.graph import Graph
from graphc.node import constant, make_node
from graphc.ops import elementwise as e
from graphc.ops.control import SCAN
from graphc.ops.fused import item
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.runtime.planning.planner import make_plan
from graphc.runtime.sessions.session import Session
from graphc.storage import Array, Storage
from graphc.types import TensorType

SIZE, ROWS, LENGTH = 544, 6, 17


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    directory: Path = tmp_path_factory.mktemp("objects")
    with CACHE.override("1"), CACHE_DIR.override(str(directory)):
        yield


def through(start: Array, weight: Array) -> Array:
    """The last carry, in float64."""
    value = start.astype(np.float64)
    for _ in range(LENGTH):
        value = np.tanh(value @ weight)
    return value


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("before", [True, False])
def test_a_loop_multiplies_by_the_weight_of_its_time(before: bool, threads: int) -> None:
    source = np.random.default_rng(3)
    first = (source.normal(size=(SIZE, SIZE)) / np.sqrt(SIZE)).astype(np.float32)
    kept = Storage(first.copy())
    h = placeholder("carry0", TensorType((ROWS, SIZE), float32))
    w = placeholder("captured0", TensorType((SIZE, SIZE), float32))
    after = e.tanh(matmul(h, w))
    body = Graph([h, w], {"carry0": after})
    start, weight = placeholder("h", h.type), variable("w", w.type, kept)
    updated = e.mul(weight, constant(np.full((), 0.75, np.float32)))
    attrs = {"body": body, "carries": 1, "sequences": 0, "length": LENGTH, "reverse": False}
    loop = make_node(SCAN, (start, updated if before else weight), attrs)
    graph = Graph([start], {"last": item(loop, 0)}, {weight: updated})
    (step,) = [step for step in make_plan(graph).steps if step.inside is not None]
    assert step.inside is not None
    assert step.inside.packed
    feed = source.normal(size=(ROWS, SIZE)).astype(np.float32)
    with Session(graph, threads=threads) as session:
        for run in range(3):
            got = session.run({"h": feed})["last"]
            wanted = through(feed, first.astype(np.float64) * 0.75 ** (run + before))
            np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4)
        kept.write(first * np.float32(0.5))
        wanted = through(feed, first.astype(np.float64) * (0.375 if before else 0.5))
        np.testing.assert_allclose(session.run({"h": feed})["last"], wanted, rtol=1e-3, atol=1e-4)
