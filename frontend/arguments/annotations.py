"""What the annotations of a function say about values: does one fit, and how to name what would."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ForwardRef, Literal, Union

import numpy as np

from graphc.dims import Dim
from graphc.dtypes import DType, DTypeLike
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.convert import Number, TensorLike

_NAMES = {
    "Tensor": TensorBase, "TensorLike": TensorLike, "Number": Number, "DTypeLike": DTypeLike,
    "Literal": Literal, "Sequence": collections.abc.Sequence, "Dim": Dim,
}  # fmt: skip
"""Names that annotations use and that modules import for type checkers only."""
_WORDS = {int: "a whole number", float: "a number", complex: "a number", bool: "True or False",
          str: "a word", TensorBase: "a tensor", type(None): "None", Dim: "", DType: "a dtype",
          type: "", np.dtype: ""}  # fmt: skip
_UNIONS = (Union, types.UnionType)
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input",
                "x2": "other"}  # fmt: skip
"""What PyTorch lets people write for its own names, in every function that has these."""
_BEYOND = (TensorBase, Dim)
"""They stand for numbers; whether one does here, the function itself asks."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of a function that a value can be compared with.

    Args:
        signature: the function's.
        hints: what is written beside a parameter, evaluated, by its name.
    """

    signature: inspect.Signature
    hints: Mapping[str, Any]

    def other_names(self, given: Iterable[str]) -> dict[str, str]:
        """The function's own names of arguments that PyTorch lets people call otherwise.

        Args:
            given: names of arguments; those that nothing is known of are left out.
        """
        own = self.signature.parameters
        first = next(iter(own), "")
        is_tensor = first == "self" or self.hints.get(first) in (TensorBase, TensorLike)
        found = {}
        for name in given:
            if name not in own:
                wanted = _NUMPY_NAMES.get(name, name)
                if wanted == "input" and wanted not in own and is_tensor:
                    wanted = first
                if wanted in own:
                    found[name] = wanted
        return found

    def numpy_numbers(
        self, args: tuple[Any, ...], given: Mapping[str, Any]
    ) -> tuple[frozenset[int], frozenset[str]]:
        """Where numpy's numbers stand for Python's: positions, and names.

        Where tensors may stand, too, the function looks at the number's dtype itself.
        """
        named = [
            name for name, each in self.signature.parameters.items()
            if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
        places = frozenset(
            at for at, (name, value) in enumerate(zip(named, args, strict=False))
            if _is_plain(value, self.hints.get(name))
        )  # fmt: skip
        names = (name for name, value in given.items() if _is_plain(value, self.hints.get(name)))
        return places, frozenset(names)

    def misfit(self, args: tuple[Any, ...], given: Mapping[str, Any]) -> tuple[str, Any] | None:
        """The first argument that does not fit, if one does not: its name and value.

        A call that Python itself refuses is left to it.
        """
        try:
            arguments = self.signature.bind(*args, **given).arguments
        except TypeError:
            return None
        for name, hint in self.hints.items():
            if name in arguments and not fits(arguments[name], hint):
                return name, arguments[name]
        return None


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """The parameters of a function; what its annotations name only for type checkers fits all."""
    signature = inspect.signature(function)
    names = inspect.unwrap(function).__globals__
    hints = {}
    for name, parameter in signature.parameters.items():
        one_value = parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if one_value and parameter.annotation is not parameter.empty:
            hint = _evaluated(parameter.annotation, names)
            hints[name] = hint if parameter.default is not None else hint | None
    return Parameters(signature, hints)


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names, _NAMES)
    except NameError:
        return Any


def fits(value: Any, hint: Any) -> bool:
    """True if a value is what an annotation says, as PyTorch understands it.

    Whole numbers are all that Python takes as an index, numbers include numpy's, and sequences
    are what can be gone through. A tensor or an unknown size may stand for a number.

    Example:
        >>> fits(3, float), fits("3", float), fits([1, 2], int | list[int]), fits(None, int)
        (True, False, True, False)
    """
    if hint is Any:
        return True
    check = _SIMPLE.get(hint) if isinstance(hint, type) else None
    if check is not None:
        return check(value)
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return any(fits(value, each) for each in inside)
    if origin is Literal:
        return any(_is_like(value, each) for each in inside)
    if isinstance(hint, ForwardRef):
        return fits(value, _NAMES.get(hint.__forward_arg__, Any))
    kind = origin or hint
    if kind is None:
        return value is None
    if not isinstance(kind, type) or kind is np.ndarray:
        return True
    if issubclass(kind, TensorBase):
        return isinstance(value, TensorBase)
    if issubclass(kind, collections.abc.Callable):  # type: ignore[arg-type]  # mypy: not a class
        return callable(value)
    if issubclass(kind, collections.abc.Iterable) and not issubclass(kind, collections.abc.Mapping):
        return _is_sequence(value, inside)
    return isinstance(value, kind)


def _is_like(value: Any, choice: Any) -> bool:
    """The same type; words may be of a class of their own, such as numpy's."""
    return type(value) is type(choice) or (isinstance(choice, str) and isinstance(value, str))


def _is_plain(value: Any, hint: Any) -> bool:
    """True if a number of numpy's stands for one of Python's."""
    if not isinstance(value, np.integer | np.floating):
        return False
    inside = typing.get_args(hint) if typing.get_origin(hint) in _UNIONS else (hint,)
    wanted = (int, float) if isinstance(value, np.integer) else (float,)
    return (
        hint != TensorLike
        and any(each in wanted for each in inside)
        and not any(
            isinstance(each, ForwardRef)
            or (isinstance(each, type) and issubclass(each, TensorBase))
            for each in inside
        )
    )


def _is_sequence(value: Any, inside: tuple[Any, ...]) -> bool:
    if isinstance(value, TensorBase):
        return value.ndim > 0
    if isinstance(value, collections.abc.Iterator | np.ndarray):
        return True
    if not isinstance(value, collections.abc.Iterable | collections.abc.Sequence):
        return False
    if isinstance(value, str | bytes | collections.abc.Mapping):
        return False
    return all(any(fits(item, each) for each in inside if each is not ...) for item in value) or (
        not inside
    )


def _is_whole(value: Any) -> bool:
    return hasattr(value, "__index__") or isinstance(value, _BEYOND)


def _is_real(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float | np.floating | np.bool_)


_SIMPLE: dict[type, Callable[[Any], bool]] = {
    bool: lambda value: isinstance(value, int | np.bool_),
    int: _is_whole,
    float: _is_real,
    complex: lambda value: _is_real(value) or isinstance(value, complex | np.complexfloating),
    str: lambda value: isinstance(value, str),
    object: lambda value: True,
}


@functools.cache
def words(hint: Any) -> str:
    """What would fit, for people.

    Example:
        >>> words(int | list[int] | None)
        'a whole number, a sequence (a whole number), or None'
    """
    found = dict.fromkeys(filter(None, _kinds(hint)))
    *some, last = found or ["another kind of value"]
    return f"{', '.join(some)}{',' if len(some) > 1 else ''} or {last}" if some else last


def _kinds(hint: Any) -> list[str]:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return [kind for each in inside for kind in _kinds(each)]
    if origin is Literal:
        return [repr(each) for each in inside]
    if isinstance(hint, ForwardRef):
        return _kinds(_NAMES.get(hint.__forward_arg__, Any))
    if hint in _WORDS:
        return [_WORDS[hint]]
    kind = origin or hint
    if not isinstance(kind, type):
        return []
    if issubclass(kind, collections.abc.Callable):  # type: ignore[arg-type]  # mypy: not a class
        return ["a function"]
    if issubclass(kind, collections.abc.Iterable) and not issubclass(kind, collections.abc.Mapping):
        return [f"a sequence ({words(inside[0])})" if inside else "a sequence"]
    return [kind.__name__]
