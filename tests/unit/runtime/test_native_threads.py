"""Native calls from many threads, in forked processes, and what they keep alive."""

import gc
import os
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphc.dtypes import float64
from graphc.errors import SessionError, ShapeError
from graphc.graph import Graph
from graphc.ops import elementwise as e
from graphc.ops.leaf import variable
from graphc.ops.select import cast
from graphc.runtime.llvm.entry.library import is_available
from graphc.runtime.sessions.session import Session
from graphc.storage import Storage
from graphc.types import TensorType
from tests.native_programs import counter, doubled, is_detached, long_program, ones, warm
from tests.sources import ROOT

pytestmark = pytest.mark.skipif(not is_available(), reason="another kind of Python")


class TestThreads:
    """Many threads, one variable; short runs and long ones."""

    def hammer(self, sessions: list[Session], storage: Storage, runs: int) -> None:
        seen: list[float] = []
        failures: list[BaseException] = []

        def work(session: Session) -> None:
            try:
                for _ in range(runs):
                    old = session.run()["old"]
                    assert (old == old[0]).all()
                    seen.append(float(old[0]))
            except BaseException as error:
                failures.append(error)

        before = storage.version.count
        threads = [threading.Thread(target=work, args=(sessions[k % len(sessions)],))
                   for k in range(4)]  # fmt: skip
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        finally:
            sys.setswitchinterval(interval)
        assert not failures
        assert sorted(seen) == [float(before + k) for k in range(4 * runs)]
        assert storage.version.count == before + 4 * runs
        assert storage.array[0] == before + 4 * runs

    def test_long_runs(self) -> None:
        session, storage = long_program()
        other = Session(session.graph)
        natives = [warm(session), warm(other)]
        assert is_detached(session)
        assert is_detached(other)
        self.hammer([session], storage, 40)
        self.hammer([session, other], storage, 40)
        assert natives[0]() > 0
        (chosen,) = session._forms._forms.values()
        assert not chosen.native.busy
        assert all(not any(group.state) for group, _ in session._locks.groups)

    def test_short_runs(self) -> None:
        storage = Storage(np.zeros(3))
        n = variable("n", TensorType((3,), float64), storage)
        graph = Graph([], {"old": n}, {n: e.add(n, cast(e.eq(n, n), dtype=float64))})
        sessions = [Session(graph) for _ in range(2)]
        for session in sessions:
            warm(session)
        self.hammer(sessions, storage, 500)

    def test_readers_and_writers(self) -> None:
        writer, storage = long_program()
        (n,) = writer.graph.updates
        reader = Session(Graph([], {"a": e.add(n, n), "b": e.exp(e.sub(n, n))}))
        warm(writer)
        warm(reader)
        stop = threading.Event()
        failures: list[BaseException] = []

        def read() -> None:
            try:
                while not stop.is_set():
                    a = reader.run()["a"]
                    assert (a == a[0]).all()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(60):
            writer.run()
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not failures
        assert storage.array[0] == 62

    def test_a_native_call_waits_for_a_writer_in_python(self) -> None:
        session, storage = counter()
        native = warm(session, {"x": np.ones(4)})
        results: list[Any] = []
        with session._locks:
            thread = threading.Thread(target=lambda: results.append(session.run({"x": np.ones(4)})))
            thread.start()
            thread.join(0.1)
            assert thread.is_alive()
            assert storage.version.count == 2
        thread.join(60)
        assert len(results) == 1
        assert native() == 0

    def test_closing_while_runs_are_under_way(self) -> None:
        for _ in range(10):
            session, _ = long_program()
            warm(session)
            outcomes: list[BaseException] = []

            def work(session: Session = session, outcomes: list[BaseException] = outcomes) -> None:
                try:
                    while True:
                        session.run()
                except BaseException as error:
                    outcomes.append(error)

            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            time.sleep(0.002)
            session.close()
            for thread in threads:
                thread.join(60)
            assert [type(one) for one in outcomes] == [SessionError] * 3
            with pytest.raises(SessionError, match="closed"):
                session.run()


class TestLifetimes:
    """Nothing leaks, and nothing goes too early."""

    def test_references_balance(self) -> None:
        session, storage = counter()
        x = np.ones(4)
        wrong, feed = np.ones(5), {"x": np.ones(4)}
        native = warm(session, {"x": x})
        counted = [x, wrong, feed, feed["x"], storage.array, x.dtype, storage, NotImplemented]
        before = [sys.getrefcount(thing) for thing in counted]
        for _ in range(300):
            session.run({"x": x})
            session.run(feed)
            with pytest.raises(ShapeError):
                session.run({"x": wrong})
            session.run({"x": x.tolist()})
        assert native() == 900
        after = [sys.getrefcount(thing) for thing in counted]
        assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 5

    @pytest.mark.parametrize("structure", ["y", ["y", "y"], ("y",), {"a": "y"}, {"a": ["y"]}])
    def test_memory_stays_flat(self, structure: Any) -> None:
        session = doubled(outputs=structure)
        feed = {"x": ones()}
        native = warm(session, feed)
        session.run(feed)
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(100):
                session.run(feed)
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(10_000):
                session.run(feed)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert native() == 10_101
        assert after - before < 10_000

    def test_one_result_has_one_owner(self) -> None:
        session = doubled(outputs="y")
        warm(session, {"x": ones()})
        mine, theirs = session.run({"x": ones()}), ones()
        counts = sys.getrefcount(mine), sys.getrefcount(theirs)
        assert counts[0] == counts[1]

    def test_a_session_and_its_weights_are_freed(self) -> None:
        session, storage = counter()
        warm(session, {"x": np.ones(4)})
        session.run({"x": np.ones(4)})
        (chosen,) = session._forms._forms.values()
        gone = [weakref.ref(session), weakref.ref(chosen), weakref.ref(storage)]
        gc.disable()
        try:
            del session, chosen, storage  # there are no cycles: no collector is needed
        finally:
            gc.enable()
        assert [one() for one in gone] == [None] * 3

    def test_a_dropped_session_ends_with_its_last_run(self) -> None:
        session, storage = long_program()
        warm(session)
        run = session.native.run
        session.close()
        del session
        gc.collect()
        assert run({}) is NotImplemented
        assert storage.version.count == 2

    def test_a_call_keeps_what_it_needs(self) -> None:
        """Nobody else has its program, its variables or their locks."""
        storage = Storage(np.full(3, 2.0))
        node = variable("w", TensorType((3,), float64), storage)
        session = Session(Graph([], {"y": e.mul(node, node)}), outputs="y")
        warm(session)
        run = session.native.run
        del session, storage, node
        gc.collect()
        np.testing.assert_array_equal(run({}), np.full(3, 4.0))

    def test_the_interpreter_ends_while_a_daemon_thread_runs(self) -> None:
        code = (
            "import threading, time\n"
            "from tests.native_programs import long_program, warm\n"
            "session, _ = long_program()\n"
            "warm(session)\n"
            "def work():\n"
            "    while True:\n"
            "        session.run()\n"
            "for _ in range(3):\n"
            "    threading.Thread(target=work, daemon=True).start()\n"
            "time.sleep(0.1)\n"
        )
        for _ in range(3):
            subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
class TestForks:
    """A child has native calls of its own."""

    def test_a_child_runs_while_a_thread_of_the_parent_did(self) -> None:
        session, storage = long_program()
        warm(session)
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                session.run()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for _ in range(5):
                assert in_child(lambda: native_after_fork(session)) == 0
        finally:
            stop.set()
            thread.join(60)
        assert storage.array[0] == storage.version.count


def native_after_fork(session: Session) -> bool:
    (chosen,) = session._forms._forms.values()
    before = chosen.native_runs
    session.run()
    return chosen.native_runs == before + 1


def in_child(check: Callable[[], bool]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if check() else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
