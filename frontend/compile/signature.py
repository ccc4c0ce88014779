"""What tells one trace of a function from another: the kinds of its arguments, and modes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from graphc.dtypes import DType, as_dtype
from graphc.errors import ArgumentError
from graphc.frontend.base import is_tensor
from graphc.frontend.compile.host_tensor import HostTensor
from graphc.frontend.guards.fingerprint import Identity, fingerprint
from graphc.frontend.modes import modes
from graphc.frontend.structure import tensor_fields
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.shapes import shape_text
from graphc.storage import Array


class TensorKey(NamedTuple):
    """The kind of a tensor argument."""

    shape: tuple[int, ...]
    dtype: DType
    requires_grad: bool

    def __str__(self) -> str:
        tracked = ", which requires a gradient" if self.requires_grad else ""
        return f"{self.dtype.short}{shape_text(self.shape)}{tracked}"


class Signature(NamedTuple):
    """A key for a call.

    Attributes:
        args: one key per positional argument, after a type.
        kwargs: the same by name.
        grad_enabled: whether gradients are tracked.
        checks_nan: whether gradients are checked for NaN.
    """

    args: tuple[Any, ...]
    kwargs: tuple[Any, ...]
    grad_enabled: bool
    checks_nan: bool


def signature(args: Any, kwargs: Any) -> tuple[Signature, list[Tensor | Array]]:
    """A hashable key for the arguments, and their tensors and arrays in order.

    Args:
        args: by position.
        kwargs: by name.

    Raises:
        ArgumentError: for an argument that is no key.
    """
    tensors: list[Tensor | Array] = []

    def describe(value: Any) -> Any:
        if is_tensor(value):
            array = value.array("the value of an argument")
            if value.is_state:
                return Identity(value)
            if isinstance(value, HostTensor):
                return (HostTensor, tuple(array.tolist()))
            tensors.append(value)
            return TensorKey(array.shape, as_dtype(array.dtype), value._requires_grad)
        if isinstance(value, np.ndarray):
            tensors.append(value)
            return TensorKey(value.shape, as_dtype(value.dtype), False)
        if isinstance(value, list | tuple):
            return (type(value), *map(describe, value))
        if isinstance(value, dict):
            pairs = ((fingerprint(key, _hashable), describe(item)) for key, item in value.items())
            return (dict, *pairs)
        if fields := tensor_fields(value):
            return (type(value), *map(describe, fields.values()))
        return fingerprint(value, _hashable)

    return Signature(describe(args), describe(kwargs), *modes.traced), tensors


def _hashable(value: Any) -> Any:
    if not isinstance(value, Hashable):
        raise ArgumentError(
            "an argument that is no tensor must be hashable, since each value is traced for itself",
            got=type(value).__name__,
            fix="pass tensors, numbers, texts, or lists and dicts of these",
            where=user_location_text(),
        )
    return (type(value), value)


def difference(before: Signature, now: Signature, names: Sequence[str]) -> str:
    """How one call differs from another, for people.

    Args:
        before: the earlier call.
        now: the later one.
        names: the function's parameters.

    Example:
        >>> import numpy as np
        >>> some, other = (signature((np.zeros(n, "f"), 3), {})[0] for n in (4, 5))
        >>> difference(some, other, ["x", "times"])
        'x was f32[4], is f32[5]'
    """
    if before.grad_enabled is not now.grad_enabled:
        return f"tracking of gradients was {before.grad_enabled}, is {now.grad_enabled}"
    if before.checks_nan is not now.checks_nan:
        return f"detection of NaN was {before.checks_nan}, is {now.checks_nan}"
    if len(before.args) != len(now.args):
        return f"{len(before.args) - 1} arguments by position were given, are {len(now.args) - 1}"
    for position, (old, new) in enumerate(zip(before.args[1:], now.args[1:], strict=True)):
        if old != new:
            name = names[position] if position < len(names) else f"argument {position}"
            return _difference(name, old, new)
    return _difference("keyword arguments", before.kwargs, now.kwargs)


def _difference(name: str, old: Any, new: Any) -> str:
    if _is_nested(old) and _is_nested(new) and old[0] is new[0] and len(old) == len(new):
        for position, (each_old, each_new) in enumerate(zip(old[1:], new[1:], strict=True)):
            if each_old != each_new:
                return _difference(f"{name}[{position}]", each_old, each_new)
    return f"{name} was {_text(old)}, is {_text(new)}"


def _is_nested(key: Any) -> bool:
    is_made_of = type(key) is tuple and bool(key) and isinstance(key[0], type)
    return is_made_of and issubclass(key[0], list | tuple)


def _text(key: Any) -> str:
    if isinstance(key, TensorKey):
        return str(key)
    if isinstance(key, Identity):
        return f"one {type(key.value).__name__}"
    if _is_nested(key):
        return f"a {key[0].__name__} of {len(key) - 1}"
    if type(key) is tuple and len(key) == 2 and isinstance(key[0], type):
        return repr(key[1]) if key[0] is not float else key[1]
    return "of another structure"
