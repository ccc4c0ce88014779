"""Programs of many steps: a function for each piece, and work that grows as the program does."""

from pathlib import Path

import numpy as np
import pytest

from graphc.config import CACHE_DIR
from graphc.dtypes import float32, int64
from graphc.errors import IndexRangeError
from graphc.evaluate import evaluate
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops.elementwise import add, mul, sub
from graphc.ops.index import index
from graphc.ops.leaf import placeholder
from graphc.runtime.disk_cache import DiskCache
from graphc.runtime.llvm.compiler import cache
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.sessions.session import Session
from graphc.types import TensorType

X = placeholder("x", TensorType((33,), float32))


def chain(steps: int) -> Node:
    """A value that needs this many steps; old values are read again long after."""
    values = [X, mul(X, X)]
    for number in range(steps):
        operation = (add, sub)[number % 2]
        values.append(operation(values[-1], values[number // 2]))
    return values[-1]


def functions_of(steps: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of all functions that LLVM compiles for a chain."""
    texts: list[str] = []
    plain = cache.compile_cached

    def noting(ir: str, target: Target, disk: DiskCache) -> tuple[bytes, bool]:
        texts.append(ir)
        return plain(ir, target, disk)

    with monkeypatch.context() as patch, CACHE_DIR.override(str(folder)):
        patch.setattr("graphc.runtime.llvm.compiler.build.compile_cached", noting)
        with Session(Graph((X,), {"y": chain(steps)})) as session:
            session.run({"x": np.zeros(33, np.float32)})
    return [f"define {each}" for text in texts for each in text.split("\ndefine ")[1:]]


def test_a_long_program_computes_what_it_says() -> None:
    graph = Graph((X,), {"y": chain(700)})
    feed = {"x": np.random.default_rng(0).normal(size=33).astype(np.float32) * 1e-3}
    wanted, _ = evaluate(graph, feed)
    with Session(graph) as session:
        np.testing.assert_array_equal(session.run(feed)["y"], wanted["y"])
        assert len(session.profile(feed, runs=1).steps) == 701


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_data_are_refused_in_any_piece(bad: int) -> None:
    places = [placeholder(f"i{number}", TensorType((2,), int64)) for number in range(3)]
    y = chain(300)
    results = {"first": index(X, places[0], dims=(0,)), "second": index(y, places[1], dims=(0,))}
    third = y
    for _ in range(300):
        third = sub(third, X)
    results["third"] = index(third, places[2], dims=(0,))
    feed = {"x": np.ones(33, np.float32)} | {f"i{n}": np.array([0, 32]) for n in range(3)}
    with Session(Graph((X, *places), results)) as session:
        session.run(feed)
        with pytest.raises(IndexRangeError, match="33"):
            session.run(feed | {f"i{bad}": np.array([0, 33])})
        session.run(feed)


def test_functions_stay_short_and_kernels_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = functions_of(400, tmp_path / "short", monkeypatch)
    long = functions_of(1600, tmp_path / "long", monkeypatch)
    assert max(map(len, long)) <= 1.2 * max(map(len, short))
    assert sum(map(len, long)) <= 5 * sum(map(len, short))
    kernels = [
        {each for each in some if each.startswith("define i32 @kernel.")} for some in (short, long)
    ]
    assert kernels[0] == kernels[1]
