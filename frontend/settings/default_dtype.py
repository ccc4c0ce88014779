"""The dtype of floats that nobody gave a dtype: float32, unless it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np

from graphc.dtypes import (
    DType,
    DTypeLike,
    as_dtype,
    bool_,
    complex64,
    complex128,
    float32,
    float64,
    int64,
)  # fmt: skip
from graphc.errors import DTypeError
from graphc.frontend.guards.changes import announced_changes
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder

_chosen = [float32]
_told: WeakSet[Recorder] = WeakSet()
"""Recordings that are made again if the default changes."""


def default_dtype() -> DType:
    """The dtype of floats that nobody gave one; a program that asks is traced again on change."""
    recorder = modes.recorder
    if recorder is not None and recorder not in _told:
        _told.add(recorder)
        recorder.guard(get_default_dtype, "the default dtype", is_announced=lambda: True)
    return _chosen[0]


def get_default_dtype() -> DType:
    """The dtype of floats that nobody gave one (``torch.get_default_dtype``)."""
    return _chosen[0]


def set_default_dtype(d: DTypeLike) -> None:
    """Let new tensors of floats have this dtype (``torch.set_default_dtype``).

    It is the dtype of ``gc.tensor(1.0)``, of ``gc.zeros`` and the like, and of integers in
    functions of floats. Complex numbers take the dtype of such parts.

    Args:
        d: a floating point dtype.

    Raises:
        DTypeError: for another one.

    Example:
        >>> import graphc as gc
        >>> gc.set_default_dtype(gc.float64)
        >>> gc.tensor(1.0).dtype
        graphc.float64
        >>> gc.set_default_dtype(gc.float32)
    """
    dtype = as_dtype(d)
    if not dtype.is_floating_point:
        raise DTypeError(
            "the default dtype must be a floating point one", got=dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    _chosen[0] = dtype
    announced_changes.mark()


def dtype_of_number(kind: type) -> DType:
    """The dtype of a number of this class where no tensor has a say.

    Args:
        kind: bool, int, float, complex, or a class of numpy's numbers, which count as Python's.
    """
    if issubclass(kind, bool | np.bool_):
        return bool_
    if issubclass(kind, int | np.integer):
        return int64
    if issubclass(kind, float | np.floating):
        return default_dtype()
    if issubclass(kind, complex | np.complexfloating):
        return complex128 if default_dtype() is float64 else complex64
    return as_dtype(kind)
