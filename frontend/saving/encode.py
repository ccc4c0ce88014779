"""Nested values as JSON, with the tensors taken out by name.

Lists, texts, booleans, whole numbers and None are themselves; all else is an object with one kind
as its key: ``{"tuple": [...]}``, ``{"tensor": {"name": ...}}``. ``decode`` is the way back.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np

from graphc.dtypes import DType
from graphc.errors import ArgumentError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.generators import Generator
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.nn.uninitialized import is_lazy
from graphc.frontend.saving.tensor_file import METADATA, can_store
from graphc.frontend.settings.devices import Device
from graphc.provenance import user_location_text
from graphc.storage import Array, Version

_CONTAINERS = (list, tuple, Mapping, set, frozenset)


class Encoder:
    """Encodes one value.

    Attributes:
        tensors: C-contiguous arrays, by the path to the first place where each is.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, Array] = {}
        self._stored: dict[tuple[Any, ...], tuple[Array, dict[str, Any]]] = {}
        self._above: list[int] = []

    def encode(self, value: Any, path: str = "") -> Any:
        """A value as JSON.

        Args:
            value: what ``save`` accepts.
            path: the keys that lead to it.

        Raises:
            ArgumentError: for a value of another type, or one that contains itself; the message
                has its path.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, int) and value.bit_length() > 64:
            return {"int": hex(value)}  # decimal digits cost much time, and Python limits them
        if isinstance(value, str) and not _is_unicode(value):
            return {"str": value.encode("utf-8", "surrogatepass").hex()}
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": value.hex()}
        if isinstance(value, complex):
            return {"complex": [self.encode(value.real), self.encode(value.imag)]}
        if isinstance(value, DType):
            return {"dtype": value.name}
        if isinstance(value, Device):
            return {"device": str(value)}
        if isinstance(value, Generator):
            return {"generator": value.get_state().tolist()}
        if isinstance(value, _CONTAINERS):
            return self._encode_container(value, path)
        return self._encode_array(value, path)

    def _encode_container(self, value: Any, path: str) -> Any:
        if id(value) in self._above:
            raise ArgumentError(
                f"save: cannot store {path}: it contains itself", got=type(value).__name__,
                where=user_location_text(),
            )  # fmt: skip
        self._above.append(id(value))
        try:
            if isinstance(value, Mapping):
                return self._encode_mapping(value, path)
            if hasattr(value, "_fields"):
                _refuse(value, path, "a plain tuple, or value._asdict()")
            parts = [self.encode(each, _join(path, at)) for at, each in enumerate(value)]
            if isinstance(value, list):
                return parts
            if isinstance(value, tuple):
                return {"tuple": parts}
            return {"set" if isinstance(value, set) else "frozenset": sorted(parts, key=repr)}
        finally:
            self._above.pop()

    def _encode_mapping(self, value: Mapping[Any, Any], path: str) -> Any:
        pairs = []
        for key, each in value.items():
            if not isinstance(key, bool | int | float | str | tuple | None):
                raise ArgumentError(
                    f"save: cannot store a key of {path or 'the dict'}", got=repr(key),
                    expected="str, int, or another plain value", where=user_location_text(),
                )  # fmt: skip
            name = self.encode(key, f"a key of {path or 'the dict'}")
            pairs.append([name, self.encode(each, _join(path, key))])
        versions = getattr(value, "_metadata", None)
        if isinstance(value, OrderedDict) and isinstance(versions, Mapping):
            return {"StateDict": [pairs, self.encode(versions, f"the versions of {path}")]}
        kind = next((each for each in (OrderedDict, Counter) if isinstance(value, each)), dict)
        return {kind.__name__: pairs}

    def _encode_array(self, value: Any, path: str) -> Any:
        if is_lazy(value):
            _refuse(value, path, "run the module once, so that its shapes are known")
        if is_tensor(value):
            array = value.array("a value to save")
            stored = dict(self._store(array, path or "tensor"))
            if isinstance(value, Parameter):
                stored["parameter"] = True
            if value.requires_grad:
                stored["requires_grad"] = True
            return {"tensor": stored}
        if isinstance(value, bytes | bytearray):
            kind = "bytes" if isinstance(value, bytes) else "bytearray"
            return {kind: self._store(np.frombuffer(value, np.uint8), path or kind)}
        if isinstance(value, np.ndarray):
            if type(value) not in (np.ndarray, np.memmap):
                _refuse(value, path, "np.asarray(it), if its values are all that it has")
            return {"array": self._store(value, path or "array")}
        if not hasattr(value, "__array__"):
            _refuse(value, path, "save model.state_dict(), not the model; of an object, vars(it)")
        try:
            array = np.asarray(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ArgumentError(
                f"save: cannot store {path or 'the value'}", got=f"{type(value).__name__}: {error}",
                fix="detach it, or make it a tensor of graphc first", where=user_location_text(),
            ) from error  # fmt: skip
        return {"tensor": self._store(array, path or "tensor")}

    def _store(self, array: Array, path: str) -> dict[str, Any]:
        """Where an array is stored; the same place for the same memory."""
        address = array.__array_interface__["data"][0]
        memory = (address, array.shape, array.strides, array.dtype)
        if array.size and memory in self._stored:
            return self._stored[memory][1]
        name = self._free_name(path)
        place: dict[str, Any] = {"name": name}
        dtype = array.dtype.newbyteorder("=")
        if dtype == np.complex128:  # which the format lacks
            pairs = np.array(array, dtype, order="C").reshape(-1).view(np.float64)
            self.tensors[name] = pairs.reshape((*array.shape, 2))
            place["complex"] = True
        elif can_store(dtype):
            self.tensors[name] = np.asarray(array, dtype, order="C")
        else:
            raise ArgumentError(
                f"save: cannot store {path}", got=f"elements of type {array.dtype}",
                expected="bools, or numbers of 8 to 64 bits or of two such parts",
                where=user_location_text(),
            )  # fmt: skip
        self._stored[memory] = array, place  # held, so that no other array comes to lie there
        return place

    def _free_name(self, path: str) -> str:
        base = name = path.encode(errors="replace").decode()
        number = 1
        while name in self.tensors or name == METADATA:
            name, number = f"{base}~{number}", number + 1
        return name


def versions_in(value: Any) -> Iterator[Version]:
    """The versions of the memory of all tensors in a nested value, also of one that is no tree."""
    rest, seen = [value], set[int]()
    while rest:
        part = rest.pop()
        if is_tensor(part):
            if part.node is None:
                yield part.storage.version
        elif isinstance(part, _CONTAINERS) and id(part) not in seen:
            seen.add(id(part))
            rest += part.values() if isinstance(part, Mapping) else part


def _is_unicode(text: str) -> bool:
    """False for halves of characters, which JSON would join."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(value: Any, path: str, fix: str) -> NoReturn:
    raise ArgumentError(
        f"save: cannot store {path or 'the value'}", got=type(value).__name__,
        expected="tensors, arrays, None, numbers, texts, bytes, dtypes, generators, and lists, "
        "tuples, sets and dicts of these",
        fix=fix, where=user_location_text(),
    )  # fmt: skip


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
