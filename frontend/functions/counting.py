"""New tensors that count: evenly spaced numbers, identity matrices, positions in triangles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import DType, DTypeLike, as_dtype, int64
from graphc.errors import ArgumentError
from graphc.frontend.base import concrete, is_tensor
from graphc.frontend.functions.creation import require_known, tracked
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
    """``steps`` values from start to end, both included (``torch.linspace``)."""
    require_cpu(device)
    values = _evenly("linspace", start, end, steps)
    of = _kind_of(values) if dtype is None else as_dtype(dtype)
    return tracked(concrete(values.astype(of.numpy)), requires_grad)


def _evenly(function: str, start: Any, end: Any, steps: int) -> Array:
    if steps < 0:
        raise ArgumentError(
            f"{function}: steps must not be negative", got=str(steps), where=user_location_text()
        )
    bounds = [each.item() if is_tensor(each) else each for each in (start, end)]
    return np.asarray(np.linspace(bounds[0], bounds[1], steps))


def _kind_of(values: Array) -> DType:
    return dtype_of_number(complex if values.dtype.kind == "c" else float)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Powers of the base with ``steps`` exponents from start to end (``torch.logspace``).

    Example:
        >>> import graphc as gc
        >>> gc.logspace(0, 3, 4, base=2)
        tensor([1., 2., 4., 8.])
    """
    require_cpu(device)
    exponents = _evenly("logspace", start, end, steps)
    of = _kind_of(exponents) if dtype is None else as_dtype(dtype)
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
