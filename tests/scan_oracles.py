"""What scans and sorting should give, one lane of Python numbers at a time."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Lane = Callable[..., list[Any]]


def _python(values: Array) -> list[Any]:
    return [float(v) if values.dtype.kind not in "biuc" else v.item() for v in values]


def _wrapped(values: list[Any], dtype: np.dtype[Any]) -> list[Any]:
    if dtype.kind not in "iu":
        return values
    count = 1 << (8 * dtype.itemsize)
    low = -(count // 2) if dtype.kind == "i" else 0
    return [(value - low) % count + low for value in values]


def along(lane: Lane, result: Any = None) -> Callable[..., Array]:
    """Apply a function of lists to every lane along ``dim``."""

    def oracle(*arrays: Array, dim: int, **attrs: Any) -> Array:
        dtype = np.dtype(result) if result is not None else arrays[0].dtype
        moved = [np.moveaxis(x, dim, -1) for x in arrays]
        made = np.empty(moved[0].shape, dtype)
        for place in np.ndindex(made.shape[:-1]):
            values = lane(*(_python(x[place]) for x in moved), **attrs)
            made[place] = np.array(_wrapped(values, dtype)).astype(dtype)
        return np.moveaxis(made, -1, dim)

    return oracle


def running(step: Callable[[Any, Any], Any]) -> Lane:
    """The first value, then ``step`` of the last result and the next value."""

    def lane(values: list[Any]) -> list[Any]:
        results: list[Any] = []
        for value in values:
            results.append(step(results[-1], value) if results else value)
        return results

    return lane


def _add(a: Any, b: Any) -> Any:
    return a or b if isinstance(a, bool) else a + b


def _log_add(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return math.nan
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf or high == math.inf else high + math.log1p(math.exp(low - high))


def recurrence(factors: list[Any], terms: list[Any]) -> list[Any]:
    """h[i] = a[i] h[i - 1] + b[i]."""
    results: list[Any] = []
    for factor, term in zip(factors, terms, strict=True):
        results.append(factor * results[-1] + term if results else term)
    return results


def last_extremum(wins: Callable[[Any, Any], bool]) -> Lane:
    """The place of the last of the best so far; NaN is best."""

    def lane(values: list[Any]) -> list[int]:
        results: list[int] = []
        best = 0
        for place, value in enumerate(values):
            known = values[best]
            if value != value or (known == known and wins(value, known)):
                best = place
            results.append(best)
        return results

    return lane


def argsort(values: list[Any], *, descending: bool) -> list[int]:
    """Insertion by comparison; NaN is larger than all."""

    def before(a: Any, b: Any) -> bool:
        if a != a or b != b:
            return bool((a != a) > (b != b) if descending else (b != b) > (a != a))
        return bool(a > b if descending else a < b)

    order: list[int] = []
    for place, value in enumerate(values):
        at = len(order)
        while at and before(value, values[order[at - 1]]):
            at -= 1
        order.insert(at, place)
    return order


def argsort_part(x: Array, *, start: int, stop: int, **attrs: Any) -> Array:
    """Some of the positions that sort."""
    return np.take(along(argsort, np.int64)(x, **attrs), range(start, stop), attrs["dim"])


def median(x: Array, *, skip_nan: bool) -> Array:
    """The lower middle of the sorted list; NaN wins, unless it is skipped."""
    values = _python(x)
    present = sorted(value for value in values if value == value)
    if not present or (len(present) < len(values) and not skip_nan):
        return np.array(np.nan, x.dtype)
    return np.array(present[(len(present) - 1) // 2]).astype(x.dtype)


SCAN_ORACLES: dict[str, Callable[..., Array]] = {
    "cumsum": along(running(_add)),
    "cumprod": along(running(lambda a, b: a * b)),
    "logcumsumexp": along(running(_log_add)),
    "recurrence": along(recurrence),
    "cumargmax": along(last_extremum(lambda a, b: a >= b), np.int64),
    "cumargmin": along(last_extremum(lambda a, b: a <= b), np.int64),
    "argsort": along(argsort, np.int64),
    "argsort_part": argsort_part,
    "sort": lambda x, **attrs: np.take_along_axis(
        x, along(argsort, np.int64)(x, **attrs), attrs["dim"]
    ),
    "median": median,
}

SCAN_ULPS = {"cumsum": 1, "cumprod": 2, "logcumsumexp": 4, "recurrence": 2}
