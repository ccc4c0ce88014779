"""Reading by position against numpy and PyTorch, in both modes."""

from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import graphc as gc
from graphc.errors import DTypeError, IndexRangeError
from tests.both_modes import check_both, recorded
from tests.closeness import assert_same
from tests.torch_oracle import check


def counting(shape: tuple[int, ...]) -> Any:
    return np.arange(float(np.prod(shape))).reshape(shape)


@st.composite
def shapes_and_keys(draw: st.DrawFn, *, masks: bool) -> tuple[tuple[int, ...], Any]:
    """A shape and a valid numpy key for it."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=0, max_size=4)))
    lengths = st.integers(1, 3)
    length = draw(lengths)
    items: list[Any] = []
    axis = 0
    while axis < len(shape) and draw(st.integers(0, 5)) > 0:
        size = shape[axis]
        kinds = ["slice", "slice"] + (["int", "array", "list"] if size else [])
        kinds += ["mask"] if masks else []
        kind = draw(st.sampled_from(kinds))
        if kind == "slice":
            bound = st.none() | st.integers(-6, 6)
            step = draw(st.none() | st.sampled_from([-3, -2, -1, 1, 2, 3]))
            items.append(slice(draw(bound), draw(bound), step))
        elif kind == "int":
            items.append(draw(st.integers(-size, size - 1)))
        elif kind == "mask":
            items.append(
                np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
            )
        else:
            values = draw(st.lists(st.integers(-size, size - 1), min_size=length, max_size=length))
            items.append(np.array(values) if kind == "array" else values)
        axis += 1
        if draw(st.integers(0, 6)) == 0:
            items.append(None)
    if draw(st.booleans()) and not any(item is Ellipsis for item in items):
        items.insert(draw(st.integers(0, len(items))), Ellipsis)
    key: Any = tuple(items)
    return shape, key[0] if len(key) == 1 and draw(st.booleans()) else key


def as_numpy_key(key: Any) -> Any:
    """PyTorch and graphc index with a list as with an array; so does numpy inside a tuple."""
    return np.array(key) if isinstance(key, list) else key


def numpy_result(x: Any, key: Any) -> Any:
    """Numpy's answer, or None where the key does not fit."""
    try:
        return x[as_numpy_key(key)]
    except IndexError:
        return None


def torch_places(key: Any) -> bool:
    """False where numpy places the indexed dims otherwise than PyTorch.

    Numpy counts an int beside arrays as an array, and an ellipsis between arrays as a gap, though
    it may stand for no dims.
    """
    items = key if isinstance(key, tuple) else (key,)
    arrays = [isinstance(item, np.ndarray | list) for item in items]
    if any(arrays) and any(isinstance(item, int) for item in items):
        return False
    gap = next((i for i, item in enumerate(items) if item is Ellipsis), 0)
    return not (any(arrays[:gap]) and any(arrays[gap:]))


def has_empty_mask(key: Any) -> bool:
    """True if a bool array without elements is part of the key."""
    items = key if isinstance(key, tuple) else (key,)
    return any(
        isinstance(item, np.ndarray) and item.dtype == bool and item.size == 0 for item in items
    )


@hypothesis.given(shapes_and_keys(masks=False))
@hypothesis.settings(max_examples=400)
def test_any_key_without_masks(case: tuple[tuple[int, ...], Any]) -> None:
    shape, key = case
    x = counting(shape)
    wanted = numpy_result(x, key)
    hypothesis.assume(wanted is not None and torch_places(key))
    got = check_both(lambda t: t[key], x)
    assert_same(got.outputs[0], np.ascontiguousarray(wanted).reshape(wanted.shape), what=str(key))
    expected = np.zeros(shape)
    cotangent = np.random.default_rng(0).uniform(-1, 1, wanted.shape)
    np.add.at(expected, as_numpy_key(key), cotangent)
    if got.grads[0] is not None:
        np.testing.assert_allclose(got.grads[0], expected, atol=1e-14)


@hypothesis.given(shapes_and_keys(masks=True))
@hypothesis.settings(max_examples=200)
def test_any_key_with_masks(case: tuple[tuple[int, ...], Any]) -> None:
    shape, key = case
    x = counting(shape)
    wanted = numpy_result(x, key)
    hypothesis.assume(wanted is not None and torch_places(key))
    # numpy lets an empty mask stand for a dim of any size, PyTorch does not
    hypothesis.assume(not has_empty_mask(key) or set(shape) == {0})
    assert_same(
        np.array(gc.tensor(x)[key].numpy()), np.ascontiguousarray(wanted).reshape(wanted.shape)
    )


@pytest.mark.parity
@pytest.mark.parametrize(
    "key",
    [0, -1, (1, 2), (slice(None), [0, 2, 0]), ([0, 1], slice(None), [1, 1]), ([1], 0), (0, [1, 1]),
     (slice(None), 0, [1, 0]), ([0, 1], [[0], [1]]), (None, [1, 0]), (Ellipsis, [0, 3]), None],
    ids=str,
)  # fmt: skip
def test_mixed_keys_follow_torch(key: Any) -> None:
    check(lambda m, x: x[key], counting((2, 3, 4)))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_index_tensors_of_every_integer_type(dtype: str) -> None:
    if dtype in ("int32", "int64"):
        check(lambda m, x, i: x[i], counting((4, 2)), gc.tensor([0, 3, -1], dtype=dtype))
    assert gc.arange(5)[gc.tensor(2, dtype=dtype)].item() == 2


@pytest.mark.parity
def test_repeated_indices_add_up_in_gradients() -> None:
    check(lambda m, x: x[[0, 0, 1, 0]] * 2, counting((3,)))
    check(lambda m, x: x[:, [1, 1]][[0, 0, 1]], counting((3, 2)))


@pytest.mark.parity
def test_masks_in_dynamic_mode() -> None:
    x = counting((3, 4)) - 5
    check(lambda m, x: x[x > 0], x, record=False)
    check(lambda m, x: (x[:, x[0] < -3], x[(x > 0).any(1)]), x, record=False)
    check(lambda m, x: x[m.tensor([True, False, True])], x, record=False)


@pytest.mark.parametrize(
    "key", [3, -4, (0, 2), (0, 0, 0), [3], [0, -4], (slice(None), [2]), (Ellipsis, Ellipsis, 0)]
)
def test_out_of_range(key: Any) -> None:
    x = gc.ones(3, 2)
    with pytest.raises((IndexRangeError, gc.GraphcError)) as caught:
        x[key]
    assert "test_indexing.py" in str(caught.value)


@pytest.mark.parametrize("key", [1.5, "a", [0.5], gc.tensor([1.0]), np.True_])
def test_unsupported_keys(key: Any) -> None:
    with pytest.raises(gc.GraphcError, match="index") as caught:
        gc.ones(3)[key]
    assert "test_indexing.py" in str(caught.value)


def test_wrong_masks() -> None:
    with pytest.raises(gc.GraphcError, match="mask"):
        gc.ones(3)[gc.tensor([True, False])]
    with pytest.raises(gc.GraphcError, match="step"):
        gc.ones(3)[::0]


@pytest.mark.parity
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gather_and_scatter_add(dim: int) -> None:
    x, source = counting((3, 4)), counting((3, 4)) * 10
    index = np.array([[0, 1, 2, 0], [2, 2, 1, 1]])
    check(lambda m, x, i: m.gather(x, dim, i), x, index)
    check(lambda m, x, i, s: m.scatter_add(x, dim, i, s), x, index, source[:2])
    check(lambda m, x, i, s: x.scatter_add(dim, i, s), x, index, source, grads=False)
    check(lambda m, x, i: m.gather(x, dim, i), x, index[:, :0])


@pytest.mark.parity
def test_gather_of_zero_dims() -> None:
    check(lambda m, x, i: m.gather(x, 0, i), np.array(2.0), np.array(0))


@pytest.mark.parity
@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_index_select_and_select(dim: int) -> None:
    x = counting((2, 3, 4))
    check(lambda m, x, i: m.index_select(x, dim, i), x, np.array([1, 0, 1]))
    check(lambda m, x, i: x.index_select(dim, i), x, np.array(1))
    check(lambda m, x: x.select(dim, -1), x)


@pytest.mark.parity
def test_take_along_dim() -> None:
    x = counting((3, 4))
    check(lambda m, x, i: m.take_along_dim(x, i, 1), x, np.array([[1, 0], [3, 3], [2, 0]]))
    check(lambda m, x, i: m.take_along_dim(x, i, 0), x, np.array([[1, 0, 2, 2]]))
    check(lambda m, x, i: m.take_along_dim(x, i), x, np.array([5, 0, 11]))
    check(lambda m, x, i: m.take_along_dim(x, i, 1), x, np.array([[1, 0]]))


@pytest.mark.parity
def test_nonzero() -> None:
    for x in (counting((2, 3)) % 2, np.array(3.0), np.array(0.0), np.zeros((0, 2))):
        check(lambda m, x: m.nonzero(x), x, record=False)


def test_index_errors_name_the_line() -> None:
    x = gc.ones(3, 2)
    for bad in (
        lambda: gc.gather(x, 0, gc.tensor([[5, 0]])),
        lambda: gc.index_select(x, 0, gc.tensor([3])),
        lambda: gc.gather(x, 2, gc.tensor([[0]])),
        lambda: gc.gather(x, 0, gc.tensor([0])),
        lambda: gc.scatter_add(x, 0, gc.tensor([[3, 0]]), gc.ones(1, 2)),
        lambda: gc.scatter_add(x, 0, gc.tensor([[0, 0]]), gc.ones(1, 2, dtype=gc.float64)),
    ):
        with pytest.raises(gc.GraphcError) as caught:
            bad()
        assert "test_indexing.py" in str(caught.value)
    with pytest.raises(DTypeError):
        gc.gather(x, 0, gc.tensor([[0.0]]))


def test_recorded_index_tensors_may_be_inputs() -> None:
    x, index = counting((4, 3)), np.array([-1, 0, -4])
    assert_same(recorded(lambda x, i: x[i], x, index).outputs[0], x[index])


@pytest.mark.parity
def test_ranges_are_positions() -> None:
    x = np.arange(6.0).reshape(2, 3)
    check(lambda m, x: (x[range(2)], x[:, range(2, -1, -2)], x[0, range(0)]), x)
