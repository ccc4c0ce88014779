"""Threads, forks and pickles."""

import os
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import float64
from graphc.errors import SessionError
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder, variable
from graphc.ops.reduce import sum_
from graphc.provenance import describe
from graphc.runtime.sessions.locks import Group, RunLocks
from graphc.runtime.sessions.session import Session
from graphc.storage import HostValue, Storage, Version
from graphc.types import TensorType
from tests.forking import fork_and

SIZE = 20_000


def counter(values: np.ndarray | None = None) -> tuple[Graph, Storage]:
    """A variable of equal elements that each run increments; its old value is an output."""
    storage = Storage(np.zeros(SIZE) if values is None else values)
    node = variable("n", TensorType((SIZE,), float64), storage)
    one = e.sub(e.add(node, constant(3.0)), constant(2.0))
    return Graph([], {"old": node}, {node: one}), storage


def in_threads(work: Callable[[int], object], count: int = 4) -> list[object]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_one_session_in_many_threads() -> None:
    x = placeholder("x", TensorType((Dim.named("N"),), float64))
    graph = Graph([x], {"y": sum_(e.mul(e.tanh(x), e.add(x, x)), dims=(0,))})
    session = Session(graph, backend="numpy")

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(30):
            value = rng.standard_normal(int(rng.integers(0, 6)) * 1000)
            wanted = np.add.reduce(np.tanh(value) * (value + value), keepdims=True)
            np.testing.assert_array_equal(session.run({"x": value})["y"], wanted)

    in_threads(work)
    info = session.cache_info()
    assert info.misses == len(info.entries) <= 6
    assert info.hits + info.misses == 120


def test_runs_that_write_the_same_variable_go_one_after_the_other() -> None:
    graph, storage = counter()
    sessions = [Session(graph, backend="numpy") for _ in range(2)]
    seen: list[float] = []

    def work(number: int) -> None:
        for _ in range(25):
            old = sessions[number % 2].run()["old"]
            assert (old == old[0]).all()  # no run sees half of another's update
            seen.append(float(old[0]))

    in_threads(work)
    np.testing.assert_array_equal(storage.array, np.full(SIZE, 100.0))
    assert sorted(seen) == [float(k) for k in range(100)]
    assert storage.version.count == 100


def test_readers_never_see_half_an_update() -> None:
    graph, storage = counter()
    (node,) = graph.updates
    reader = Session(Graph([], {"n": node}), backend="numpy")
    writer = Session(graph, backend="numpy")

    def work(number: int) -> None:
        for _ in range(40):
            if number % 2:
                writer.run()
            else:
                value = reader.run()["n"]
                assert (value == value[0]).all()

    in_threads(work)
    assert storage.array[0] == 80


def test_readers_share_and_writers_exclude() -> None:
    version = Version()
    reading, writing = RunLocks([version], []), RunLocks([], [version])
    inside = threading.Barrier(2, timeout=10)

    def read(_: int) -> None:
        with reading:
            inside.wait()  # passes only if both are inside at once

    in_threads(read, 2)
    events: list[str] = []

    def write() -> None:
        with writing:
            events.append("written")

    with reading:
        thread = threading.Thread(target=write)
        thread.start()
        time.sleep(0.05)
        events.append("read")
    thread.join(10)
    assert events == ["read", "written"]


def test_variables_used_together_have_one_lock_and_a_fixed_order() -> None:
    a, b, c = Version(), Version(), Version()
    first, second = RunLocks([], [a, b]), RunLocks([b], [c])
    assert len(first._groups) == 1
    assert [exclusive for _, exclusive in second._groups] == [False, True]
    third = RunLocks([c], [a])
    assert [group for group, _ in third._groups] == [group for group, _ in second._groups]


def test_a_nested_writer_is_refused_and_does_not_hang() -> None:
    group = Group()
    group.acquire(exclusive=True)
    for exclusive in (True, False):
        with pytest.raises(SessionError, match="inside a run"):
            group.acquire(exclusive)
    group.release(exclusive=True)
    group.acquire(exclusive=True)  # nothing was left behind


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_runs_though_the_parent_held_all_locks() -> None:
    graph, storage = counter()
    session = Session(graph, backend="numpy")
    session.run()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with session._locks, session._forms._lock, session._forms._compiling:
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    code = fork_and(lambda: float(session.run()["old"][0]) == 1.0 and storage.array[0] == 2.0)
    done.set()
    thread.join(30)
    assert code == 0
    assert session.run()["old"][0] == 1.0  # the child's memory is its own


def learning_rate() -> float:
    return 0.5


def deep(x: Node, depth: int) -> Node:
    for _ in range(depth):
        x = e.add(x, x)
    return x


def test_a_pickled_session_has_its_own_variables() -> None:
    storage = Storage(np.array([1.0, 2.0]))
    w = variable("w", TensorType((2,), float64), storage)
    rate = variable("rate", TensorType((), float64), HostValue(learning_rate))
    x = placeholder("x", TensorType((Dim.named("N"), 2), float64))
    graph = Graph([x], {"y": e.mul(x, w)}, {w: e.sub(w, rate)})
    session = Session(graph, backend="numpy", outputs=["y"], cache_size=3)
    copy = pickle.loads(pickle.dumps(session))
    value = np.ones((3, 2))
    for _ in range(2):
        np.testing.assert_array_equal(copy.run({"x": value})[0], session.run({"x": value})[0])
    np.testing.assert_array_equal(storage.array, [0.0, 1.0])
    copy.run({"x": value})
    np.testing.assert_array_equal(storage.array, [0.0, 1.0])
    assert copy.cache_info().limit == 3
    assert describe(copy.graph.outputs["y"]) == describe(graph.outputs["y"])
    assert describe(graph.outputs["y"]).startswith("test_concurrency.py")


def test_depth_is_no_limit_for_pickling() -> None:
    x = placeholder("x", TensorType((), float64))
    session = Session(Graph([x], {"y": deep(x, 3000)}), backend="numpy")
    copy = pickle.loads(pickle.dumps(session))
    assert len(copy.graph) == 3001


def test_what_cannot_be_pickled_is_named() -> None:
    rate = [1.0]
    node = variable("rate", TensorType((), float64), HostValue(lambda: rate[0]))
    session = Session(Graph([], {"y": node}), backend="numpy")
    with pytest.raises(SessionError, match="because of the host value 'rate'") as caught:
        pickle.dumps(session)
    assert "use a function of a module" in str(caught.value)
    session = Session(Graph(), backend="numpy", wrap=lambda array: array)
    with pytest.raises(SessionError, match="because of option 'wrap'"):
        pickle.dumps(session)
    session.close()
    with pytest.raises(SessionError, match="closed"):
        pickle.dumps(session)
