"""One compiled function and many threads, forks and evictions; compiled functions as methods."""

from __future__ import annotations

import gc as collector
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import RecordingError

THREADS = 4


def at_once(work: Callable[[int], object], threads: int = THREADS) -> None:
    """Run ``work(number)`` in many threads at once; raise what one of them raised."""
    barrier = threading.Barrier(threads)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as error:
            failures.append(error)

    started = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(120)
    assert not any(thread.is_alive() for thread in started)
    if failures:
        raise failures[0]


def test_more_shapes_than_are_kept_from_many_threads() -> None:
    fast = gc.compile(lambda x: x * 2 + 1, backend="numpy", optimize="O0")

    def work(number: int) -> None:
        for step in range(50):
            size = 1 + (step * 7 + number * 13) % 50
            assert fast(gc.ones(size)).tolist() == [3.0] * size

    at_once(work)
    info = fast.cache_info()
    assert info.size == 32
    assert info.misses >= 50
    assert len(info.reasons) == info.misses


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_one_signature_is_traced_once_by_all_threads(backend: str) -> None:
    traces = []

    def f(x: Any) -> Any:
        traces.append(threading.get_ident())
        return x + 1

    fast = gc.compile(f, backend=backend)
    at_once(lambda number: [fast(gc.ones(3)).tolist() for _ in range(20)])
    assert len(traces) == 1
    assert fast.cache_info().misses == 1


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_gradients_from_many_threads(backend: str) -> None:
    weight = nn.Parameter([1.0, 2.0])

    def accumulate(x: Any) -> Any:
        loss = (weight * x).sum()
        loss.backward()
        return loss

    fast = gc.compile(accumulate, backend=backend)
    at_once(lambda number: [fast(gc.ones(2)) for _ in range(25)])
    assert weight.grad is not None
    assert weight.grad.tolist() == [25.0 * THREADS] * 2


def test_a_session_that_is_in_use_outlives_its_eviction() -> None:
    fast = gc.compile(lambda x: x * 3, backend="numpy", optimize="O0")
    held = fast.session(gc.ones(2))
    entry = fast.entry(gc.ones(2))
    for size in range(3, 40):
        fast(gc.ones(size))
    fast.cache_clear()
    assert held.run({"x": [1.0, 2.0]}).tolist() == [3.0, 6.0]
    assert entry.call([gc.ones(2)], [gc.ones(2)], {}).tolist() == [3.0, 3.0]
    assert fast.cache_info().size == 0
    assert fast(gc.ones(2)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_evicted_sessions_are_freed(backend: str) -> None:
    weight = nn.Parameter([1.0, 2.0])
    optimizer = optim.SGD([weight], lr=0.1)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = (weight * x).sum()
        loss.backward()
        optimizer.step()
        return loss

    fast = gc.compile(step, backend=backend)
    for _ in range(5):
        fast(gc.ones(2))
    session = weakref.ref(fast.session(gc.ones(2)))
    collector.disable()
    try:
        fast.cache_clear()
        assert session() is None
    finally:
        collector.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_while_another_thread_traces() -> None:
    inside, go_on = threading.Event(), threading.Event()
    net = nn.Dropout(0.0)

    def f(x: Any) -> Any:
        if x.shape == (3,):
            inside.set()
            go_on.wait(60)
        return net(x) * 2

    fast = gc.compile(f, backend="numpy", optimize="O0")
    fast(gc.ones(2))
    thread = threading.Thread(target=lambda: fast(gc.ones(3)))
    thread.start()
    assert inside.wait(60)
    child = os.fork()
    if child == 0:
        try:
            is_right = (
                fast(gc.ones(2)).tolist() == [2.0] * 2 and fast(gc.ones(4)).tolist() == [2.0] * 4
            )
        except BaseException:
            is_right = False
        os._exit(0 if is_right else 1)
    status = os.waitpid(child, 0)[1]
    go_on.set()
    thread.join(60)
    assert os.waitstatus_to_exitcode(status) == 0
    assert fast(gc.ones(3)).tolist() == [2.0] * 3


class Net(nn.Module):
    """Its ``forward`` is compiled for all its instances at once."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter([factor])
        self.calls = 0

    @gc.compile(backend="numpy")
    def forward(self, x: Any) -> Any:
        """Times the weight and the factor."""
        return self.weight * x * self.factor

    @gc.compile(backend="numpy")
    def count(self, x: Any) -> Any:
        self.calls += 1
        return x


def test_a_compiled_method_has_its_object() -> None:
    a, b = Net(2.0), Net(3.0)
    for _ in range(3):
        assert a(gc.ones(1)).tolist() == [4.0]
        assert b(gc.ones(1)).tolist() == [9.0]
    assert Net.forward.cache_info()[:3] == (4, 2, 2)
    a.factor = 1.0
    assert a(gc.ones(1)).tolist() == a.forward(x=gc.ones(1)).tolist() == [2.0]
    assert b.forward.__doc__ == Net.forward.__doc__ == "Times the weight and the factor."
    assert Net.forward(b, gc.ones(1)).tolist() == [9.0]


def test_a_compiled_method_inside_of_another_function_is_part_of_it() -> None:
    net = Net(2.0)
    fast = gc.compile(lambda x: net(x) + 1, backend="numpy")
    before = Net.forward.cache_info().misses
    assert fast(gc.ones(1)).tolist() == [5.0]
    assert Net.forward.cache_info().misses == before


def test_a_compiled_method_that_counts_its_calls_is_refused() -> None:
    net = Net(2.0)
    with pytest.raises(RecordingError, match=r"Net\.calls was read and then changed"):
        net.count(gc.ones(1))
    assert net.calls == 0
