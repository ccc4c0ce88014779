"""Variables: read before written, all or nothing, shared memory, host values, versions."""

import numpy as np
import pytest

from graphc.dtypes import float32, float64, int64
from graphc.errors import IndexRangeError, SessionError
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops import elementwise as e
from graphc.ops.index import index, index_add
from graphc.ops.leaf import placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.shape import flip, permute
from graphc.runtime.sessions.session import Session
from graphc.storage import Array, HostValue, Storage
from graphc.types import TensorType

VECTOR = TensorType((4,), float64)


def bound(name: str, array: Array) -> tuple[Node, Storage]:
    storage = Storage(array)
    return variable(name, TensorType(array.shape, float64), storage), storage


def run(graph: Graph, **feed: Array) -> dict[str, Array]:
    result: dict[str, Array] = Session(graph, backend="numpy").run(feed)
    return result


def test_a_swap_reads_both_old_values() -> None:
    (a, sa), (b, sb) = bound("a", np.zeros(4)), bound("b", np.ones(4))
    run(Graph([], {}, {a: b, b: a}))
    np.testing.assert_array_equal(sa.array, np.ones(4))
    np.testing.assert_array_equal(sb.array, np.zeros(4))


def test_updates_that_read_each_other_read_old_values() -> None:
    (a, sa), (b, sb) = bound("a", np.full(4, 2.0)), bound("b", np.full(4, 3.0))
    run(Graph([], {}, {a: e.add(a, b), b: e.mul(a, b)}))
    np.testing.assert_array_equal(sa.array, np.full(4, 5.0))
    np.testing.assert_array_equal(sb.array, np.full(4, 6.0))


def test_a_rotation_of_three_with_a_flip() -> None:
    values = [np.arange(4.0) + 10 * k for k in range(3)]
    nodes, storages = zip(
        *(bound(f"v{k}", array.copy()) for k, array in enumerate(values)), strict=True
    )
    run(
        Graph([], {}, {nodes[0]: nodes[1], nodes[1]: flip(nodes[2], dims=(0,)), nodes[2]: nodes[0]})
    )
    np.testing.assert_array_equal(storages[0].array, values[1])
    np.testing.assert_array_equal(storages[1].array, values[2][::-1])
    np.testing.assert_array_equal(storages[2].array, values[0])


def test_old_and_new_value_as_outputs() -> None:
    a, storage = bound("a", np.arange(4.0))
    new = e.add(a, constant(1.0))
    out = run(Graph([], {"old": a, "new": new, "again": e.mul(a, new)}, {a: new}))
    np.testing.assert_array_equal(out["old"], np.arange(4.0))
    np.testing.assert_array_equal(out["new"], np.arange(4.0) + 1)
    np.testing.assert_array_equal(out["again"], np.arange(4.0) * (np.arange(4.0) + 1))
    np.testing.assert_array_equal(storage.array, np.arange(4.0) + 1)
    out["old"][:] = out["new"][:] = -1
    np.testing.assert_array_equal(storage.array, np.arange(4.0) + 1)


def test_a_product_does_not_overwrite_the_matrix_it_reads() -> None:
    rng = np.random.default_rng(0)
    start = rng.standard_normal((3, 3))
    a, storage = bound("a", start.copy())
    run(Graph([], {}, {a: matmul(a, a)}))
    np.testing.assert_array_equal(storage.array, start @ start)


def test_an_elementwise_update_that_also_reads_the_transpose() -> None:
    start = np.arange(9.0).reshape(3, 3)
    a, storage = bound("a", start.copy())
    run(Graph([], {}, {a: e.sub(a, permute(a, dims=(1, 0)))}))
    np.testing.assert_array_equal(storage.array, start - start.T)


def test_an_update_is_written_in_place_after_the_last_reader() -> None:
    x = placeholder("x", TensorType((3, 3), float64))
    a, storage = bound("a", np.eye(3))
    session = Session(Graph([x], {"y": matmul(x, a)}, {a: e.sub(a, matmul(x, x))}), backend="numpy")
    report = session.memory_plan()
    assert report.in_place_updates == ("a",)
    assert report.copied_updates == ()
    value = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(session.run({"x": value})["y"], value)
    np.testing.assert_array_equal(storage.array, np.eye(3) - value @ value)


def test_one_value_for_two_variables() -> None:
    (a, sa), (b, sb) = bound("a", np.zeros(4)), bound("b", np.ones(4))
    new = e.add(a, b)
    run(Graph([], {}, {a: new, b: new}))
    np.testing.assert_array_equal(sa.array, np.ones(4))
    np.testing.assert_array_equal(sb.array, np.ones(4))


def test_a_variable_without_change_is_not_counted_as_written() -> None:
    a, storage = bound("a", np.arange(4.0))
    run(Graph([], {}, {a: a}))
    assert storage.version.count == 0


def test_versions_count_the_runs_that_write() -> None:
    (a, sa), (b, sb) = bound("a", np.zeros(4)), bound("b", np.ones(4))
    session = Session(Graph([], {}, {a: e.add(a, b)}), backend="numpy")
    session.run()
    session.run()
    assert (sa.version.count, sb.version.count) == (2, 0)


class TestErrorsLeaveVariablesAlone:
    """A run that raises changes nothing, wherever it raises."""

    def graph(self) -> tuple[Graph, list[Storage]]:
        rows = placeholder("rows", TensorType((2,), int64))
        (a, sa), (b, sb) = bound("a", np.zeros(4)), bound("b", np.arange(4.0))
        first = e.add(a, constant(1.0))
        picked = index(first, rows, dims=(0,))  # needs the new value of a, and may raise
        second = e.add(b, index_add(picked, rows, shape=(4,), dims=(0,)))
        return Graph([rows], {"picked": picked}, {a: first, b: second}), [sa, sb]

    def test_after_an_index_out_of_range(self) -> None:
        graph, storages = self.graph()
        with pytest.raises(IndexRangeError, match="index out of range") as caught:
            run(graph, rows=np.array([0, 4]))
        assert "test_updates.py" in str(caught.value)
        np.testing.assert_array_equal(storages[0].array, np.zeros(4))
        np.testing.assert_array_equal(storages[1].array, np.arange(4.0))
        assert [storage.version.count for storage in storages] == [0, 0]

    def test_and_the_next_run_works(self) -> None:
        graph, storages = self.graph()
        session = Session(graph, backend="numpy")
        with pytest.raises(IndexRangeError):
            session.run({"rows": np.array([-1, 0])})
        session.run({"rows": np.array([3, 3])})
        np.testing.assert_array_equal(storages[0].array, np.ones(4))
        np.testing.assert_array_equal(storages[1].array, [0, 1, 2, 5])

    def test_a_gradient_at_checked_indices_holds_nothing_back(self) -> None:
        graph, _ = self.graph()
        report = Session(graph, backend="numpy").memory_plan()
        assert report.in_place_updates == ("b",)  # a's comes before the lookup, which may raise
        assert report.copied_updates == ("a",)

    def test_a_host_value_that_raises(self) -> None:
        def broken() -> float:
            raise RuntimeError("no rate")

        a, storage = bound("a", np.zeros(4))
        rate = variable("rate", TensorType((), float64), HostValue(broken))
        with pytest.raises(RuntimeError, match="no rate"):
            run(Graph([], {}, {a: e.add(a, rate)}))
        np.testing.assert_array_equal(storage.array, np.zeros(4))


def test_host_values_are_read_at_each_run() -> None:
    rate = [0.5]
    node = variable("rate", TensorType((), float32), HostValue(lambda: rate[0]))
    session = Session(Graph([], {"rate": node}), backend="numpy")
    first = session.run()["rate"]
    rate[0] = 0.25
    second = session.run()["rate"]
    assert (float(first), float(second), first.dtype) == (0.5, 0.25, np.float32)
    assert session.cache_info().misses == 1


def test_host_values_cannot_be_updated() -> None:
    rate = variable("rate", TensorType((), float64), HostValue(lambda: 1.0))
    with pytest.raises(SessionError, match="'rate' is a host value"):
        Session(Graph([], {}, {rate: constant(2.0)}), backend="numpy")


@pytest.mark.parametrize("layout", ["transposed", "flipped", "gaps", "unaligned", "repeated"])
def test_variables_in_any_layout_are_read_and_written(layout: str) -> None:
    start = np.arange(12.0).reshape(3, 4)
    memory = np.zeros(12 * 8 + 1, np.uint8)
    arrays = {
        "transposed": start.T.copy().T,
        "flipped": start[::-1, ::-1].copy()[::-1, ::-1],
        "gaps": np.repeat(start, 2, axis=1)[:, ::2],
        "unaligned": memory[1:].view(np.float64).reshape(3, 4),
        "repeated": np.lib.stride_tricks.as_strided(np.arange(4.0), (3, 4), (0, 8)),
    }
    array = arrays[layout]
    if layout == "unaligned":
        array[:] = start
    old = array.copy()
    a, _ = bound("a", array)
    out = run(Graph([], {"old": a}, {a: e.add(a, constant(1.0))}))
    np.testing.assert_array_equal(out["old"], old)
    np.testing.assert_array_equal(array, old + 1)


def test_variables_that_overlap_are_read_before_any_is_written() -> None:
    memory = np.arange(6.0)
    (a, _), (b, _) = bound("a", memory[:4]), bound("b", memory[2:])
    new_a, new_b = e.mul(a, constant(10.0)), e.add(b, constant(100.0))
    out = run(Graph([], {"sum": e.add(a, b)}, {a: new_a, b: new_b}))
    np.testing.assert_array_equal(out["sum"], np.arange(4.0) + np.arange(2.0, 6.0))
    np.testing.assert_array_equal(memory, [0, 10, 102, 103, 104, 105])  # b is written last


def test_a_parameter_fed_as_an_input_is_read_before_it_is_written() -> None:
    a, storage = bound("a", np.arange(4.0))
    x = placeholder("x", VECTOR)
    new = e.add(a, constant(1.0))
    graph = Graph([x], {"y": e.mul(x, new)}, {a: new})
    out = run(graph, x=storage.array)
    np.testing.assert_array_equal(out["y"], np.arange(4.0) * (np.arange(4.0) + 1))


def test_a_storage_may_get_another_array_between_runs() -> None:
    a, storage = bound("a", np.zeros((2, 3)))
    session = Session(Graph([], {"a": a}, {a: e.add(a, constant(1.0))}), backend="numpy")
    session.run()
    storage.array = np.full((3, 2), 5.0).T
    np.testing.assert_array_equal(session.run()["a"], np.full((2, 3), 5.0))
    np.testing.assert_array_equal(storage.array, np.full((2, 3), 6.0))
    assert "another layout" in session.cache_info().entries[-1].reason
    storage.array = np.zeros((3, 2))
    with pytest.raises(SessionError, match="changed its type"):
        session.run()


def test_read_only_memory_cannot_be_updated() -> None:
    array = np.zeros(4)
    array.flags.writeable = False
    a, _ = bound("a", array)
    with pytest.raises(SessionError, match="read-only"):
        run(Graph([], {}, {a: e.add(a, constant(1.0))}))
    np.testing.assert_array_equal(run(Graph([], {"a": a}))["a"], np.zeros(4))
