"""The threads themselves: how they sleep, which signals they take, how they round."""

import signal
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphc.runtime.llvm.compiler import engine, native
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.pool.library import pool_module
from graphc.runtime.llvm.pool.pool import Pool, get_pool
from tests.unit.runtime.llvm.pool import tasks
from tests.unit.runtime.llvm.pool.tasks import (
    CLASHES,
    FACTORS,
    SUM,
    idle,
    new_context,
    repeat,
    task,
)

TIMES = 3000


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_without_a_futex(threads: int) -> None:
    pool = Pool(threads, tasks.pool_by_condition())
    context = new_context()
    for _ in range(3):
        repeat(pool.address, task("task.sum"), context, 50, 3, TIMES, by_condition=True)
        time.sleep(0.005)  # so that the threads sleep
    assert context[SUM] == 3 * TIMES * 1225
    assert context[CLASHES] == 0
    assert idle()
    pool.close()


def test_threads_without_a_futex_wake() -> None:
    pool = Pool(2, tasks.pool_by_condition())
    for _ in range(5):
        repeat(pool.address, task("task.meet"), new_context(), 2, 1, 20, by_condition=True)
        time.sleep(0.005)
    pool.close()


@pytest.mark.parametrize("by_condition", [False, True])
def test_a_caller_that_waits_long_sleeps(by_condition: bool) -> None:
    pool = Pool(2, tasks.pool_by_condition()) if by_condition else get_pool(2)
    repeat(pool.address, task("task.meet"), new_context(), 2, 1, 1, by_condition)
    start, processor = time.perf_counter(), time.process_time()
    for _ in range(3):
        repeat(pool.address, task("task.nap"), new_context(), 2, 1, 1, by_condition)
    assert time.perf_counter() - start >= 0.3
    assert time.process_time() - processor < 0.05
    pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_signals_are_for_pythons_threads_and_faults_for_the_faulty() -> None:
    pool = get_pool(6)
    pool.close()
    before = set(Path("/proc/self/task").iterdir())
    repeat(pool.address, task("task.sum"), new_context(), 100, 1, 1)
    threads = set(Path("/proc/self/task").iterdir()) - before
    assert len(threads) == 5
    time.sleep(0.05)  # a thread blocks everything until it has begun
    for thread in threads:
        lines = (thread / "status").read_text().splitlines()
        blocked = int(dict(line.split(":\t", 1) for line in lines)["SigBlk"], 16)
        assert blocked >> (signal.SIGINT - 1) & 1
        assert blocked >> (signal.SIGTERM - 1) & 1
        assert not blocked >> (signal.SIGSEGV - 1) & 1
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    pool.close()


@pytest.fixture
def _same_controls_after() -> Iterator[None]:
    usual = tasks.controls()
    yield
    tasks.set_controls(usual)


@pytest.mark.usefixtures("_same_controls_after")
def test_all_threads_round_as_the_caller_does() -> None:
    flush = 0x8040 if host_target().triple.startswith("x86_64") else 1 << 24
    bits = struct.unpack("<q", struct.pack("<d", 2.0**-1040))[0]
    for change, halves in ((0, 2), (flush, 0), (0, 2), (flush, 0)):
        context = new_context()
        context[FACTORS : FACTORS + 2].view("f8")[:] = 2.0**-1039, 0.5
        usual = tasks.controls()
        tasks.set_controls(usual | change)
        repeat(get_pool(2).address, task("task.multiply"), context, 2, 1, 1)
        tasks.set_controls(usual)
        assert context[SUM] == halves * bits


@pytest.mark.parametrize("futex_call", [98, None])
def test_the_pool_compiles_for_aarch64(futex_call: int | None) -> None:
    binding = native.binding()
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    arm = Target("aarch64-unknown-linux-gnu", "generic", "", "neon", 128, True)
    assembly = engine.assembly(pool_module(arm, futex_call).text(), arm)
    assert "mrs\tx0, FPCR" in assembly
    assert "msr\tFPCR, x0" in assembly
    assert ("bl\tsyscall" in assembly) == (futex_call is not None)
    assert ("pthread_cond_wait" in assembly) == (futex_call is None)
    assert "__aarch64_" not in assembly  # no atomics by a library that is not there
