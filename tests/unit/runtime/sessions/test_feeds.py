"""What may be fed, and what the messages say otherwise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from graphc.dims import Dim
from graphc.dtypes import bool_, float32, float64, int8, int64
from graphc.errors import DTypeError, FeedError, GraphcError, ShapeError
from graphc.graph import Graph
from graphc.node import Node
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import sum_
from graphc.ops.shape import reshape
from graphc.runtime.sessions.feeds import Feeds
from graphc.runtime.sessions.session import Session
from graphc.storage import Array
from graphc.types import TensorType

N, M = Dim.named("N"), Dim.named("M")


@dataclass(frozen=True)
class FakeTensor:
    """What the frontend's tensors offer: a node, or values."""

    node: Node | None = None
    values: Array | None = None

    def numpy(self) -> Array:
        assert self.values is not None
        return self.values


def feeds(*shape: Any, dtype: Any = float32) -> tuple[Feeds, Node]:
    x = placeholder("x", TensorType(shape, dtype))
    return Feeds(Graph([x], {"x": x})), x


def test_keys_are_names_nodes_or_tensors() -> None:
    checked, x = feeds(2)
    value = np.ones(2, np.float32)
    for key in ("x", x, FakeTensor(node=x)):
        assert checked.arrays({key: value})["x"] is value


def test_values_may_be_tensors() -> None:
    checked, _ = feeds(2)
    value = np.ones(2, np.float32)
    assert checked.arrays({"x": FakeTensor(values=value)})["x"] is value


def test_unknown_names_get_a_suggestion() -> None:
    checked, _ = feeds(2)
    with pytest.raises(FeedError) as caught:
        checked.arrays({"xs": np.ones(2, np.float32)})
    assert str(caught.value).splitlines() == [
        "unknown input 'xs'", "  expected: 'x'", "  fix: did you mean 'x'?",
    ]  # fmt: skip


def test_missing_names_are_listed() -> None:
    x, y = (placeholder(name, TensorType((), float32)) for name in ("x", "y"))
    with pytest.raises(FeedError, match=r"(?s)missing input\n.*got: 'x'.*expected: 'y'"):
        Feeds(Graph([x, y], {})).arrays({"x": 1.0})
    with pytest.raises(FeedError, match="missing inputs"):
        Feeds(Graph([x, y], {})).arrays(None)


def test_one_input_twice_and_other_keys() -> None:
    checked, x = feeds(())
    with pytest.raises(FeedError, match="fed twice"):
        checked.arrays({"x": 1.0, x: 1.0})
    with pytest.raises(FeedError, match="neither a placeholder's name"):
        checked.arrays({3: 1.0})
    other = placeholder("other", TensorType((), float32))
    with pytest.raises(FeedError, match="neither a placeholder's name"):
        checked.arrays({FakeTensor(node=other): 1.0})


@pytest.mark.parametrize("feed", [[], [{"x": [1.0, 2.0]}], [1.0, 2.0], 5, "x"])
def test_what_is_no_mapping_is_refused(feed: Any) -> None:
    checked, _ = feeds(2)
    for check in (checked.arrays, checked.stacked):
        with pytest.raises(FeedError, match=rf"(?s)maps.*got: {type(feed).__name__}.*stacked"):
            check(feed)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.ones(2, np.float16), float32),
        (np.ones(2, bool), float32),
        (np.ones(2, np.int16), float32),
        (np.ones(2, np.int32), float64),
        (np.ones(2, np.int32), int64),
        ([1, 2], float32),
        ([0.1, float("inf")], float32),
        ([True, False], int64),
        ([1, -128], int8),
        ([True, False], bool_),
        ([[], []], int64),
        (np.float32(3), float32),
        (3, float32),
    ],
)
def test_values_that_lose_nothing_are_converted(value: Any, dtype: Any) -> None:
    checked, _ = feeds(*np.shape(value), dtype=dtype)
    array = checked.arrays({"x": value})["x"]
    assert array.dtype == dtype.numpy
    np.testing.assert_array_equal(array, np.asarray(value, dtype.numpy))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.ones(2), float32),
        (np.ones(2, np.int64), float32),
        (np.ones(2, np.float32), int64),
        ([1.0, 2.0], int64),
        ([1, 128], int8),
        ([0, 2], bool_),
        ([1, 2**60 + 1], float32),
        ([1e300], float32),
        ([1j], float32),
        ([2**70], int64),
    ],
)
def test_values_that_would_change_are_refused(value: Any, dtype: Any) -> None:
    checked, _ = feeds(*np.shape(value), dtype=dtype)
    with pytest.raises(DTypeError, match="do not fit") as caught:
        checked.arrays({"x": value})
    assert f".astype({dtype.name!r})" in str(caught.value)
    assert "test_feeds.py" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "NoneType"), ("abc", "str"), (b"abc", "bytes"), (["a", "b"], "list"),
        ([None, 1.0], "list"), ({"a": 1}, "dict"), (object(), "object"), ({1.0}, "set"),
        (np.array(["a"]), "an array of dtype <U1"), (np.array([None]), "an array of dtype object"),
        (np.array(["2020-01-01"], "M8[D]"), "an array of dtype datetime64[D]"),
    ],
)  # fmt: skip
def test_values_without_numbers_are_called_so(value: Any, got: str) -> None:
    checked, _ = feeds(2)
    with pytest.raises(FeedError, match="x: not an array of numbers") as caught:
        checked.arrays({"x": value})
    assert f"got: {got}\n" in str(caught.value)
    assert "astype" not in str(caught.value)
    assert "test_feeds.py" in str(caught.value)


def test_ragged_lists_are_no_arrays() -> None:
    checked, _ = feeds(2, 2)
    with pytest.raises(FeedError, match="x: not an array"):
        checked.arrays({"x": [[1.0], [1.0, 2.0]]})


@pytest.mark.parametrize("array", [
    np.arange(12, dtype=np.float32).reshape(4, 3).T,
    np.arange(12, dtype=np.float32).reshape(3, 4)[::-1, ::-1],
    np.arange(24, dtype=np.float32).reshape(3, 8)[:, ::2],
    np.broadcast_to(np.float32(7), (3, 4)),
    np.arange(12, dtype=">f4").reshape(3, 4),
])  # fmt: skip
def test_any_layout_is_fed_by_value(array: Array) -> None:
    checked, _ = feeds(3, 4)
    fed = checked.arrays({"x": array})["x"]
    np.testing.assert_array_equal(fed, array)
    assert fed.flags.c_contiguous
    assert fed.dtype == np.float32
    assert fed.dtype.isnative


@pytest.mark.parametrize("shape", [(3,), (2, 3, 1), (2, 4), ()])
def test_shapes_are_checked(shape: tuple[int, ...]) -> None:
    checked, _ = feeds(N, 3)
    with pytest.raises(ShapeError, match=r"(?s)x: wrong shape.*expected: \[N, 3\]"):
        checked.arrays({"x": np.zeros(shape, np.float32)})


def sizes(graph: Graph, **shapes: tuple[int, ...]) -> dict[str, int]:
    checked = Feeds(graph)
    return checked.sizes(checked.arrays({k: np.zeros(s, np.float32) for k, s in shapes.items()}))


def two(first: Any, second: Any) -> Graph:
    inputs = [placeholder(n, TensorType(s, float32)) for n, s in (("x", first), ("y", second))]
    return Graph(inputs, {n.attrs["name"]: n for n in inputs})


def test_unknown_sizes_are_bound() -> None:
    assert sizes(two((N, 2), (M,)), x=(4, 2), y=(0,)) == {"N": 4, "M": 0}
    assert sizes(two((2 * N + 1,), (N,)), x=(9,), y=(4,)) == {"N": 4}
    assert sizes(two((2 * N + 1,), ()), x=(9,), y=()) == {"N": 4}


def test_two_inputs_that_disagree_are_named() -> None:
    with pytest.raises(ShapeError, match="y: size of dim 'N' is 5 here but 4 in 'x'"):
        sizes(two((N,), (N,)), x=(4,), y=(5,))
    with pytest.raises(ShapeError, match=r"x: size of dim '2\*N\+1' is 8 here, not 9"):
        sizes(two((2 * N + 1,), (N,)), x=(8,), y=(4,))
    with pytest.raises(ShapeError, match="cannot be found from the feed"):
        sizes(two((N * M,), ()), x=(8,), y=())


def test_sizes_that_must_be_equal_are_checked_with_the_users_line() -> None:
    x, y = placeholder("x", TensorType((N,), float32)), placeholder("y", TensorType((M,), float32))
    graph = Graph([x, y], {"z": e.add(x, y)})
    assert sizes(graph, x=(4,), y=(4,)) == {"N": 4, "M": 4}
    with pytest.raises(ShapeError, match="add: sizes differ that must be equal") as caught:
        sizes(graph, x=(4,), y=(5,))
    assert "N = 4 (of 'x') and M = 5 (of 'y')" in str(caught.value)
    assert "test_feeds.py" in str(caught.value)


def test_a_reshape_that_does_not_fit_some_size_is_refused_at_that_size() -> None:
    x = placeholder("x", TensorType((N,), float32))
    graph = Graph([x], {"s": sum_(reshape(x, shape=(N // 2, 2)), dims=(1,))})
    session = Session(graph, backend="numpy")
    assert session.run({"x": np.ones(6, np.float32)})["s"].shape == (3, 1)
    with pytest.raises(GraphcError):
        session.run({"x": np.ones(5, np.float32)})
