"""Forks while other threads use LLVM."""

import gc as garbage
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import pytest

from graphc.runtime.llvm.compiler import engine, native
from graphc.runtime.llvm.compiler.forks import CALLS, IMPORTING, LINKING, Calls
from graphc.runtime.llvm.compiler.target import host_target
from tests.forking import fork_and
from tests.sources import ROOT

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

FUNCTION = """define i64 @times_{factor}(i64 %x) {{
  %y = mul i64 %x, {factor}
  ret i64 %y
}}
"""

_factors = itertools.count(2)


def load() -> engine.Library:
    """Compile and link something new."""
    factor = next(_factors)
    code = engine.compile_object(FUNCTION.format(factor=factor), host_target())
    return engine.link([code], [f"times_{factor}"])


def can_load() -> bool:
    library = load()
    library.close()
    return True


def lock_of_llvmlite() -> AbstractContextManager[object]:
    native.binding()
    from llvmlite.binding import ffi

    lock: AbstractContextManager[object] = ffi.lib._lock
    return lock


LOCKS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "calls": CALLS.one,
    "linking": lambda: LINKING,
    "importing": lambda: IMPORTING,
    "llvmlite": lock_of_llvmlite,
}


@contextmanager
def constantly(work: Callable[[], object], threads: int) -> Iterator[None]:
    """Other threads do the work over and over."""
    stop = threading.Event()

    def repeat() -> None:
        while not stop.is_set():
            work()

    with ThreadPoolExecutor(threads) as workers:
        futures = [workers.submit(repeat) for _ in range(threads)]
        try:
            yield
        finally:
            stop.set()
        for future in futures:
            future.result()


@needs_fork
def test_children_compile_while_threads_of_the_parent_do() -> None:
    with constantly(load, threads=3):
        assert [fork_and(can_load) for _ in range(12)] == [0] * 12
    assert can_load()


@needs_fork
def test_threads_that_fork_at_once() -> None:
    with constantly(load, threads=1), ThreadPoolExecutor(3) as forking:
        assert set(forking.map(lambda _: fork_and(can_load), range(9))) == {0}
    assert can_load()


@needs_fork
@pytest.mark.parametrize("name", LOCKS)
def test_a_fork_waits_for_another_thread(name: str) -> None:
    held, free = threading.Event(), threading.Event()
    freed = []

    def hold() -> None:
        with LOCKS[name]():
            held.set()
            free.wait(30)
            freed.append(name)

    with ThreadPoolExecutor(1) as workers:
        holding = workers.submit(hold)
        assert held.wait(30)
        threading.Timer(0.1, free.set).start()
        assert fork_and(lambda: bool(freed) and can_load()) == 0
        holding.result(30)
    assert can_load()


@needs_fork
def test_a_thread_that_holds_the_locks_may_fork() -> None:
    with CALLS.one(), LINKING, IMPORTING, lock_of_llvmlite():
        assert fork_and(can_load) == 0
        assert can_load()
    assert fork_and(can_load) == 0


def test_no_call_begins_while_a_fork_waits() -> None:
    """Else busy threads could keep a fork waiting forever."""
    calls, order = Calls(), []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with calls.one():
            inside.set()
            leave.wait(30)
            order.append("first call")

    def fork() -> None:
        with calls.none():
            order.append("fork")

    def second() -> None:
        with calls.one():
            order.append("second call")

    with ThreadPoolExecutor(3) as workers:
        workers.submit(first)
        assert inside.wait(30)
        forking = workers.submit(fork)
        while not calls._stopping:
            assert not forking.done()
        calling = workers.submit(second)
        with pytest.raises(TimeoutError):
            calling.result(0.05)
        leave.set()
        calling.result(30)
    assert order == ["first call", "fork", "second call"]


def test_a_collection_inside_llvmlite_waits_for_no_thread_that_links() -> None:
    """Who links takes llvmlite's lock second; a collection may run where it was taken first."""
    libraries = [load()]
    linking, go_on = threading.Event(), threading.Event()

    def link() -> None:
        with LINKING:
            linking.set()
            go_on.wait(30)
            with lock_of_llvmlite():
                pass

    def collect() -> None:
        with lock_of_llvmlite():
            go_on.set()
            libraries.clear()
            garbage.collect()

    linker = threading.Thread(target=link, daemon=True)
    linker.start()
    assert linking.wait(30)
    collector = threading.Thread(target=collect, daemon=True)
    collector.start()
    collector.join(30)
    linker.join(30)
    assert not collector.is_alive()
    assert not linker.is_alive()
    load()
    assert not engine._dropped


@needs_fork
def test_a_fork_does_not_import_llvmlite() -> None:
    script = (
        "import os, sys, graphc.runtime.llvm.compiler.engine\n"
        "child = os.fork()\n"
        "if child == 0: os._exit('llvmlite' in sys.modules)\n"
        "assert os.waitpid(child, 0)[1] == 0 and 'llvmlite' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
