"""Arrays as attributes: equality by content for small ones, by identity for large ones."""

import pickle

import numpy as np
import pytest

from graphc.literal import INTERN_LIMIT, Literal


def test_small_literals_compare_by_content() -> None:
    assert Literal(np.float32([1, 2])) == Literal(np.float32([1, 2]))
    assert hash(Literal(np.float32([1, 2]))) == hash(Literal(np.float32([1, 2])))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.float32([0.0]), np.float32([-0.0])),
        (np.int64([1]), np.float64([1])),
        (np.int64([1]), np.int64([[1]])),
        (np.array([True]), np.int8([1])),
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (np.int64([0]), np.float64([0])),
    ],
)
def test_what_differs_in_bits_type_or_layout_differs(one: np.ndarray, other: np.ndarray) -> None:
    assert Literal(one) != Literal(other)


def test_equal_nans_are_equal_literals() -> None:
    assert Literal(np.float32([np.nan])) == Literal(np.float32([np.nan]))


def test_strides_of_contiguous_arrays_mean_nothing() -> None:
    assert Literal(np.zeros((3, 1))[:, ::-1]) == Literal(np.zeros((3, 1)))
    assert Literal(np.zeros((0, 5))[:, ::2]) == Literal(np.zeros((0, 3)))


def test_large_literals_compare_by_identity() -> None:
    large = np.zeros(INTERN_LIMIT + 1, np.uint8)
    literal = Literal(large)
    assert literal == literal
    assert literal != Literal(large)
    assert literal.digest() == Literal(large.copy()).digest()
    assert literal.digest() != Literal(np.ones(INTERN_LIMIT + 1, np.uint8)).digest()


def test_the_array_is_read_only_and_keeps_its_strides() -> None:
    array = np.arange(6.0).reshape(2, 3).T
    literal = Literal(array)
    assert literal.array.strides == array.strides
    with pytest.raises(ValueError, match="read-only"):
        literal.array[0, 0] = 1
    array[0, 0] = 5  # the caller's own view stays writable


@pytest.mark.parametrize("size", [3, INTERN_LIMIT])
def test_pickling(size: int) -> None:
    literal = Literal(np.arange(float(size)))
    again = pickle.loads(pickle.dumps(literal))
    assert again.type == literal.type
    np.testing.assert_array_equal(again.array, literal.array)
    assert (again == literal) is (size == 3)
