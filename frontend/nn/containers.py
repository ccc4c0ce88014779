"""Modules that hold others: in a row, in a list, in a dict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from graphc.errors import ArgumentError, IndexRangeError
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.text import format_module, group_repeated
from graphc.provenance import user_location_text


class _Numbered(Module):
    """Modules under the names ``0, 1, 2, ...``, or those of an ordered dict."""

    def _replace(self, modules: Iterable[Module]) -> None:
        self._modules.clear()
        for position, module in enumerate(modules):
            self.register_module(str(position), module)

    def _names(self) -> list[str]:
        return list(self._modules)

    def _name_at(self, index: int) -> str:
        names = self._names()
        if not -len(names) <= index < len(names):
            raise IndexRangeError(
                f"{type(self).__name__}: index out of range", got=str(index),
                expected=f"{-len(names)}..{len(names) - 1}", where=user_location_text(),
            )  # fmt: skip
        return names[index]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.register_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before the one at ``index``."""
        modules = list(self)
        modules.insert(index, module)
        self._replace(modules)
        return self

    def pop(self, index: int = -1) -> Module:
        """Take one module out and return it."""
        place = self._names().index(self._name_at(index))
        modules = list(self)
        module: Module = modules.pop(place)
        self._replace(modules)
        return module


class Sequential(_Numbered):
    """Modules that run one after the other (``torch.nn.Sequential``).

    Args:
        args: the modules, or one dict that names them.

    Example:
        >>> from graphc import nn
        >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())[-1]
        ReLU()
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = dict(args[0])
        else:
            named = {str(position): module for position, module in enumerate(args)}  # type: ignore[misc]  # register_module checks
        for name, module in named.items():
            self.register_module(name, module)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            chosen = self._names()[index]
            return type(self)({name: self._modules[name] for name in chosen})  # type: ignore[misc]  # no None here
        return self._modules[self._name_at(index)]

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*list(self) * self._repetitions(times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(list(self) * (self._repetitions(times) - 1))

    def _repetitions(self, times: int) -> int:
        if times < 1:
            raise ArgumentError(
                "Sequential: expected a number of repetitions from 1 on", got=repr(times),
                where=user_location_text(),
            )  # fmt: skip
        return times

    def __delitem__(self, index: int | slice) -> None:
        chosen = self._names()[index] if isinstance(index, slice) else [self._name_at(index)]
        self._replace([m for name, m in self._modules.items() if name not in chosen and m])


class ModuleList(_Numbered):
    """A list of modules, found by ``parameters()`` and the like (``torch.nn.ModuleList``).

    Args:
        modules: the modules.

    Example:
        >>> from graphc import nn
        >>> nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
        ModuleList(
          (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
        )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._name_at(index)]

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        del modules[index]
        self._replace(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def __repr__(self) -> str:
        children = group_repeated([repr(module) for module in self])
        return format_module(type(self).__name__, "", children)


class ModuleDict(Module):
    """Modules by name, in the order they were added (``torch.nn.ModuleDict``).

    Args:
        modules: a mapping, or pairs of name and module.
    """

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and modules."""
        return self._modules.items()

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take one module out and return it."""
        return self._modules.pop(key)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, in their order; a name that is there gets another module."""
        pairs = modules.items() if isinstance(modules, Mapping | ModuleDict) else modules
        pair: Any
        for pair in pairs:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ArgumentError("ModuleDict: expected pairs of name and module", got=repr(pair))
            self[pair[0]] = pair[1]
