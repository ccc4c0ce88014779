"""New tensors that count: evenly spaced numbers, identity matrices, positions in triangles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import BOOLEAN, DType, DTypeLike, as_dtype, int64
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.creation import require_known, tracked
from graphc.frontend.making import concrete
from graphc.frontend.settings.default_dtype import default_dtype, dtype_of_number
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["eye", "linspace", "logspace", "range", "tril_indices", "triu_indices"]


def range(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``start, start + step, ...`` up to ``end``, which may be reached (``torch.range``).

    Args:
        start: first value.
        end: bound.
        step: distance.
        dtype: element type; default float32, also for whole numbers.
        requires_grad: track gradients.
        device: the CPU.

    Raises:
        ArgumentError: if the step does not lead from start to end.

    Example:
        >>> import graphc as gc
        >>> gc.range(1, 2, 0.5)
        tensor([1.0000, 1.5000, 2.0000])
    """
    require_cpu(device)
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) * step < 0:
        raise ArgumentError(
            "range: the step does not lead from start to end", got=f"{start}, {end}, {step}",
            where=user_location_text(),
        )  # fmt: skip
    count = math.floor((end - start) / step) + 1
    of = default_dtype() if dtype is None else as_dtype(dtype)
    values = start + np.arange(count, dtype=np.float64) * step
    return tracked(concrete(values.astype(of.numpy)), requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``steps`` values from start to end, both included (``torch.linspace``).

    Raises:
        ArgumentError: for negative ``steps``.
        DTypeError: for bools.
    """
    require_cpu(device)
    first, last = _bounds("linspace", start, end, steps)
    kind = complex if isinstance(first, complex) or isinstance(last, complex) else float
    of = dtype_of_number(kind) if dtype is None else as_dtype(dtype)
    if of.category == BOOLEAN:
        raise DTypeError(
            "linspace: unsupported dtype", got=of.name, expected="numbers",
            where=user_location_text(),
        )  # fmt: skip
    if of.is_complex or (of.is_floating_point and of.itemsize == 2):
        values = np.linspace(first, last, steps).astype(of.numpy)
    else:
        values = _from_both_ends(first, last, steps, of)
    return tracked(concrete(values), requires_grad)


def _from_both_ends(first: Any, last: Any, steps: int, of: DType) -> Array:
    """Half of the values from the start, half from the end, each rounded once, as in PyTorch."""
    start, stop = np.asarray([first, last]).astype(of.numpy)
    wide = of.numpy.type if of.is_floating_point else np.float64
    with np.errstate(all="ignore"):
        step = (wide(stop) - wide(start)) / wide(max(steps - 1, 1))
        count = np.arange(steps)
        left = count < steps // 2
        places = np.where(left, count, count - (steps - 1)).astype(wide)
        values = _fused(
            np.full(steps, step, wide), places, np.where(left, start, stop).astype(wide)
        )
    return np.asarray(values if steps != 1 else [start]).astype(of.numpy)


def _fused(a: Array, b: Array, c: Array) -> Array:
    """``a * b + c`` with one rounding."""
    if a.dtype == np.float32:
        return np.asarray(a.astype(np.float64) * b + c, np.float32)
    product = a * b
    lost = _lost(a, b, product)
    total = product + c
    virtual = total - product
    dropped = (product - (total - virtual)) + (c - virtual)
    refined = total + (dropped + lost)
    return np.where(np.isfinite(refined), refined, total)


def _lost(a: Array, b: Array, product: Array) -> Array:
    """What rounding took from a product of float64 (Dekker's)."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return np.asarray(
        ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    )


_SPLITTER = 2.0**27 + 1
"""Times it, the upper half of the 53 bits of a float64 stands apart from the lower one."""


def _halves(x: Array) -> tuple[Array, Array]:
    """Two numbers that add up to each float64, with so few bits that products are exact."""
    scaled = x * _SPLITTER
    high = scaled - (scaled - x)
    return high, x - high


def _bounds(function: str, start: Any, end: Any, steps: int) -> tuple[Any, Any]:
    if steps < 0:
        raise ArgumentError(
            f"{function}: steps must not be negative", got=str(steps), where=user_location_text()
        )
    first, last = (each.item() if is_tensor(each) else each - 0 for each in (start, end))
    return first, last


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Powers of the base with ``steps`` exponents from start to end (``torch.logspace``).

    Raises:
        ArgumentError: for negative ``steps``.

    Example:
        >>> import graphc as gc
        >>> gc.logspace(0, 3, 4, base=2)
        tensor([1., 2., 4., 8.])
    """
    require_cpu(device)
    exponents = np.linspace(*_bounds("logspace", start, end, steps), steps)
    kind = complex if exponents.dtype.kind == "c" else float
    of = dtype_of_number(kind) if dtype is None else as_dtype(dtype)
    with np.errstate(all="ignore"):
        values = np.power(float(base), exponents).astype(of.numpy)
    return tracked(concrete(values), requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Ones on the diagonal, zeros elsewhere (``torch.eye``)."""
    require_cpu(device)
    require_known("eye", (n,) if m is None else (n, m))
    of = default_dtype() if dtype is None else as_dtype(dtype)
    return tracked(concrete(np.eye(n, m, dtype=of.numpy)), requires_grad)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: DTypeLike = int64, device: DeviceLike = None
) -> Tensor:
    """Rows and columns of the elements of a lower triangle (``torch.tril_indices``).

    Args:
        row: rows of the matrix.
        col: columns of the matrix.
        offset: the last diagonal that belongs to it.
        dtype: int32 or int64.
        device: the CPU.
    """
    require_cpu(device)
    require_known("tril_indices", (row, col))
    return _places(np.tri(row, col, offset, dtype=np.bool_), dtype)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: DTypeLike = int64, device: DeviceLike = None
) -> Tensor:
    """Rows and columns of the elements of an upper triangle (``torch.triu_indices``).

    Args:
        row: rows of the matrix.
        col: columns of the matrix.
        offset: the first diagonal that belongs to it.
        dtype: int32 or int64.
        device: the CPU.
    """
    require_cpu(device)
    require_known("triu_indices", (row, col))
    return _places(~np.tri(row, col, offset - 1, dtype=np.bool_), dtype)


def _places(mask: Array, dtype: DTypeLike) -> Tensor:
    return concrete(np.stack(np.nonzero(mask)).astype(as_dtype(dtype).numpy))
