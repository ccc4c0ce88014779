"""Operations run without numpy's warnings: an overflow or a NaN is a value, as in PyTorch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from graphc.storage import Array


class _Quiet(threading.local):
    def __init__(self) -> None:
        self.is_on = False


_quiet = _Quiet()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep numpy quiet for all operations of a block, since to switch it for each takes time."""
    before, _quiet.is_on = _quiet.is_on, True
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _quiet.is_on = before


def evaluate(
    function: Callable[..., Array], arrays: Sequence[Array], attrs: Mapping[str, Any]
) -> Array:
    """``function(*arrays, **attrs)`` without warnings."""
    if _quiet.is_on:
        return function(*arrays, **attrs)
    return _evaluate_quietly(function, arrays, attrs)


@np.errstate(all="ignore")
def _evaluate_quietly(
    function: Callable[..., Array], arrays: Sequence[Array], attrs: Mapping[str, Any]
) -> Array:
    return function(*arrays, **attrs)
