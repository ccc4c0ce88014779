"""How far numeric types reach: ``finfo`` and ``iinfo``."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from graphc.dtypes import INTEGER, DTypeLike, as_dtype
from graphc.errors import DTypeError
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.provenance import user_location_text

_finfo: Any = ml_dtypes.finfo

__all__ = ["finfo", "iinfo"]


class finfo:  # noqa: N801 - PyTorch's name
    """The range and the precision of a floating point dtype (``torch.finfo``).

    Args:
        type: a floating point or complex dtype; default: the default dtype.

    Raises:
        DTypeError: for another dtype.

    Example:
        >>> import graphc as gc
        >>> gc.finfo(gc.float16).max
        65504.0
    """

    def __init__(self, type: DTypeLike | None = None) -> None:
        dtype = default_dtype() if type is None else as_dtype(type)
        if not dtype.is_differentiable:
            raise DTypeError(
                "finfo: expected a floating point dtype", got=dtype.name, fix="use gc.iinfo",
                where=user_location_text(),
            )  # fmt: skip
        part = np.empty(0, dtype.numpy).real.dtype
        known = _finfo(part)
        self.dtype = as_dtype(part).name
        self.bits = int(known.bits)
        self.eps = float(known.eps)
        self.max = float(known.max)
        self.min = float(known.min)
        self.tiny = self.smallest_normal = float(known.smallest_normal)
        self.resolution = float(f"1e-{known.precision}")

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:  # noqa: N801 - PyTorch's name
    """The range of an integer dtype (``torch.iinfo``).

    Args:
        type: an integer dtype.

    Raises:
        DTypeError: for another dtype.

    Example:
        >>> import graphc as gc
        >>> gc.iinfo(gc.int8)
        iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: DTypeLike) -> None:
        dtype = as_dtype(type)
        if dtype.category != INTEGER:
            raise DTypeError(
                "iinfo: expected an integer dtype", got=dtype.name, fix="use gc.finfo",
                where=user_location_text(),
            )  # fmt: skip
        known = np.iinfo(dtype.numpy)
        self.dtype = dtype.name
        self.bits = int(known.bits)
        self.min, self.max = int(known.min), int(known.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
