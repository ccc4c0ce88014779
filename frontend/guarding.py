"""Where arguments enter: public functions say what is wrong with an argument of a wrong kind.

A public function is its function of ``graphc.frontend`` in a guard. It compares the arguments with
the annotations, once for each combination of types, so that a wrong one is refused before anything
happens; what a sequence holds is compared again if something fails. Inside, functions call each
other without guards.

Guards also know the names of arguments that PyTorch accepts everywhere: numpy's, and ``input``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType, TracebackType
from typing import Any, TypeGuard

from graphc.errors import ArgumentError, ArgumentTypeError, GraphcError, IndexRangeError
from graphc.frontend.annotations import Parameters, parameters_of, words
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.aliases import renamed
from graphc.frontend.functions.convert import TensorLike, require_tensor
from graphc.provenance import is_own, user_location_text

_HOMES = (
    "graphc.dtypes", "graphc.frontend.functions.", "graphc.frontend.methods.",
    "graphc.frontend.nn.functional.", "graphc.frontend.nn.torch_names", "graphc.frontend.tensor",
)  # fmt: skip
_RAW = (ArithmeticError, AttributeError, LookupError, TypeError, UnboundLocalError, ValueError)
_LIBRARIES = frozenset(("numpy", "scipy", "ml_dtypes"))
_LIMIT = 256
_guards: dict[FunctionType, Callable[..., Any]] = {}


def guard_all(names: dict[str, Any]) -> None:
    """Put the functions of a public module into guards.

    Args:
        names: the module's names; functions among them that are graphc's are replaced.
    """
    for name, value in list(names.items()):
        if _is_guardable(value):
            names[name] = guarded(value, names["__name__"], name)


def _is_guardable(value: object) -> TypeGuard[FunctionType]:
    return isinstance(value, FunctionType) and value.__module__.startswith(_HOMES)


def guard_methods(kind: type) -> None:
    """Put the methods of a class of tensors, and of what it is made of, into guards."""
    for part in kind.__mro__:
        for name, value in list(vars(part).items()):
            if _is_guardable(value) and not name.startswith("_"):
                setattr(part, name, guarded(value, "graphc", f"{kind.__name__}.{name}"))


def guarded(function: FunctionType, home: str, name: str) -> Callable[..., Any]:
    """The function in its guard, the same one each time.

    Args:
        function: takes any arguments.
        home: the public module that has it, by which it is pickled.
        name: what it is called there.
    """
    if function not in _guards:
        guard = _guards[function] = _guarded(function)
        guard.__module__, guard.__qualname__ = home, name
    return _guards[function]


def _guarded(function: FunctionType) -> Callable[..., Any]:
    accepted: dict[tuple[Any, ...], dict[str, str]] = {}

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> Any:
        kinds: tuple[Any, ...] = tuple(map(type, args))
        if given:
            kinds = (*kinds, *given, *map(type, given.values()))
        others = accepted.get(kinds)
        if others is None:
            others = _parameters(function).other_names(given)
            require_fitting(function, args, renamed(function.__name__, given, others))
            if len(accepted) >= _LIMIT:
                accepted.clear()
            accepted[kinds] = others
        if others:
            given = renamed(function.__name__, given, others)
        try:
            return function(*args, **given)
        except GraphcError:
            raise
        except _RAW as error:
            if not _is_ours(error.__traceback__):
                raise
            require_fitting(function, args, given)
            raise _explained(function.__name__, error, args, given) from error

    return call


@functools.cache
def _parameters(function: FunctionType) -> Parameters:
    return parameters_of(function)


def require_fitting(function: FunctionType, args: tuple[Any, ...], given: dict[str, Any]) -> None:
    """Raise DTypeError for what should be a tensor, ArgumentTypeError for other wrong kinds."""
    parameters = _parameters(function)
    found = parameters.misfit(args, given)
    if found is None:
        return
    name, value = found
    hint = parameters.hints[name]
    if hint in (TensorBase, TensorLike):
        require_tensor(function.__name__, value)
    raise ArgumentTypeError(
        f"{function.__name__}: {name} is of a wrong kind", got=_brief(value), expected=words(hint),
        where=user_location_text(),
    )  # fmt: skip


def _is_ours(trace: TracebackType | None) -> bool:
    """True unless Python refused the call itself, or what failed is a function of the user's."""
    trace = trace.tb_next if trace is not None else None
    inside = trace is not None
    while trace is not None:
        library = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0]
        inside = inside and (library in _LIBRARIES or is_own(trace.tb_frame))
        trace = trace.tb_next
    return inside


def _explained(
    name: str, error: Exception, args: tuple[Any, ...], given: dict[str, Any]
) -> GraphcError:
    kind = ArgumentError
    if isinstance(error, TypeError | AttributeError):
        kind = ArgumentTypeError
    elif isinstance(error, LookupError):
        kind = IndexRangeError
    values = [*map(_brief, args), *(f"{name}={_brief(value)}" for name, value in given.items())]
    return kind(
        f"{name}: the arguments do not fit together", got=f"{', '.join(values)}: {error}",
        where=user_location_text(),
    )  # fmt: skip


def _brief(value: Any) -> str:
    if isinstance(value, TensorBase):
        return str(value.type)
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
