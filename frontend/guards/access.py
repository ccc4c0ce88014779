"""What one trace did to one attribute of a module, and whether a compiled function may repeat it.

A compiled function repeats the program of a trace, not the changes that the traced function made
to attributes. That is the same only while these changes leave what the trace has read as it was.
"""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import RecordingError
from graphc.frontend.base import TensorBase
from graphc.frontend.guards.fingerprint import Identity, fingerprint
from graphc.frontend.guards.observed import MISSING, Observed, OwnedDict

ONCE = object()
"""The key of what a trace has made for the first time: a second trace finds it, and stays."""

_CODE = (
    types.FunctionType, types.BuiltinFunctionType, property, classmethod, staticmethod,
    functools.cached_property,
)  # fmt: skip


@dataclass
class Access:
    """One attribute that a trace has read or assigned.

    Attributes:
        owner: the module.
        name: the attribute's name.
        before: its value then.
        key: the fingerprint of that, or None if the trace assigned the attribute first.
        own: its value in the module's ``__dict__`` then, if it was there.
        contents: a copy of a list, set or dict as it was.
        written: the place of the latest assignment; None if there is none.
    """

    owner: Observed
    name: str
    before: Any
    key: Any
    own: Any
    contents: Any
    written: str | None = None

    @classmethod
    def begin(cls, owner: Observed, name: str, is_read: bool) -> Access:
        """The first access that a trace makes."""
        value = type(owner).peek(owner, name)  # reading owner.peek would be noted, too
        contents = value.copy() if isinstance(value, list | dict | set) else None
        own = owner.__dict__.get(name, MISSING)
        return cls(owner, name, value, key_of(value) if is_read else None, own, contents)

    @property
    def title(self) -> str:
        """What the attribute is called."""
        return f"{type(self.owner).__name__}.{self.name}"

    def settled_key(self) -> Any:
        """The fingerprint that later calls must find, for the trace to be what they would do.

        Raises:
            RecordingError: if no later call could find it.
        """
        value = self.owner.peek(self.name)
        if holds_symbolic(value):
            raise RecordingError(
                f"{self.title} was given a tensor of the graph, which would stay in the module",
                fix="make it an nn.Buffer, which compiled functions write, or return the tensor",
                where=self.written or "",
            )
        key = key_of(value)
        if self.key is None or key == self.key:
            return key
        if isinstance(self.before, functools.cached_property):
            return key
        if _was_nothing(self.before) or _only_grew(self.key, key):
            return ONCE
        is_mutable = self.contents is not None or _is_mutable(self.before)
        if self.written is None and not is_mutable:
            return self.key  # another thread has changed it: the next call traces anew
        raise RecordingError(
            f"{self.title} was read and then changed, which a compiled function would not repeat",
            got=explained(self.name, self.key, key),
            fix="make a tensor an nn.Buffer; change all else outside of what is compiled",
            where=self.written or "",
        )

    def restore(self) -> None:
        """Take the attribute back to what it was."""
        if self.contents is not None and not _are_same(self.before, self.contents):
            self.before.clear()
            add = self.before.extend if isinstance(self.before, list) else self.before.update
            add(self.contents)
        own = self.owner.__dict__
        is_ours = self.written is not None or isinstance(self.before, functools.cached_property)
        if not is_ours or own.get(self.name, MISSING) is self.own:
            return
        if self.own is MISSING:
            del own[self.name]
        else:
            own[self.name] = self.own


def may_change_unnoticed(owner: Observed, name: str) -> bool:
    """Whether the value may become another without an assignment to the module's attribute."""
    value = owner.peek(name)
    if name not in owner.__dict__ and getattr(type(owner), name, MISSING) is value:
        return not (value is MISSING or isinstance(value, _CODE) or _is_own_constant(owner, name))
    return _is_mutable(value)


def _is_own_constant(owner: Observed, name: str) -> bool:
    """Whether a class of this library has the value; nobody assigns another one."""
    home = next((kind for kind in type(owner).__mro__ if name in vars(kind)), object)
    return home.__module__.startswith("graphc.")


def key_of(value: Any) -> Any:
    """The fingerprint of an attribute's value."""
    return fingerprint(value, _leaf)


def _leaf(value: object) -> object:
    """Tensors are themselves only as long as they have their type; their values do not matter."""
    if isinstance(value, TensorBase):
        return (Identity(value), (value.dtype, value.shape))
    if isinstance(value, np.ndarray):
        return (Identity(value), (value.dtype, value.shape, value.tobytes()))
    if isinstance(value, set | frozenset):
        return (type(value), frozenset(map(key_of, value)))
    return Identity(value)


def _is_mutable(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_is_mutable, value))
    return isinstance(value, list | dict | set | np.ndarray) and not isinstance(value, OwnedDict)


def holds_symbolic(value: Any) -> bool:
    """Whether a value of a graph is in there."""
    if isinstance(value, TensorBase):
        return value.is_symbolic
    if isinstance(value, dict):
        return any(map(holds_symbolic, value.values()))
    return isinstance(value, list | tuple | set) and any(map(holds_symbolic, value))


def _was_nothing(value: Any) -> bool:
    return value is None or value is MISSING


def _only_grew(before: Any, now: Any) -> bool:
    """Whether these are keys of dicts, and the later one has all that the other has."""
    if not _are_dicts(before, now):
        return False
    later = dict(now[1])
    nothing = key_of(None)
    return all(value in (nothing, later.get(key)) for key, value in before[1])


def _are_dicts(before: Any, now: Any) -> bool:
    return isinstance(before, tuple) and isinstance(now, tuple) and before[0] == "dict" == now[0]


def _are_same(some: Any, others: Any) -> bool:
    if isinstance(some, dict):
        return _are_same(list(some), list(others)) and _are_same(
            list(some.values()), list(others.values())
        )
    if isinstance(some, set):
        return bool(some == others)
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def explained(name: str, before: Any, now: Any) -> str:
    """What is different between two fingerprints of an attribute, for people."""
    if before is ONCE:
        return f"{name} was made by the trace before"
    if _are_dicts(before, now):
        items, later = dict(before[1]), dict(now[1])
        for key in {**items, **later}:
            if items.get(key) != later.get(key):
                how = "was replaced" if key in items and key in later else "came or went"
                return f"{key[1]} {how}"
    was, is_now = _text(before), _text(now)
    if was is None or is_now is None:
        return f"{name} was replaced"
    return f"{name} was {was}, is {is_now}"


def _text(key: Any) -> str | None:
    """The number, text or None that this is the fingerprint of, or None if it is of another."""
    kind, value = key if isinstance(key, tuple) else (None, None)
    if kind in (float, complex):
        return str(value)
    return repr(value) if kind in (int, bool, str, type(None)) else None
