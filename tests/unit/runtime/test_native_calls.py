"""Native calls: what they take, what they leave to Python, and that nobody sees the difference."""

import gc
import os
import signal
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

from graphc.dims import Dim
from graphc.dtypes import bfloat16, float32, float64, int64
from graphc.errors import DTypeError, FeedError, GraphcError, SessionError, ShapeError
from graphc.graph import Graph
from graphc.ops import elementwise as e
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.runtime.llvm.entry.objects import are_as_expected
from graphc.runtime.session import Session
from graphc.storage import Array, HostValue, Storage
from graphc.types import TensorType
from tests.sources import ROOT

pytestmark = pytest.mark.skipif(not are_as_expected(), reason="another kind of Python")


def doubled(type_: TensorType | None = None, **options: Any) -> Session:
    x = placeholder("x", type_ or TensorType((2, 3), float32))
    return Session(Graph([x], {"y": e.add(x, x)}), **options)


def counter(size: int = 4) -> tuple[Session, Storage]:
    """Adds x to a variable; returns the value from before."""
    storage = Storage(np.zeros(size))
    n = variable("n", TensorType((size,), float64), storage)
    x = placeholder("x", TensorType((size,), float64))
    return Session(Graph([x], {"old": n}, {n: e.add(n, x)})), storage


def warm(session: Session, feed: dict[str, Any] | None = None) -> Callable[[], int]:
    """Run until native calls exist; what it returns counts how many runs were such."""
    for _ in range(2):
        session.run(feed)
    (chosen,) = session._forms._forms.values()
    assert chosen.native is not None
    return lambda: chosen.native_runs


def ones() -> Array:
    return np.ones((2, 3), np.float32)


class TestOrdinary:
    """Exact arrays in a dict go straight into native code."""

    def test_values_are_right_and_fresh(self) -> None:
        session = doubled()
        native = warm(session, {"x": ones()})
        value = np.array([[1, -0.0, np.nan], [np.inf, 1e-45, 3]], np.float32)
        first = session.run({"x": value})["y"]
        second = session.run({"x": ones()})["y"]
        assert native() == 2
        np.testing.assert_array_equal(first.view(np.int32), (value + value).view(np.int32))
        np.testing.assert_array_equal(second, 2 * ones())
        assert not np.shares_memory(first, second)
        assert first.flags.owndata
        assert first.flags.writeable
        assert (first.shape, first.dtype) == ((2, 3), np.float32)

    def test_read_only_arrays_and_the_same_array_twice(self) -> None:
        x, y = (placeholder(name, TensorType((3,), float64)) for name in "xy")
        session = Session(Graph([x, y], {"z": e.sub(x, y)}))
        array = np.arange(3.0)
        array.flags.writeable = False
        native = warm(session, {"x": array, "y": array})
        np.testing.assert_array_equal(session.run({"y": array, "x": array})["z"], np.zeros(3))
        assert native() == 1

    @pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 1, 2, 1, 2)])
    @pytest.mark.parametrize("dtype", [float64, int64, bfloat16])
    def test_all_shapes_and_dtypes(self, shape: tuple[int, ...], dtype: Any) -> None:
        session = doubled(TensorType(shape, dtype))
        value = np.ones(shape, dtype.numpy)
        native = warm(session, {"x": value})
        result = session.run({"x": value})["y"]
        assert native() == 1
        assert isinstance(result, np.ndarray)
        assert (result.shape, result.dtype) == (shape, dtype.numpy)
        np.testing.assert_array_equal(result.astype(float), np.full(shape, 2.0))

    @pytest.mark.parametrize(
        "structure",
        ["a", ["a", "b"], ("b",), {"k": "b", "l": "a"}, {"k": "a", "l": "a"}, [], (), {},
         {"k": ["a", None], "l": ("b", "a")}, None],
    )  # fmt: skip
    def test_every_structure(self, structure: Any) -> None:
        x = placeholder("x", TensorType((2,), float64))
        graph = Graph([x], {"a": e.neg(x), "b": e.add(x, x)})
        session = Session(graph, outputs=structure)
        feed = {"x": np.array([1.0, 2.0])}
        wanted = session.run(feed)
        native = warm(session, feed)
        before = native()
        found = session.run(feed)
        assert native() == before + 1
        assert repr(found) == repr(wanted)
        assert type(found) is type(wanted)

    def test_results_may_be_wrapped(self) -> None:
        session = doubled(wrap=lambda array: array.tolist(), outputs="y")
        native = warm(session, {"x": ones()})
        assert session.run({"x": ones()}) == [[2.0] * 3] * 2
        assert native() == 1

    def test_without_inputs(self) -> None:
        storage = Storage(np.zeros(2))
        n = variable("n", TensorType((2,), float64), storage)
        session = Session(Graph([], {"new": e.exp(n)}, {n: e.exp(n)}))
        native = warm(session)
        session.run()
        session.run({})
        assert native() == 2
        np.testing.assert_allclose(storage.array, np.exp(np.exp(np.exp(np.exp(np.zeros(2))))))

    def test_values_in_order(self) -> None:
        x, y = (placeholder(name, TensorType((3,), float64)) for name in "xy")
        session = Session(Graph([x, y], {"d": e.sub(x, y), "s": e.add(x, y)}), outputs="s")
        a, b = np.arange(3.0), np.ones(3)
        for _ in range(3):
            difference, total = session.run_values([a, b])
            np.testing.assert_array_equal(difference, a - b)
            np.testing.assert_array_equal(total, a + b)
        difference, _ = session.run_values([[1, 2, 3], b])
        np.testing.assert_array_equal(difference, [0, 1, 2])
        with pytest.raises(ValueError, match="argument"):
            session.run_values([a])

    def test_every_run_is_counted_once(self) -> None:
        session = doubled()
        for number in range(1, 6):
            session.run({"x": ones()})
            info = session.cache_info()
            assert (info.hits, info.misses, info.entries[0].runs) == (number - 1, 1, number)


class Arrayish:
    """What other libraries' tensors look like."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return ones()


class Sub(np.ndarray[Any, Any]):
    """A kind of array."""


class TestUnusual:
    """Everything else is converted or refused as ever, by Python."""

    @pytest.mark.parametrize(
        "value",
        [
            ones().tolist(),
            np.ones((2, 3), np.float16),
            np.ones((3, 2), np.float32).T,
            np.ones((2, 6), np.float32)[:, ::2],
            np.ones((2, 3), np.float32)[::-1, ::-1],
            np.ones((2, 3), ">f4"),
            np.ones(25, np.int8)[1:].view(np.float32).reshape(2, 3) * 0 + 1,
            np.broadcast_to(np.float32(1), (2, 3)),
            ones().view(Sub),
            Arrayish(),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_it_is_converted(self, value: Any) -> None:
        session = doubled()
        native = warm(session, {"x": ones()})
        np.testing.assert_array_equal(session.run({"x": value})["y"], 2 * ones())
        assert native() <= 1
        np.testing.assert_array_equal(session.run({"x": ones()})["y"], 2 * ones())
        assert native() >= 1

    def test_unaligned_memory(self) -> None:
        session = doubled()
        native = warm(session, {"x": ones()})
        memory = np.zeros(25, np.uint8)
        value = memory[1:].view(np.float32).reshape(2, 3)
        value[:] = 1
        assert not value.flags.aligned
        np.testing.assert_array_equal(session.run({"x": value})["y"], 2 * ones())
        assert native() == 0

    @pytest.mark.parametrize(
        ("feed", "error", "words"),
        [
            ({}, FeedError, "missing input"),
            (None, FeedError, "missing input"),
            ({"z": ones()}, FeedError, "unknown input 'z'"),
            ({"x": ones(), "z": 1}, FeedError, "unknown input 'z'"),
            ({1: ones()}, FeedError, "neither"),
            ({"x": np.ones((2, 3))}, DTypeError, "float64"),
            ({"x": np.ones((2, 3), np.int32)}, DTypeError, "int32"),
            ({"x": np.ones((3, 2), np.float32)}, ShapeError, "wrong shape"),
            ({"x": np.ones((2, 3, 1), np.float32)}, ShapeError, "wrong shape"),
            ({"x": np.ones(6, np.float32)}, ShapeError, "wrong shape"),
            ({"x": np.float32(1)}, ShapeError, "wrong shape"),
            ({"x": "text"}, GraphcError, "x"),
            ({"x": None}, GraphcError, "x"),
        ],
    )
    def test_errors_are_the_same_before_and_after(
        self, feed: Any, error: type[GraphcError], words: str
    ) -> None:
        session = doubled()
        with pytest.raises(error, match=words) as cold:
            session.run(feed)
        native = warm(session, {"x": ones()})
        with pytest.raises(error, match=words) as caught:
            session.run(feed)
        assert str(caught.value) == str(cold.value)
        assert native() == 0

    def test_keys_may_be_anything_that_equals_or_stands_for_a_name(self) -> None:
        class Text(str):
            __slots__ = ()

        class Angry:
            def __hash__(self) -> int:
                return hash("x")

            def __eq__(self, other: object) -> bool:
                raise RuntimeError("compared")

        x = placeholder("x", TensorType((2, 3), float32))
        session = Session(Graph([x], {"y": e.add(x, x)}), outputs="y")
        warm(session, {"x": ones()})
        np.testing.assert_array_equal(session.run({Text("x"): ones()}), 2 * ones())
        np.testing.assert_array_equal(session.run({x: ones()}), 2 * ones())
        with pytest.raises(RuntimeError, match="compared"):
            session.run({Angry(): ones()})

    def test_other_mappings_and_subclasses_of_dict(self) -> None:
        class Fed(dict[str, Any]):
            def items(self) -> Any:
                return {"x": ones()}.items()

        session = doubled(outputs="y")
        warm(session, {"x": ones()})
        np.testing.assert_array_equal(session.run(Fed(z=1)), 2 * ones())

    def test_new_sizes_are_compiled_and_old_ones_found(self) -> None:
        session = doubled(TensorType((Dim.named("N"), 3), float32))
        for n in (2, 2, 2, 5, 2, 5, 5, 5, 0, 0, 0, 2):
            value = np.ones((n, 3), np.float32)
            assert session.run({"x": value})["y"].shape == (n, 3)
        info = session.cache_info()
        assert (info.hits, info.misses) == (9, 3)
        assert sum(entry.runs for entry in info.entries) == 12

    def test_out_is_written(self) -> None:
        session = doubled()
        warm(session, {"x": ones()})
        mine = np.empty((2, 3), np.float32)
        assert session.run({"x": ones()}, out={"y": mine})["y"] is mine
        np.testing.assert_array_equal(mine, 2 * ones())

    def test_refused_data_raises_and_changes_nothing(self) -> None:
        storage = Storage(np.zeros(2))
        n = variable("n", TensorType((2,), float64), storage)
        table = placeholder("table", TensorType((5,), float64))
        where = placeholder("where", TensorType((2,), int64))
        rows = index(table, where, dims=(0,))
        session = Session(Graph([table, where], {"rows": rows}, {n: e.add(n, rows)}))
        feed = {"table": np.arange(5.0), "where": np.array([1, 4])}
        native = warm(session, feed)
        with pytest.raises(GraphcError, match="index"):
            session.run(feed | {"where": np.array([1, 5])})
        assert native() == 0
        assert storage.version.count == 2
        np.testing.assert_array_equal(session.run(feed)["rows"], [1.0, 4.0])
        assert native() == 1
        np.testing.assert_array_equal(storage.array, [3.0, 12.0])


class TestVariables:
    """They are read, written and counted as ever."""

    def test_versions_count(self) -> None:
        session, storage = counter()
        native = warm(session, {"x": np.ones(4)})
        for run in range(2, 400):  # past the interpreter's small integers
            old = session.run({"x": np.ones(4)})["old"]
            assert storage.version.count == run + 1
            np.testing.assert_array_equal(old, np.full(4, float(run)))
        assert native() == 398

    def test_a_feed_that_is_the_variables_memory(self) -> None:
        session, storage = counter()
        native = warm(session, {"x": np.ones(4)})
        for view in (storage.array, storage.array[::-1], storage.array.reshape(2, 2).reshape(4)):
            wanted = storage.array + view
            session.run({"x": view})
            np.testing.assert_array_equal(storage.array, wanted)
        assert native() == 0
        padded = np.zeros(12)
        storage.array = padded[4:8]
        for _ in range(3):
            session.run({"x": np.ones(4)})
        for start in (0, 1, 4, 7, 8):  # before, across and behind the variable
            value = padded[start : start + 4]
            wanted = storage.array + value
            session.run({"x": value})
            np.testing.assert_array_equal(storage.array, wanted)

    def test_replaced_memory_is_seen(self) -> None:
        session, storage = counter()
        native = warm(session, {"x": np.ones(4)})
        session.run({"x": np.ones(4)})
        before = storage.array
        storage.array = np.full(4, 10.0)
        for expected in (10.0, 11.0, 12.0, 13.0):
            assert session.run({"x": np.ones(4)})["old"][0] == expected
        np.testing.assert_array_equal(before, np.full(4, 3.0))
        assert native() == 4  # one before, three behind the first that found the new memory
        assert session.cache_info().entries[0].runs == 7

    def test_a_read_only_variable_is_refused_still(self) -> None:
        session, storage = counter()
        warm(session, {"x": np.ones(4)})
        frozen = np.zeros(4)
        frozen.flags.writeable = False
        storage.array = frozen
        with pytest.raises(SessionError, match="read-only"):
            session.run({"x": np.ones(4)})

    @pytest.mark.parametrize("dtype", [float32, float64])
    def test_python_numbers_are_read_at_each_run(self, dtype: Any) -> None:
        value: Any = 0.1
        rate = variable("rate", TensorType((), dtype), HostValue(lambda: value))
        x = placeholder("x", TensorType((2,), dtype))
        session = Session(Graph([x], {"y": e.mul(x, rate)}), outputs="y")
        one = np.ones(2, dtype.numpy)
        native = warm(session, {"x": one})
        for count, value in enumerate((0.25, 1 / 3, float("inf"), -0.0), 1):
            result = session.run({"x": one})
            np.testing.assert_array_equal(result, one * np.asarray(value).astype(dtype.numpy))
            assert native() == count
        for value in (3, np.float32(0.5), True):  # not a float: Python converts it
            np.testing.assert_array_equal(session.run({"x": one}), one * np.float32(value))
        assert native() == 4

    def test_a_python_number_that_raises(self) -> None:
        values = [0.1]
        rate = variable("rate", TensorType((), float64), HostValue(lambda: values[0]))
        session = Session(Graph([], {"y": e.add(rate, rate)}), outputs="y")
        native = warm(session)
        values.clear()
        with pytest.raises(IndexError):
            session.run()
        values.append(2.0)
        assert session.run() == 4.0
        assert native() == 1

    def test_a_python_number_that_runs_the_session_itself(self) -> None:
        depth = [0]

        def read() -> float:
            if depth[0] == 0:
                return 1.0
            depth[0] -= 1
            return 1.0 + float(session.run())

        rate = variable("rate", TensorType((), float64), HostValue(read))
        session = Session(Graph([], {"y": e.add(rate, rate)}), outputs="y")
        warm(session)
        depth[0] = 2
        assert session.run() == 14.0

    def test_integer_python_numbers_go_through_python(self) -> None:
        count = variable("count", TensorType((), int64), HostValue(lambda: 7))
        session = Session(Graph([], {"y": e.add(count, count)}), outputs="y")
        for _ in range(4):
            assert session.run() == 14


def long_program() -> tuple[Session, Storage]:
    """A variable that each run increments; long enough that other threads go on meanwhile."""
    storage = Storage(np.zeros(40_000))
    n = variable("n", TensorType((40_000,), float64), storage)
    wave = e.sin(e.exp(e.sin(n)))
    one = e.add(e.mul(wave, e.sub(n, n)), cast(e.eq(n, n), dtype=float64))
    return Session(Graph([], {"old": n}, {n: e.add(n, one)})), storage


def is_detached(session: Session) -> bool:
    (chosen,) = session._forms._forms.values()
    return bool(chosen.native._entry._record.words[3])


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
        assert native() == 600
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
        run = session._native.run
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
        run = session._native.run
        del session, storage, node
        gc.collect()
        np.testing.assert_array_equal(run({}), np.full(3, 4.0))

    def test_the_interpreter_ends_while_a_daemon_thread_runs(self) -> None:
        code = (
            "import threading, time\n"
            "from tests.unit.runtime.test_native_calls import long_program, warm\n"
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


class TestMany:
    """``run_many`` is a loop of ``run``."""

    @pytest.mark.parametrize("backend", ["numpy", "llvm"])
    def test_it_is_the_loop(self, backend: str) -> None:
        rng = np.random.default_rng(3)
        rows = rng.standard_normal((7, 4))

        def make() -> tuple[Session, Storage]:
            storage = Storage(np.zeros(4))
            n = variable("n", TensorType((4,), float64), storage)
            x = placeholder("x", TensorType((4,), float64))
            next_ = e.add(e.mul(n, n), x)
            total = sum_(next_, dims=(0,))
            graph = Graph([x], {"old": n, "total": total}, {n: next_})
            return Session(graph, backend=backend, outputs={"t": ["total"], "o": "old"}), storage

        one, storage_one = make()
        many, storage_many = make()
        wanted = [one.run({"x": row}) for row in rows]
        found = many.run_many({"x": rows})
        np.testing.assert_array_equal(found["o"], [each["o"] for each in wanted])
        np.testing.assert_array_equal(found["t"][0], [each["t"][0] for each in wanted])
        np.testing.assert_array_equal(storage_one.array, storage_many.array)
        assert storage_one.version.count == storage_many.version.count == 7

    @pytest.mark.parametrize("backend", ["numpy", "llvm"])
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_shapes(self, backend: str, count: int) -> None:
        n = Dim.named("N")
        x = placeholder("x", TensorType((n, 2), float32))
        y = placeholder("y", TensorType((), float32))
        session = Session(Graph([x, y], {"z": e.mul(x, y)}), backend=backend, outputs="z")
        xs, ys = np.ones((count, 5, 2), np.float32), np.arange(count, dtype=np.float32)
        result = session.run_many({"x": xs, "y": ys})
        assert (result.shape, result.dtype) == ((count, 5, 2), np.float32)
        np.testing.assert_array_equal(result, xs * ys[:, None, None])
        lists = session.run_many({"x": list(xs.tolist()), "y": ys}) if count else result
        np.testing.assert_array_equal(lists, result)
        strided = session.run_many({"x": xs[::-1], "y": np.repeat(ys, 2)[::2]})
        np.testing.assert_array_equal(strided, result)

    def test_without_inputs(self) -> None:
        storage = Storage(np.zeros(()))
        n = variable("n", TensorType((), float64), storage)
        one = e.add(e.mul(n, n), cast(e.eq(n, n), dtype=float64))
        session = Session(Graph([], {"old": n}, {n: one}), outputs="old")
        np.testing.assert_array_equal(session.run_many(steps=4), [0, 1, 2, 5])
        with pytest.raises(GraphcError, match="how many"):
            session.run_many()

    def test_wrong_feeds(self) -> None:
        x, y = (placeholder(name, TensorType((2,), float64)) for name in "xy")
        session = Session(Graph([x, y], {"z": e.add(x, y)}))
        good = np.ones((3, 2))
        with pytest.raises(ShapeError, match="4 steps here, but 3 in 'x'"):
            session.run_many({"x": good, "y": np.ones((4, 2))})
        with pytest.raises(ShapeError, match="wrong shape"):
            session.run_many({"x": good, "y": np.ones(2)})
        with pytest.raises(FeedError, match="missing input"):
            session.run_many({"x": good})
        with pytest.raises(GraphcError, match="steps is not"):
            session.run_many({"x": good, "y": good}, steps=2)
        with pytest.raises(DTypeError):
            session.run_many({"x": good.astype(complex), "y": good})

    @pytest.mark.parametrize("backend", ["numpy", "llvm"])
    def test_an_error_keeps_the_steps_before_it(self, backend: str) -> None:
        storage = Storage(np.zeros(()))
        n = variable("n", TensorType((), float64), storage)
        where = placeholder("where", TensorType((), int64))
        table = Storage(np.array([1.0, 10.0, 100.0]))
        t = variable("t", TensorType((3,), float64), table)
        session = Session(
            Graph([where], {"n": n}, {n: e.add(n, index(t, where, dims=(0,)))}), backend=backend
        )
        with pytest.raises(GraphcError, match="index"):
            session.run_many({"where": np.array([1, 2, 3, 0])})
        assert storage.array == 110.0
        assert storage.version.count == 2

    def test_rows_that_are_the_variables_memory(self) -> None:
        session, storage = counter(3)
        storage.array = memory = np.arange(9.0).reshape(3, 3)[1]
        rows = memory.base.reshape(3, 3)
        wanted = memory + rows.sum(axis=0)
        session.run_many({"x": rows})
        np.testing.assert_array_equal(storage.array, wanted)

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
    def test_an_interrupt_comes_between_two_steps(self) -> None:
        session, storage = long_program()
        warm(session)

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            with pytest.raises(KeyboardInterrupt):
                session.run_many(steps=20_000)  # far more than a second
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        done = storage.array[0]
        assert 2 < done < 19_000
        assert (storage.array == done).all()
        assert storage.version.count == done
        assert session.run()["old"][0] == done
