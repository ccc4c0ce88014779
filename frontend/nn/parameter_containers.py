"""Modules that hold parameters: in a list, in a dict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from graphc.errors import ArgumentError, IndexRangeError
from graphc.frontend.base import TensorBase
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter
from graphc.provenance import user_location_text

__all__ = ["ParameterDict", "ParameterList"]


def _as_parameter(value: Any) -> Any:
    """Tensors become parameters; any other value stays what it is."""
    is_plain = isinstance(value, TensorBase) and not isinstance(value, Parameter)
    return Parameter(value) if is_plain else value


def _line(key: object, value: Any) -> str:
    if not isinstance(value, TensorBase):
        return f"  ({key}): Object of type: {type(value).__name__}"
    size = "x".join(map(str, value.shape))
    return f"  ({key}): Parameter containing: [{value.dtype} of size {size}]"


class ParameterList(Module):
    """A list of parameters, found by ``parameters()`` and the like (``torch.nn.ParameterList``).

    Args:
        values: tensors, which become parameters; other values are kept as they are.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> weights = nn.ParameterList([gc.ones(2), gc.zeros(3)])
        >>> len(weights), [name for name, _ in weights.named_parameters()]
        (2, ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(values or ())

    def _name_at(self, index: int) -> str:
        if not -self._size <= index < self._size:
            raise IndexRangeError(
                "ParameterList: index out of range", got=str(index),
                expected=f"{-self._size}..{self._size - 1}", where=user_location_text(),
            )  # fmt: skip
        return str(index % self._size)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._name_at(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name_at(index), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(position)) for position in range(self._size))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a value at the end."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end.

        Raises:
            ArgumentError: for a tensor, which is no list.
        """
        if isinstance(values, TensorBase):
            raise ArgumentError(
                "ParameterList: expected several values", got=str(values.type),
                fix="append adds one", where=user_location_text(),
            )  # fmt: skip
        for value in values:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(_line(position, value) for position, value in enumerate(self))


class ParameterDict(Module):
    """Parameters by name, in the order they were added (``torch.nn.ParameterDict``).

    Args:
        parameters: a mapping, or pairs of name and tensor; tensors become parameters, other
            values are kept as they are.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any] | ParameterDict | Iterable[tuple[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        self.update(parameters or {})

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __or__(self, other: Mapping[str, Any] | ParameterDict) -> ParameterDict:
        made = self.copy()
        made.update(other)
        return made

    def __ior__(self, other: Mapping[str, Any] | ParameterDict) -> Self:
        self.update(other)
        return self

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and parameters."""
        return ((key, self[key]) for key in self._keys)

    def copy(self) -> ParameterDict:
        """Another dict with the same parameters."""
        return ParameterDict(list(self.items()))

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of this name, or ``default``."""
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of this name, which is added if it is not there."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dict with the same value under all of these names."""
        return ParameterDict([(key, default) for key in keys])

    def clear(self) -> None:
        """Take all parameters out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take one parameter out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the parameter out that was added last, and return it with its name."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def update(
        self, parameters: Mapping[str, Any] | ParameterDict | Iterable[tuple[str, Any]]
    ) -> None:
        """Add parameters; a name that is there gets another value.

        As in PyTorch, those of a plain mapping are added in the order of their names.

        Raises:
            ArgumentError: unless these are a mapping or pairs.
        """
        pairs: Iterable[Any] = parameters
        if isinstance(parameters, ParameterDict | OrderedDict):
            pairs = parameters.items()
        elif isinstance(parameters, Mapping):
            pairs = sorted(parameters.items(), key=lambda pair: pair[0])
        for pair in pairs:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ArgumentError(
                    "ParameterDict: expected pairs of name and value", got=repr(pair),
                    where=user_location_text(),
                )  # fmt: skip
            self[pair[0]] = pair[1]

    def extra_repr(self) -> str:
        return "\n".join(_line(key, value) for key, value in self.items())
