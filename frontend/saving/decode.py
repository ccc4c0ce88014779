"""The way back from JSON and tensors to nested values."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.dtypes import as_dtype
from graphc.frontend.functions.generators import Generator
from graphc.frontend.making import concrete, over
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.nn.state_dict import StateDict
from graphc.frontend.settings.devices import Device
from graphc.frontend.tensor import Tensor
from graphc.storage import Array, Storage


class Decoder:
    """Decodes one value.

    Args:
        tensors: arrays by name. One that stands in several places becomes tensors that share
            their memory, as it was when they were saved.
    """

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        self._tensors = tensors
        self._storages: dict[str, Storage] = {}
        self._kinds: dict[str, Callable[[Any], Any]] = {
            "tensor": self._tensor,
            "array": self._array,
            "bytes": lambda place: self._array(place).tobytes(),
            "bytearray": lambda place: bytearray(self._array(place).tobytes()),
            "tuple": lambda parts: tuple(map(self.decode, parts)),
            "set": lambda parts: set(map(self.decode, parts)),
            "frozenset": lambda parts: frozenset(map(self.decode, parts)),
            "dict": lambda pairs: dict(map(self._pair, pairs)),
            "OrderedDict": lambda pairs: OrderedDict(map(self._pair, pairs)),
            "Counter": lambda pairs: Counter(dict(map(self._pair, pairs))),
            "StateDict": lambda parts: self._state_dict(*parts),
            "int": lambda digits: int(digits, 16),
            "str": lambda digits: bytes.fromhex(digits).decode("utf-8", "surrogatepass"),
            "float": float.fromhex,
            "complex": lambda parts: complex(self.decode(parts[0]), self.decode(parts[1])),
            "dtype": as_dtype,
            "device": Device,
            "generator": _generator,
        }

    def decode(self, encoded: Any) -> Any:
        """The value that ``Encoder.encode`` made this JSON from.

        Raises:
            GraphcError, LookupError, TypeError or ValueError: if it is no such JSON.
        """
        if isinstance(encoded, list):
            return [self.decode(part) for part in encoded]
        if not isinstance(encoded, dict):
            return encoded
        ((kind, parts),) = encoded.items()
        return self._kinds[kind](parts)

    def _pair(self, pair: tuple[Any, Any]) -> tuple[Any, Any]:
        key, value = pair
        return self.decode(key), self.decode(value)

    def _state_dict(self, pairs: Any, versions: Any) -> StateDict:
        made = StateDict(map(self._pair, pairs))
        made._metadata = self.decode(versions)
        return made

    def _array(self, place: Mapping[str, Any]) -> Array:
        array = self._tensors[place["name"]]
        if place.get("complex", False):
            return array.reshape(-1).view(np.complex128).reshape(array.shape[:-1])
        return array

    def _tensor(self, place: Mapping[str, Any]) -> Tensor:
        name = place["name"]
        if name in self._storages:
            made = over(self._storages[name])
            made.storage.version.shared = True
        else:
            made = concrete(self._array(place))
            self._storages[name] = made.storage
        if place.get("parameter", False):
            return Parameter(made, place.get("requires_grad", False))
        return made.requires_grad_() if place.get("requires_grad", False) else made


def _generator(state: list[int]) -> Generator:
    made = Generator()
    made.set_state(concrete(np.array(state, np.int64)))
    return made
