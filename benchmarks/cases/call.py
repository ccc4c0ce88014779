"""What one call costs when there is nothing to compute."""

from typing import Any

import numpy as np

from benchmarks.case import Case, Job
from benchmarks.cases.stateless import all_peers


def _function(a: Any, b: Any) -> Any:
    return a * b + a + b


def _make(quick: bool) -> Job:
    return all_peers(
        {"a": np.array(2, np.float32), "b": np.array(3, np.float32)},
        by_numpy=_function, by_graphc=_function, by_torch=_function, by_jax=_function,
        quick=quick, tolerance=1e-6,
    )  # fmt: skip


CALL = Case("call of a scalar graph, a * b + a + b", _make)
