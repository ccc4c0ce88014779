"""What a session returns, keeps, reports and refuses."""

import gc
import json
import weakref
from typing import Any

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import float32, float64, int64
from graphc.errors import ArgumentError, FeedError, SessionError, VerifyError
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.opdef import OpDef
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder, size_value, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.ops.shape import expand, permute, reshape
from graphc.runtime.sessions.session import Session
from graphc.runtime.sessions.specialization import Specialization
from graphc.storage import Storage
from graphc.types import TensorType

N = Dim.named("N")


def symbolic() -> Graph:
    x = placeholder("x", TensorType((N, 2), float32))
    return Graph([x], {"total": sum_(x, dims=(0,)), "n": size_value(N)})


def fixed() -> tuple[Graph, Node]:
    x = placeholder("x", TensorType((2, 3), float64))
    return Graph([x], {"y": e.mul(e.tanh(x), x)}), x


def rows(n: int) -> dict[str, Any]:
    return {"x": np.ones((n, 2), np.float32)}


class TestOutputs:
    """Fresh arrays that share memory with nothing."""

    def test_an_output_that_is_an_input_a_constant_a_view_or_a_variable_is_a_copy(self) -> None:
        x = placeholder("x", TensorType((2, 2), float64))
        weights = Storage(np.arange(4.0).reshape(2, 2))
        w = variable("w", TensorType((2, 2), float64), weights)
        k = constant(np.ones((2, 2)))
        graph = Graph(
            [x],
            {"x": x, "again": x, "w": w, "k": k, "t": permute(x, dims=(1, 0)),
             "e": expand(constant(2.0), shape=(2, 2))},
        )  # fmt: skip
        session = Session(graph, backend="numpy")
        fed = np.arange(4.0).reshape(2, 2)
        first = session.run({"x": fed})
        kept = {name: array.copy() for name, array in first.items()}
        for array in first.values():
            assert array.flags.writeable
            assert array.flags.c_contiguous
            array[:] = -1
        np.testing.assert_array_equal(fed, np.arange(4.0).reshape(2, 2))
        np.testing.assert_array_equal(weights.array, np.arange(4.0).reshape(2, 2))
        second = session.run({"x": fed})
        for name, array in kept.items():
            np.testing.assert_array_equal(second[name], array)

    def test_results_survive_later_runs(self) -> None:
        graph, _ = fixed()
        session = Session(graph, backend="numpy")
        ones = session.run({"x": np.ones((2, 3))})["y"]
        held = ones.copy()
        session.run({"x": np.zeros((2, 3))})
        np.testing.assert_array_equal(ones, held)

    def test_a_second_run_with_other_values_gives_other_results(self) -> None:
        graph, _ = fixed()
        session = Session(graph, backend="numpy")
        for scale in (1.0, -2.0, 0.0):
            value = np.full((2, 3), scale)
            out = session.run({"x": value})["y"]
            np.testing.assert_array_equal(out, np.tanh(value) * value)

    @pytest.mark.parametrize(
        ("structure", "expected"),
        [
            ("a", 1.0),
            (["a", "b"], [1.0, 2.0]),
            (("b",), (2.0,)),
            ({"k": ["a", None], "l": ("b", "a")}, {"k": [1.0, None], "l": (2.0, 1.0)}),
            (None, {"a": 1.0, "b": 2.0}),
            ([], []),
        ],
    )
    def test_the_structure_is_kept(self, structure: Any, expected: Any) -> None:
        graph = Graph([], {"a": constant(1.0), "b": constant(2.0)})
        assert Session(graph, backend="numpy", outputs=structure, wrap=float).run() == expected

    def test_an_unknown_output_is_refused(self) -> None:
        graph = Graph([], {"loss": constant(1.0)})
        with pytest.raises(ArgumentError, match="no output 'los'") as caught:
            Session(graph, backend="numpy", outputs=["los"])
        assert "did you mean 'loss'?" in str(caught.value)


class TestOut:
    """``out=`` writes into the caller's arrays, and only into fitting ones."""

    def test_it_is_written(self) -> None:
        graph, _ = fixed()
        mine = np.empty((2, 3))
        value = np.arange(6.0).reshape(2, 3)
        result = Session(graph, backend="numpy").run({"x": value}, out={"y": mine})
        assert result["y"] is mine
        np.testing.assert_array_equal(mine, np.tanh(value) * value)

    def test_unfit_arrays_are_refused(self) -> None:
        graph, _ = fixed()
        session = Session(graph, backend="numpy")
        value = np.zeros((2, 3))
        read_only = np.zeros((2, 3))
        read_only.flags.writeable = False
        for unfit in (
            np.zeros((3, 2)),
            np.zeros((2, 3), np.float32),
            np.zeros((3, 2)).T,
            read_only,
        ):
            with pytest.raises(FeedError, match="does not fit"):
                session.run({"x": value}, out={"y": unfit})
        with pytest.raises(FeedError, match="shares memory"):
            session.run({"x": value}, out={"y": value})
        with pytest.raises(FeedError, match="no output 'z'"):
            session.run({"x": value}, out={"z": np.zeros((2, 3))})

    def test_variables_and_other_outputs_are_protected(self) -> None:
        storage = Storage(np.zeros(3))
        w = variable("w", TensorType((3,), float64), storage)
        session = Session(Graph([], {"a": w, "b": e.neg(w)}), backend="numpy")
        mine = np.zeros(3)
        for out in ({"a": storage.array}, {"a": mine, "b": mine}):
            with pytest.raises(FeedError, match="shares memory"):
                session.run(out=out)


class TestShapes:
    """One compiled form per set of sizes, bounded and accounted for."""

    def test_each_size_is_compiled_once(self) -> None:
        session = Session(symbolic(), backend="numpy")
        for n in (3, 5, 3, 0):
            out = session.run(rows(n))
            np.testing.assert_array_equal(out["total"], np.full((1, 2), n))
            assert out["n"] == n
        info = session.cache_info()
        assert (info.misses, info.hits) == (3, 1)
        assert [entry.signature["x"] for entry in info.entries] == [
            "f32[5,2]", "f32[3,2]", "f32[0,2]",
        ]  # fmt: skip
        assert [entry.reason for entry in info.entries] == [
            "new size: N is 5, was 3", "first run", "new size: N is 0, was 3",
        ]  # fmt: skip
        assert [entry.runs for entry in info.entries] == [1, 2, 1]
        assert set(info.entries[0].phases) == {
            "bind", "look up", "optimize", "plan", "check", "prepare",
        }  # fmt: skip

    def test_the_cache_is_bounded_and_says_what_it_evicted(self) -> None:
        session = Session(symbolic(), backend="numpy", cache_size=2)
        for n in (1, 2, 3, 1):
            session.run(rows(n))
        info = session.cache_info()
        assert [entry.signature["x"] for entry in info.entries] == ["f32[3,2]", "f32[1,2]"]
        assert info.entries[-1].reason.startswith("evicted before")

    def test_what_was_evicted_is_freed(self) -> None:
        session = Session(symbolic(), backend="numpy", cache_size=1)
        session.run(rows(1))
        old = weakref.ref(only_form(session))
        session.run(rows(2))
        gc.collect()
        assert old() is None

    def test_the_optimizer_sees_static_shapes(self) -> None:
        seen = []

        def optimize(graph: Graph) -> tuple[Graph, tuple[()]]:
            seen.append([str(node.type) for node in graph.inputs])
            return graph, ()

        Session(symbolic(), backend="numpy", optimize=optimize).run(rows(4))
        assert seen == [["f32[4,2]"]]


class TestSmallestPrograms:
    """Nothing in, nothing out, nothing inside."""

    def test_nothing_at_all(self) -> None:
        assert Session(Graph(), backend="numpy").run() == {}

    def test_no_inputs(self) -> None:
        out = Session(
            Graph([], {"two": e.add(constant(1.0), constant(1.0))}), backend="numpy"
        ).run()
        assert out["two"].shape == ()
        assert out["two"] == 2

    def test_updates_only(self) -> None:
        storage = Storage(np.zeros((), np.int64))
        counter = variable("n", TensorType((), int64), storage)
        session = Session(Graph([], {}, {counter: e.add(counter, constant(1))}), backend="numpy")
        assert [session.run() for _ in range(3)] == [{}, {}, {}]
        assert storage.array == 3

    def test_an_unused_input_is_still_demanded(self) -> None:
        x = placeholder("x", TensorType((), float32))
        session = Session(Graph([x], {"one": constant(1.0)}), backend="numpy")
        with pytest.raises(FeedError, match="missing input"):
            session.run()
        assert session.run({"x": 3.0})["one"] == 1

    def test_empty_and_zero_dim_arrays(self) -> None:
        x = placeholder("x", TensorType((0, 3), float32))
        y = placeholder("y", TensorType((), float32))
        graph = Graph(
            [x, y],
            {"x": e.tanh(x), "t": matmul(permute(x, dims=(1, 0)), x), "y": e.neg(y),
             "r": reshape(x, shape=(3, 0)), "c": cast(y, dtype=int64)},
        )  # fmt: skip
        out = Session(graph, backend="numpy").run({"x": np.empty((0, 3), np.float32), "y": 2.5})
        assert {name: array.shape for name, array in out.items()} == {
            "x": (0, 3), "t": (3, 3), "y": (), "r": (3, 0), "c": (),
        }  # fmt: skip
        np.testing.assert_array_equal(out["t"], np.zeros((3, 3)))
        assert (out["y"], out["c"]) == (-2.5, 2)


class TestReports:
    """Explain, memory, profile: readable and as data."""

    def test_explain_names_passes_kernels_and_memory(self) -> None:
        graph, _ = fixed()
        session = Session(graph, backend="numpy", optimize=with_record)
        explained = session.explain()
        text = str(explained)
        for part in ("inputs: x: f64[2,3] (first run); backend numpy", "cancel x2", "too big",
                     "numpy.tanh", "not native:", "prepare", "arena"):  # fmt: skip
            assert part in text
        data = json.loads(json.dumps(explained.as_dict()))
        assert data["passes"][0]["fired"] == {"cancel": {"count": 2, "places": ["m.py:1"]}}
        assert {kernel["name"] for kernel in data["kernels"]} == {"numpy.tanh", "numpy.mul"}
        assert [kernel.name for kernel in session.kernels()] == ["numpy.tanh", "numpy.mul"]

    def test_the_memory_plan_counts_bytes(self) -> None:
        x = placeholder("x", TensorType((100,), float64))
        y = e.tanh(e.tanh(e.tanh(x)))
        report = Session(Graph([x], {"s": sum_(y, dims=(0,))}), backend="numpy").memory_plan()
        assert (report.peak, report.lower_bound, report.naive) == (832, 832, 3 * 832)
        (use,) = report.buffers
        assert (use.offset, use.nbytes, use.first, use.last, use.values) == (0, 800, 0, 3, 3)
        assert "test_session.py" in use.where
        assert "arena 832 B, without reuse 2.4 KiB" in str(report)

    def test_profile_times_every_step_and_changes_nothing(self) -> None:
        storage = Storage(np.arange(6.0).reshape(3, 2).T)
        w = variable("w", TensorType((2, 3), float64), storage)
        x = placeholder("x", TensorType((2, 3), float64))
        graph = Graph([x], {"y": e.tanh(x)}, {w: e.sub(w, x)})
        session = Session(graph, backend="numpy")
        profile = session.profile({"x": np.ones((2, 3))}, runs=3)
        assert [step.what for step in profile.steps] == [
            "tanh f64[2,3]", "sub f64[2,3]", "copy f64[2,3]",
        ]  # fmt: skip
        assert profile.runs == 3
        assert sum(step.share for step in profile.steps) == pytest.approx(1)
        assert all("test_session.py" in step.where for step in profile.steps)
        np.testing.assert_array_equal(storage.array, np.arange(6.0).reshape(3, 2).T)
        assert storage.version.count == 0
        assert "sub f64[2,3]" in str(profile)

    def test_reports_on_unknown_sizes_need_a_feed(self) -> None:
        session = Session(symbolic(), backend="numpy")
        with pytest.raises(SessionError, match="nothing is compiled yet") as caught:
            session.explain()
        assert "'x'" in str(caught.value)
        assert session.explain(rows(7)).signature == {"x": "f32[7,2]"}
        assert session.memory_plan().peak == session.memory_plan(rows(7)).peak


class TestClosing:
    """A closed session is freed and says so."""

    def test_nothing_works_after_close(self) -> None:
        graph, _ = fixed()
        with Session(graph, backend="numpy") as session:
            session.run({"x": np.ones((2, 3))})
        for use in (lambda: session.run({"x": np.ones((2, 3))}), session.explain):
            with pytest.raises(SessionError, match="closed"):
                use()
        session.close()
        assert "closed" in repr(session)

    def test_code_is_freed_once_no_run_is_under_way(self) -> None:
        closed = []

        class Recorder:
            def close(self) -> None:
                closed.append(True)

        graph, _ = fixed()
        session = Session(graph, backend="numpy")
        session.run({"x": np.ones((2, 3))})
        form = only_form(session)
        form.executable = Recorder()
        arena = form.reserve()
        session.close()
        assert closed == []
        form.release(arena)
        assert closed == [True]


def test_unknown_backends_are_refused() -> None:
    with pytest.raises(ArgumentError, match="unknown backend 'numpyy'") as caught:
        Session(Graph(), backend="numpyy")
    assert "did you mean 'numpy'?" in str(caught.value)


def test_an_operation_whose_eval_breaks_its_type_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphc.opdef._registry", {})  # the operation is gone after this test
    broken = OpDef("test_broken", lambda x: x, lambda x: x[:1])
    x = placeholder("x", TensorType((3,), float32))
    session = Session(Graph([x], {"y": broken(x)}), backend="numpy")
    with pytest.raises(VerifyError, match="test_broken: its eval and its infer disagree") as caught:
        session.run({"x": np.ones(3, np.float32)})
    assert "test_session.py" in str(caught.value)


def only_form(session: Session) -> Specialization:
    (form,) = (
        value
        for value in gc.get_referents(session._forms._forms)
        if isinstance(value, Specialization)
    )
    return form


class Tally:
    """How often something happened."""

    def __init__(self, count: int, *places: str) -> None:
        self.count, self.places = count, places


class Record:
    """A pass record."""

    name, seconds, before, after = "simplify", 0.001, 5, 3

    def __init__(self) -> None:
        self.fired = {"cancel": Tally(2, "m.py:1")}
        self.refused = {"too big": Tally(1, "m.py:2")}


def with_record(graph: Graph) -> tuple[Graph, list[Record]]:
    return graph, [Record()]
