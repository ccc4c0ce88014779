"""Operations run without numpy's warnings: an overflow or a NaN is a value, as in PyTorch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context
from typing import Any

import numpy as np

from graphc.storage import Array


class _Own:
    """What a thread has of its own.

    Args:
        is_on: True while numpy is quiet.
        run: calls a function in a context in which it is, which is less to do than to switch.
    """

    __slots__ = ("is_on", "run")

    def __init__(self) -> None:
        self.is_on = False
        context = Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


class _Quiet(threading.local):
    def __init__(self) -> None:
        self.own = _Own()


_quiet = _Quiet()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep numpy quiet for all operations of a block, since to switch it for each takes time."""
    own = _quiet.own
    before, own.is_on = own.is_on, True
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        own.is_on = before


def evaluate(
    function: Callable[..., Array], arrays: Sequence[Array], attrs: Mapping[str, Any]
) -> Array:
    """``function(*arrays, **attrs)`` without warnings."""
    own = _quiet.own
    if own.is_on:
        return function(*arrays, **attrs)
    own.is_on = True  # a context is entered once; what is evaluated inside is quiet already
    try:
        return own.run(function, *arrays, **attrs)
    finally:
        own.is_on = False
