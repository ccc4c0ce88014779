"""Storages: writing in place, versions, host values."""

import numpy as np
import pytest

from graphc.dtypes import float32, int64
from graphc.evaluate import evaluate_nodes
from graphc.ops.leaf import variable
from graphc.storage import HostValue, Storage
from graphc.types import TensorType


def test_writing_is_in_place_and_counted() -> None:
    array = np.zeros(3, np.float32)
    storage = Storage(array)
    storage.write(np.float32([1, 2, 3]))
    np.testing.assert_array_equal(array, [1, 2, 3])
    assert storage.read() is array
    assert storage.version.count == 1


def test_views_share_the_version() -> None:
    storage = Storage(np.zeros((2, 2)))
    view = Storage(storage.array[0], storage.version)
    view.write(np.ones(2))
    assert storage.version.count == 1
    np.testing.assert_array_equal(storage.read(), [[1, 1], [0, 0]])


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros(3, np.complex128)])
def test_values_that_do_not_fit_are_refused(values: np.ndarray) -> None:
    storage = Storage(np.zeros(3, np.float32))
    with pytest.raises((ValueError, TypeError)):
        storage.write(values)
    assert storage.version.count == 0


def test_a_host_value_is_read_anew_each_time() -> None:
    settings = {"lr": 0.5}
    rate = variable("lr", TensorType((), float32), HostValue(lambda: settings["lr"]))
    assert evaluate_nodes([rate], {})[rate] == 0.5
    settings["lr"] = 0.25
    value = evaluate_nodes([rate], {})[rate]
    assert value == 0.25
    assert value.dtype == np.float32


def test_a_host_value_may_be_an_int() -> None:
    step = variable("step", TensorType((), int64), HostValue(lambda: 2**40))
    assert evaluate_nodes([step], {})[step] == 2**40
