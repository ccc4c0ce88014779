"""Operations keep numpy quiet, whatever else is going on in the thread."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest

import graphc as gc
from graphc.frontend.numpy_warnings import evaluate, quiet


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a / b)


ARRAYS = [np.ones(2), np.zeros(2)]


def test_operations_are_quiet_and_the_users_numpy_is_not() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (gc.ones(2) / 0).tolist() == [np.inf, np.inf]
        with pytest.raises(RuntimeWarning):
            _divided(*ARRAYS)
        with np.errstate(all="raise"):
            assert (gc.ones(2) / 0).tolist() == [np.inf, np.inf]
            with pytest.raises(FloatingPointError):
                _divided(*ARRAYS)


def test_evaluations_inside_evaluations_and_blocks_are_quiet() -> None:
    def outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return evaluate(_divided, [a, b], {}) + evaluate(_divided, [a, b], {})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate(outer, ARRAYS, {}).tolist() == [np.inf, np.inf]
        with quiet(), quiet():
            assert evaluate(outer, ARRAYS, {}).tolist() == [np.inf, np.inf]
        assert evaluate(outer, ARRAYS, {}).tolist() == [np.inf, np.inf]


def test_an_error_leaves_everything_as_it_was() -> None:
    def broken(a: np.ndarray) -> np.ndarray:
        raise KeyError("mine")

    for _ in range(2):
        with pytest.raises(KeyError):
            evaluate(broken, ARRAYS[:1], {})
    with pytest.warns(RuntimeWarning):
        _divided(*ARRAYS)


def test_threads_do_not_share_it() -> None:
    found: list[float] = []

    def work() -> None:
        found.extend(evaluate(_divided, ARRAYS, {})[0] for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [np.inf] * 800
