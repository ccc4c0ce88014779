"""Programs on disk: what is loaded does what was stored, for other memory; in doubt, made anew."""

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphc.config import CACHE, CACHE_DIR, CHECK
from graphc.dtypes import float32
from graphc.graph import Graph
from graphc.node import constant
from graphc.ops.elementwise import add, exp, mul, tanh
from graphc.ops.leaf import iota, placeholder, variable
from graphc.ops.linalg import matmul
from graphc.passes.pipeline import optimize
from graphc.provenance import Origin, made_for
from graphc.runtime.sessions.session import Session, unoptimized
from graphc.storage import Storage
from graphc.types import TensorType

OPTIMIZE = functools.partial(optimize, level="O2")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path) -> Iterator[Path]:
    with CACHE_DIR.override(str(tmp_path)), CACHE.override("1"), CHECK.override("0"):
        yield tmp_path


def program(start: float, table: float = 0.5, line: int = 7) -> tuple[Graph, Storage]:
    """``w <- w + tanh(x @ c) * w``, with a constant that is too large to be interned."""
    storage = Storage(np.full((40, 40), start, np.float32))
    with made_for(frozenset((Origin("model.py", line),))):
        x = placeholder("x", TensorType((40, 40), float32))
        w = variable("w", TensorType((40, 40), float32), storage)
        c = constant(np.full((40, 40), table, np.float32))
        hidden = tanh(matmul(x, c))
        graph = Graph((x,), {"y": exp(hidden)}, {w: add(w, mul(hidden, w))})
    return graph, storage


def run(graph: Graph, **options: Any) -> tuple[Session, Any]:
    session = Session(graph, **{"optimize": OPTIMIZE, **options})
    return session, session.run({"x": np.linspace(-1, 1, 1600, dtype=np.float32).reshape(40, 40)})


def was_loaded(session: Session) -> bool:
    (entry,) = session.cache_info().entries
    return "optimize" not in entry.phases


def test_the_second_session_loads_and_updates_its_own_memory(directory: Path) -> None:
    graph, storage = program(1.0)
    first, results = run(graph)
    assert not was_loaded(first)
    assert len(list(directory.glob("*.gcp"))) == 1
    again, other = program(2.0)
    second, same = run(again)
    assert was_loaded(second)
    np.testing.assert_array_equal(same["y"], results["y"])
    np.testing.assert_array_equal(other.array, 2 * storage.array)
    assert [str(one) for one in second.explain().passes] == [
        str(one) for one in first.explain().passes
    ]
    assert "model.py:7" in str(second.profile({"x": np.zeros((40, 40), np.float32)}))
    assert [kernel.name for kernel in second.kernels()] == [one.name for one in first.kernels()]


def test_another_program_is_compiled() -> None:
    run(program(1.0)[0])
    assert not was_loaded(run(program(1.0, table=0.25)[0])[0])


def test_a_program_whose_lines_have_moved_is_loaded_with_its_own_places() -> None:
    x = {"x": np.zeros((40, 40), np.float32)}
    assert "model.py:7" in str(run(program(1.0, line=7)[0])[0].profile(x))
    moved, _ = run(program(1.0, line=8)[0])
    assert was_loaded(moved)
    assert "model.py:8" in str(moved.profile(x))
    tallies = [
        tally
        for record in moved.explain().passes
        for tally in (*record["fired"].values(), *record["refused"].values())
    ]
    assert {place for tally in tallies for place in tally["places"]} == {"model.py:8"}


TWO_PROGRAMS = """
import sys
import graphc as gc
from graphc import nn, optim

for layers in (2, 5):
    model = nn.Sequential(*(part for _ in range(layers) for part in (nn.Linear(8, 8), nn.ReLU())))
    optimizer = optim.Adam(model.parameters())

    @gc.compile
    def step(x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    x = gc.randn(4, 8)
    step(x)
    (entry,) = step.session(x).cache_info().entries
    print(int("optimize" not in entry.phases), end="")
"""


def test_a_program_is_found_whatever_the_process_did_before(directory: Path) -> None:
    """The nodes that two programs share have other places if the first was loaded."""
    cache = {"GRAPHC_CACHE": "1", "GRAPHC_CACHE_DIR": str(directory), "GRAPHC_CHECK": "0"}
    loaded = [
        subprocess.run(
            [sys.executable, "-c", TWO_PROGRAMS],
            env={**os.environ, **cache},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for _ in range(3)
    ]
    assert loaded == ["00", "11", "11"]


def test_another_pipeline_is_another_program() -> None:
    run(program(1.0)[0])
    assert not was_loaded(run(program(1.0)[0], optimize=unoptimized)[0])
    assert not was_loaded(run(program(1.0)[0], optimize=functools.partial(OPTIMIZE, level="O1"))[0])


def test_another_layout_of_a_variable_is_another_program() -> None:
    run(program(1.0)[0])
    graph, storage = program(1.0)
    storage.array = np.asfortranarray(np.arange(1600, dtype=np.float32).reshape(40, 40))
    assert not was_loaded(run(graph)[0])


def test_an_optimizer_that_another_process_cannot_name_is_not_kept(directory: Path) -> None:
    run(program(1.0)[0], optimize=lambda graph: (graph, ()))
    assert not list(directory.glob("*.gcp"))


def test_checks_and_the_reference_always_run(directory: Path) -> None:
    with CHECK.override("1"):
        run(program(1.0)[0])
    run(program(1.0)[0], backend="numpy")
    assert not list(directory.glob("*.gcp"))


@pytest.mark.parametrize("damage", ["cut", "flipped", "objects gone"])
def test_what_is_damaged_is_made_again(directory: Path, damage: str) -> None:
    _, expected = run(program(1.0)[0])
    (file,) = directory.glob("*.gcp")
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-9])
    elif damage == "flipped":
        content = bytearray(file.read_bytes())
        content[-20] ^= 1
        file.write_bytes(content)
    else:
        for one in directory.glob("*.gco"):
            one.unlink()
    _, results = run(program(1.0)[0])
    np.testing.assert_array_equal(results["y"], expected["y"])


def test_deep_graphs_are_kept() -> None:
    def deep() -> Graph:
        x = placeholder("x", TensorType((40, 40), float32))
        y = x
        for _ in range(3000):
            y = tanh(y)
        return Graph((x,), {"y": y})

    _, expected = run(deep())
    session, results = run(deep())
    assert was_loaded(session)
    np.testing.assert_array_equal(results["y"], expected["y"])


def test_constants_keep_their_strides() -> None:
    """A repeated column, whose memory is smaller than its values."""

    def graph() -> Graph:
        x = placeholder("x", TensorType((40, 40), float32))
        return Graph((x,), {"y": x, "rows": iota((40, 40), 0, float32)})

    for loaded in (False, True):
        session, results = run(graph())
        assert was_loaded(session) == loaded
        assert (results["rows"] == np.arange(40, dtype=np.float32)[:, None]).all()
