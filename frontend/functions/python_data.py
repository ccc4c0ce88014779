"""Nested sequences of numbers as arrays, with the dtype that PyTorch gives them."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from graphc.dtypes import DType, int64, of_array, promote_types
from graphc.errors import DTypeError, ShapeError
from graphc.frontend.base import TensorBase, is_tensor
from graphc.frontend.functions.fitting import require_fits
from graphc.frontend.settings.default_dtype import default_dtype, dtype_of_number
from graphc.provenance import user_location_text
from graphc.storage import Array

_PYTHON_NUMBERS = frozenset({bool, int, float, complex})
_OF_KIND: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


def array_of_python(data: Any) -> tuple[Array, DType]:
    """Numbers with all their digits, and the dtype that they have by default.

    Args:
        data: number or nested sequence; numpy's numbers, arrays and tensors among the elements
            bring their own dtypes, and all are promoted.

    Raises:
        ArgumentError: for an int that int64 cannot hold.
        DTypeError: unless the data are numbers.
        ShapeError: for sequences of different lengths.
    """
    try:
        array = np.asarray(_without_tensors(data))
    except ValueError as error:
        if "inhomogeneous" in str(error) and not _is_mixed(data):
            raise ShapeError(
                "tensor: the sequences have different lengths", got=type(data).__name__,
                expected="as many elements in each", where=user_location_text(),
            ) from None  # fmt: skip
        array = np.asarray(None)
    if array.dtype.kind == "O" and isinstance(data, int):
        require_fits("tensor", data, int64)
    if array.dtype.kind not in _OF_KIND:
        raise DTypeError(
            "tensor: the data are no array of numbers",
            got=type(data).__name__,
            where=user_location_text(),
        )
    dtypes = _dtypes(data)
    return array, reduce(promote_types, dtypes) if dtypes else default_dtype()


def _is_mixed(data: Any) -> bool:
    """Whether numbers stand beside sequences."""
    if not isinstance(data, list | tuple):
        return False
    inner = [item for item in data if isinstance(item, list | tuple)]
    return 0 < len(inner) < len(data) or any(map(_is_mixed, inner))


def _without_tensors(data: Any) -> Any:
    if is_tensor(data):
        return data.item() if data.type.numel == 1 else data.array("a copy of the values")
    if isinstance(data, list | tuple) and not set(map(type, data)) <= _PYTHON_NUMBERS:
        return [_without_tensors(item) for item in data]
    return data


def _dtypes(data: Any) -> set[DType]:
    """The dtypes of all elements, where no number stands for another."""
    if isinstance(data, list | tuple):
        kinds = set(map(type, data))
        found = {dtype_of_number(kind) for kind in kinds & _PYTHON_NUMBERS}
        if not kinds <= _PYTHON_NUMBERS:
            found.update(*(_dtypes(item) for item in data if type(item) not in _PYTHON_NUMBERS))
        return found
    if isinstance(data, TensorBase):
        return {data.dtype}
    if isinstance(data, np.ndarray | np.generic):
        return {of_array(np.asarray(data))}
    kind = _OF_KIND.get(np.asarray(data).dtype.kind)
    return set() if kind is None else {dtype_of_number(kind)}
