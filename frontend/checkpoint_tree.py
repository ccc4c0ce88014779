"""Nested dicts, lists and values as JSON, with tensors taken out by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.dtypes import as_dtype, bfloat16, complex64, complex128
from graphc.errors import ArgumentError
from graphc.frontend.base import TensorBase, concrete
from graphc.provenance import user_location_text
from graphc.storage import Array

_STORED_AS = {bfloat16: np.uint16, complex64: np.float32, complex128: np.float64}
"""Types that safetensors files do not hold everywhere, and what their memory is read as."""


def encode(
    value: Any, tensors: dict[str, Array], path: str = "", above: frozenset[int] = frozenset()
) -> Any:
    """A value as JSON.

    Args:
        value: None, bool, int, float, str, tensors, and lists, tuples and dicts of these.
        tensors: gets the tensors' arrays, by the path to each.
        path: the path to this value.
        above: the ids of the containers that this value is in.

    Raises:
        ArgumentError: for a value of another type, or one that contains itself; the message has
            its path.
    """
    if id(value) in above:
        raise ArgumentError(
            f"save: cannot store {path}: it contains itself", got=type(value).__name__,
            where=user_location_text(),
        )  # fmt: skip
    inside = above | {id(value)} if isinstance(value, list | tuple | Mapping) else above
    if isinstance(value, TensorBase):
        return _encode_tensor(value, tensors, path or "tensor")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        parts = [encode(part, tensors, _join(path, at), inside) for at, part in enumerate(value)]
        return parts if isinstance(value, list) else {"tuple": parts}
    if isinstance(value, Mapping):
        return {
            "dict": [
                [_encode_key(key, path), encode(part, tensors, _join(path, key), inside)]
                for key, part in value.items()
            ]
        }
    raise ArgumentError(
        f"save: cannot store {path or 'the value'}", got=type(value).__name__,
        expected="None, bool, int, float, str, tensors, and lists, tuples and dicts of these",
        fix="save model.state_dict(), not the model", where=user_location_text(),
    )  # fmt: skip


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _encode_key(key: Any, path: str) -> Any:
    if key is None or isinstance(key, bool | int | str):
        return key
    raise ArgumentError(
        f"save: cannot store a key of {path or 'the dict'}", got=repr(key), expected="str or int",
        where=user_location_text(),
    )  # fmt: skip


def _encode_tensor(tensor: TensorBase, tensors: dict[str, Array], path: str) -> Any:
    array = tensor.array("a value to save")
    name, number = path, 1
    while name in tensors or name == "__metadata__":
        name, number = f"{path}~{number}", number + 1
    stored = np.array(array, order="C")
    if tensor.dtype in _STORED_AS:
        stored = stored.reshape(-1).view(_STORED_AS[tensor.dtype])
    tensors[name] = stored
    return {"tensor": name, "dtype": tensor.dtype.name, "shape": list(array.shape)}


def decode(encoded: Any, tensors: Mapping[str, Array]) -> Any:
    """The value that ``encode`` made this JSON from.

    Raises:
        KeyError, TypeError or ValueError: if it is no such JSON.
    """
    if isinstance(encoded, list):
        return [decode(part, tensors) for part in encoded]
    if not isinstance(encoded, dict):
        return encoded
    if "tensor" in encoded:
        flat = np.array(tensors[encoded["tensor"]]).reshape(-1)
        dtype = as_dtype(encoded["dtype"])
        return concrete(flat.view(dtype.numpy).reshape(encoded["shape"]))
    ((kind, parts),) = encoded.items()
    if kind == "float":
        return float(parts)
    if kind == "tuple":
        return tuple(decode(part, tensors) for part in parts)
    if kind == "dict":
        return {key: decode(part, tensors) for key, part in parts}
    raise ValueError(f"unknown kind {kind!r}")
