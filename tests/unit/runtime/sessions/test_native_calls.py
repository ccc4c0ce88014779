"""Native calls: what they take, what they leave to Python, and that nobody sees the difference."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from graphc.dims import Dim
from graphc.dtypes import bfloat16, float32, float64, int64
from graphc.errors import DTypeError, FeedError, GraphcError, SessionError, ShapeError
from graphc.graph import Graph
from graphc.ops import elementwise as e
from graphc.ops.index import index
from graphc.ops.leaf import placeholder, variable
from graphc.runtime.llvm.entry import objects
from graphc.runtime.llvm.entry.library import is_available
from graphc.runtime.sessions import direct
from graphc.runtime.sessions.session import Session
from graphc.storage import Array, HostValue, Storage
from graphc.types import TensorType
from tests.native_programs import counter, doubled, ones, warm
from tests.random_graphs import Program, programs

pytestmark = pytest.mark.skipif(not is_available(), reason="another kind of Python")


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
        assert native() == 1  # of a copy

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
        assert native() == 1  # the copy of what was the other way round
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


def test_another_layout_of_objects_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.empty((2, 3), np.float32)
    assert objects._array_is_expected(array)
    for name in ("TYPE", "DATA", "NDIM", "DESCR", "FLAGS"):
        with monkeypatch.context() as patch:
            patch.setattr(objects, name, getattr(objects, name) - 8)
            assert not objects._array_is_expected(array)


def test_without_native_calls_everything_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "is_available", lambda: False)
    session, storage = counter()
    for expected in range(4):
        assert session.run({"x": np.ones(4)})["old"][0] == expected
    assert session.native is None
    np.testing.assert_array_equal(storage.array, np.full(4, 4.0))


@settings(max_examples=40)
@given(programs())
def test_native_calls_give_the_same_bits(program: Program) -> None:
    graph = program.graph
    storages = [node.attrs["source"] for node in graph.updates]
    before = [storage.array.copy() for storage in storages]
    seen: list[list[bytes]] = []
    with Session(graph) as session:
        for _ in range(4):
            outputs = session.run(program.feed)
            arrays = [*outputs.values(), *(storage.array for storage in storages)]
            seen.append([np.ascontiguousarray(array).tobytes() for array in arrays])
            for storage, array in zip(storages, before, strict=True):
                storage.array[...] = array
        assert session.cache_info().entries[0].runs == 4
    assert seen[1:] == seen[:1] * 3
