"""Where arguments enter: public functions say what is wrong with an argument of a wrong kind.

A public function is a function of ``graphc.frontend`` behind a check, which compares the arguments
with the annotations, once for each combination of types, so that a wrong one is refused before
anything happens; what a sequence holds is compared again if something fails. Inside, functions
call each other without checks.

Checks also know the names of arguments that PyTorch accepts everywhere: numpy's, and ``input``;
and functions get Python's numbers where people give numpy's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType, TracebackType
from typing import Any, TypeGuard

from graphc.errors import ArgumentError, ArgumentTypeError, GraphcError, IndexRangeError
from graphc.frontend.arguments.annotations import Parameters, parameters_of, words
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.aliases import renamed
from graphc.frontend.functions.convert import TensorLike, require_tensor
from graphc.provenance import is_own, user_location_text

_HOMES = (
    "graphc.dtypes", "graphc.frontend.functions.", "graphc.frontend.methods.",
    "graphc.frontend.nn.functional.", "graphc.frontend.nn.torch_names", "graphc.frontend.tensor",
)  # fmt: skip
"""Modules whose functions are checked where they are public."""

_RAW = (ArithmeticError, AttributeError, LookupError, TypeError, UnboundLocalError, ValueError)
"""What Python, numpy and scipy raise where arguments do not fit together."""

_LIBRARIES = frozenset(("numpy", "scipy", "ml_dtypes"))
"""Errors from inside of these are about arguments that graphc has passed on."""

_LIMIT = 256
"""Combinations of types that one function remembers."""

_wrappers: dict[FunctionType, Callable[..., Any]] = {}
"""Each function's check."""

Rewrite = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]
"""Makes arguments of a call the function's own."""


def check_functions(names: dict[str, Any]) -> None:
    """Put the functions of a public module behind a check of their arguments.

    Args:
        names: the module's names; functions among them that are graphc's are replaced.
    """
    for name, value in list(names.items()):
        if _is_checkable(value):
            names[name] = checked(value, names["__name__"], name)


def _is_checkable(value: object) -> TypeGuard[FunctionType]:
    return isinstance(value, FunctionType) and value.__module__.startswith(_HOMES)


def check_methods(kind: type) -> None:
    """Put the methods of a class of tensors, and of what it is made of, behind checks."""
    for part in kind.__mro__:
        for name, value in list(vars(part).items()):
            if _is_checkable(value) and not name.startswith("_"):
                setattr(part, name, checked(value, "graphc", f"{kind.__name__}.{name}"))


def checked(function: FunctionType, home: str, name: str) -> Callable[..., Any]:
    """The function behind its check, the same one each time.

    Args:
        function: takes any arguments.
        home: the public module that has it, by which it is pickled.
        name: what it is called there.
    """
    if function not in _wrappers:
        wrapper = _wrappers[function] = _checked(function)
        wrapper.__module__, wrapper.__qualname__ = home, name
    return _wrappers[function]


def _checked(function: FunctionType) -> Callable[..., Any]:
    accepted: dict[tuple[Any, ...], Rewrite | None] = {}

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> Any:
        kinds: tuple[Any, ...] = tuple(map(type, args))
        if given:
            kinds = (*kinds, *given, *map(type, given.values()))
        rewrite = accepted.get(kinds, _UNSEEN)
        if rewrite is _UNSEEN:
            rewrite = _rewrite_of(function, args, given)
            if len(accepted) >= _LIMIT:
                accepted.clear()
            accepted[kinds] = rewrite
        if rewrite is not None:
            args, given = rewrite(args, given)
        try:
            return function(*args, **given)
        except GraphcError:
            raise
        except _RAW as error:
            if not _is_ours(error.__traceback__):
                raise
            _require_fitting(function, args, given)
            raise _explained(function.__name__, error, args, given) from error

    return call


def _never(args: tuple[Any, ...], given: dict[str, Any]) -> Any:
    raise AssertionError("stands for calls of kinds that were not seen")


_UNSEEN: Rewrite = _never


def _rewrite_of(
    function: FunctionType, args: tuple[Any, ...], given: dict[str, Any]
) -> Rewrite | None:
    """What to do to arguments of these kinds: other names, and numpy's numbers for Python's.

    Raises:
        ArgumentTypeError: if they are of a wrong kind; DTypeError for what should be a tensor.
    """
    name, parameters = function.__name__, _parameters(function)
    others = parameters.other_names(given)
    own = renamed(name, given, others)
    _require_fitting(function, args, own)
    places, names = parameters.numpy_numbers(args, own)
    if not (others or places or names):
        return None

    def rewrite(args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        given = dict(renamed(name, given, others))
        for key in names:
            given[key] = given[key].item()
        values = [each.item() if at in places else each for at, each in enumerate(args)]
        return tuple(values), given

    return rewrite


@functools.cache
def _parameters(function: FunctionType) -> Parameters:
    return parameters_of(function)


def _require_fitting(function: FunctionType, args: tuple[Any, ...], given: dict[str, Any]) -> None:
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
