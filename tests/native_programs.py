"""Small programs for tests of native calls, and how to see that calls are native."""

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.dtypes import float32, float64
from graphc.graph import Graph
from graphc.ops import elementwise as e
from graphc.ops.leaf import placeholder, variable
from graphc.ops.select import cast
from graphc.runtime.sessions.session import Session
from graphc.storage import Array, Storage
from graphc.types import TensorType


def doubled(type_: TensorType | None = None, **options: Any) -> Session:
    x = placeholder("x", type_ or TensorType((2, 3), float32))
    return Session(Graph([x], {"y": e.add(x, x)}), **options)


def counter(size: int = 4) -> tuple[Session, Storage]:
    """Adds x to a variable; returns the value from before."""
    storage = Storage(np.zeros(size))
    n = variable("n", TensorType((size,), float64), storage)
    x = placeholder("x", TensorType((size,), float64))
    return Session(Graph([x], {"old": n}, {n: e.add(n, x)})), storage


def warm(session: Session, feed: dict[str, Any] | None = None) -> Callable[[], int]:
    """Run until native calls exist; what it returns counts how many runs were such."""
    for _ in range(2):
        session.run(feed)
    (chosen,) = session._forms._forms.values()
    assert chosen.native is not None
    return lambda: chosen.native_runs


def ones() -> Array:
    return np.ones((2, 3), np.float32)


def long_program() -> tuple[Session, Storage]:
    """A variable that each run increments; long enough that other threads go on meanwhile."""
    storage = Storage(np.zeros(40_000))
    n = variable("n", TensorType((40_000,), float64), storage)
    wave = e.sin(e.exp(e.sin(n)))
    one = e.add(e.mul(wave, e.sub(n, n)), cast(e.eq(n, n), dtype=float64))
    return Session(Graph([], {"old": n}, {n: e.add(n, one)})), storage


def is_detached(session: Session) -> bool:
    (chosen,) = session._forms._forms.values()
    return bool(chosen.native._entry._record.words[3])
