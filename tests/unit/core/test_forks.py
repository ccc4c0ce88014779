"""Forks while other threads make nodes."""

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphc.dtypes import float64
from graphc.forks import lock_over_forks
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder
from graphc.types import TensorType
from tests.forking import fork_and

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture
def eager_threads() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def make_nodes() -> bool:
    x = placeholder("x", TensorType((3,), float64))
    for _ in range(20):
        x = e.add(e.tanh(x), x)
    return True


@pytest.mark.usefixtures("eager_threads")
def test_children_make_nodes_while_threads_of_the_parent_do() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            make_nodes()

    with ThreadPoolExecutor(3) as workers:
        futures = [workers.submit(work) for _ in range(3)]
        try:
            codes = [fork_and(make_nodes) for _ in range(10)]
        finally:
            stop.set()
        for future in futures:
            future.result()
    assert codes == [0] * 10


def test_the_holder_of_a_lock_may_fork() -> None:
    lock = lock_over_forks()

    def take_and_free() -> bool:
        taken = lock.acquire(timeout=5)
        if taken:
            lock.release()
        return taken

    def is_free() -> bool:
        with ThreadPoolExecutor(1) as another:
            return another.submit(take_and_free).result()

    def is_free_once_released() -> bool:
        lock.release()
        return is_free()

    with lock:
        assert fork_and(is_free_once_released) == 0
    assert is_free()
