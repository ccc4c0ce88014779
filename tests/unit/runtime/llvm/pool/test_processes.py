"""Processes with a pool: they fork, end and are killed like any other."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.sources import ROOT

PRELUDE = """
import os, signal, sys, threading, time
from graphc.runtime.llvm.pool.pool import get_pool
from tests.unit.runtime.llvm.pool.tasks import SUM, new_context, repeat, task

pool = get_pool(2)

def together(times=50):
    '''Regions that only two threads can finish.'''
    assert repeat(pool.address, task("task.meet"), new_context(), 2, 1, times) == 0

def add_up():
    context = new_context()
    assert repeat(pool.address, task("task.sum"), context, 50, 3, 100) == 0
    assert context[SUM] == 100 * 1225

def busy():
    '''A thread that is nearly always in a region.'''
    work = lambda: repeat(pool.address, task("task.sum"), new_context(), 50, 3, 1 << 60)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.02)

def in_child(work):
    '''What the work's process says; 1 for an exception.'''
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]

together()
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def start(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        cwd=ROOT, env=ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(script: str, expected: int = 0) -> str:
    """Run it to its end and return what it printed."""
    process = start(script)
    try:
        printed, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == expected, errors
    return printed


@needs_fork
def test_parent_and_child_work_on_after_a_fork() -> None:
    run("""
        for _ in range(20):
            assert in_child(lambda: (together(), add_up())) == 0
            together()
            add_up()
    """)


@needs_fork
def test_children_of_children() -> None:
    run("""
        def child():
            together()
            assert in_child(together) == 0
            together()
        assert in_child(child) == 0
        together()
    """)


@needs_fork
def test_a_fork_while_another_thread_is_in_a_region() -> None:
    run("""
        busy()
        for _ in range(20):
            assert in_child(lambda: (together(), add_up())) == 0
            add_up()
    """)


@needs_fork
def test_a_killed_child_harms_nobody() -> None:
    run("""
        def forever():
            together(1 << 60)
        for _ in range(3):
            child = os.fork()
            if child == 0:
                forever()
            time.sleep(0.02)
            os.kill(child, signal.SIGKILL)
            assert os.waitpid(child, 0)[1] == signal.SIGKILL
            together()
    """)


def test_threads_that_ask_at_once_get_one_pool() -> None:
    script = """
        import sys, threading
        from graphc.runtime.llvm.pool.pool import get_pool
        sys.setswitchinterval(1e-6)
        together, pools = threading.Barrier(8), []
        def ask():
            together.wait()
            pools.append(get_pool(3))
        threads = [threading.Thread(target=ask) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(pools) == 8 and len(set(pools)) == 1
        from tests.unit.runtime.llvm.pool.tasks import SUM, new_context, repeat, task
        context = new_context()
        assert repeat(pools[0].address, task("task.sum"), context, 50, 3, 100) == 0
        assert context[SUM] == 100 * 1225
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT, env=ENVIRONMENT, check=True, timeout=60,
    )  # fmt: skip


def test_the_interpreter_ends_with_idle_threads() -> None:
    assert run("print('done')") == "done\n"


def test_the_interpreter_ends_while_threads_work() -> None:
    assert run("busy()\nprint('done')") == "done\n"


def test_the_interpreter_ends_just_after_a_region() -> None:
    for threads in (2, 8):
        run(f"""
            pool = get_pool({threads})
            add_up()
        """)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_a_process_that_is_in_a_region(number: signal.Signals) -> None:
    process = start("""
        print("go", flush=True)
        repeat(pool.address, task("task.sum"), new_context(), 50, 3, 1 << 60)
    """)
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == -number


def test_an_interrupt_reaches_python_while_threads_work() -> None:
    process = start("""
        busy()
        try:
            print("go", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=20)
    assert (process.returncode, printed) == (0, "interrupted\n"), errors
