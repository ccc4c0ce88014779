"""``grad``, ``grad_and_value`` and ``vjp``: reverse mode as transforms of functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from graphc.errors import AutogradError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.func.arguments import Argnums, by_argnums, of_chosen, positions
from graphc.frontend.func.level import Level, gradients
from graphc.frontend.structure import flatten
from graphc.provenance import user_location_text


def grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that computes the gradient of ``func``.

    Args:
        func: returns a tensor of one element; with ``has_aux``, ``(that, anything)``.
        argnums: which arguments to differentiate by; each is a tensor, or lists, tuples and dicts
            of tensors.
        has_aux: the function returns a second result, which is passed on.

    Returns:
        A function of the same arguments. It gives the gradients in the structure of the argument
        (a tuple of them for a tuple of ``argnums``); with ``has_aux``, ``(gradients, aux)``.

    Raises:
        AutogradError: if an argument or the result has no gradients.
        ShapeError: if the result has more than one element.

    Source: ``torch.func.grad``.

    Example:
        >>> import graphc as gc
        >>> gc.func.grad(lambda x: x**3)(gc.tensor(2.0))
        tensor(12.)
        >>> gc.func.grad(gc.func.grad(lambda x: x**3))(gc.tensor(2.0))
        tensor(12.)
    """
    both = _grad_and_value("grad", func, argnums, has_aux)

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradients, value = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return wrapped


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that computes ``(gradient, value)`` of ``func``; see ``grad``.

    With ``has_aux`` it gives ``(gradient, (value, aux))``.

    Source: ``torch.func.grad_and_value``.

    Example:
        >>> import graphc as gc
        >>> gc.func.grad_and_value(lambda x: x**3)(gc.tensor(2.0))
        (tensor(12.), tensor(8.))
    """
    return functools.wraps(func, updated=())(
        _grad_and_value("grad_and_value", func, argnums, has_aux)
    )


def _grad_and_value(
    what: str, func: Callable[..., Any], argnums: Argnums, has_aux: bool
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        places = positions(what, argnums, len(args))
        level = Level(what, [args[place] for place in places])
        chosen = of_chosen(func, args, places, kwargs)
        output, _, aux = level.call(chosen, level.arguments, has_aux)
        _require_number(what, output)
        tracks = level.tracks([])
        found = gradients([output], level.inner, [None], tracks, tracks)
        outside = level.rebuild([level.outside(g) for g in found])
        value = level.outside(output)
        return by_argnums(argnums, outside), (value, level.all_outside(aux)) if has_aux else value

    return call


def _require_number(what: str, output: Any) -> None:
    if not is_tensor(output) or output.shape != ():
        raise ShapeError(
            f"{what}: the function must return one number, a tensor without dims",
            got=str(output.type) if is_tensor(output) else type(output).__name__,
            fix="reduce it, e.g. with .sum(); vjp and jacrev take other outputs",
            where=user_location_text(),
        )
    if not output.dtype.is_floating_point:
        raise AutogradError(
            f"{what}: the function's result must be floating point",
            got=str(output.type), where=user_location_text(),
        )  # fmt: skip


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``func``, and the function that multiplies its Jacobian from the left.

    Args:
        func: takes the primals, returns tensors.
        primals: tensors, or lists, tuples and dicts of tensors.
        has_aux: the function returns ``(output, anything)``.

    Returns:
        ``(output, vjp_fn)``, and ``aux`` as a third. ``vjp_fn(*cotangents)`` takes what has the
        structure of the output, and gives one gradient per primal, as a tuple.

    Raises:
        AutogradError: if a primal has no gradients.
        ShapeError: if cotangents do not fit.

    Source: ``torch.func.vjp``.

    Example:
        >>> import graphc as gc
        >>> value, pull = gc.func.vjp(lambda x: x.sin(), gc.zeros(2))
        >>> pull(gc.tensor([1.0, 2.0]))
        (tensor([1., 2.]),)
    """
    found = pullback("vjp", func, primals, has_aux)
    return (*found[:2], found.aux) if has_aux else found[:2]


class Pullback(NamedTuple):
    """A function's value, and its transposed derivative there.

    Attributes:
        value: the output.
        pull: takes cotangents, gives one gradient per primal.
        aux: the second result, or None.
        level: the call.
    """

    value: Any
    pull: Callable[..., Any]
    aux: Any
    level: Level


def pullback(
    what: str, func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool
) -> Pullback:
    """Call the function, and keep what its transposed derivative needs."""
    level = Level(what, primals)
    output, results, aux = level.call(func, level.arguments, has_aux)

    def vjp_fn(
        *cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None
    ) -> Any:
        """The gradients of the primals for those of the outputs."""
        is_whole = len(cotangents) == 1 and (
            not isinstance(output, tuple) or isinstance(cotangents[0], tuple)
        )
        grads = _like(what, results, output, cotangents[0] if is_whole else cotangents)
        tracks = level.tracks(grads) if create_graph is None else create_graph
        found = gradients(results, level.inner, grads, retain_graph or tracks, tracks)
        return level.rebuild(found if tracks else [level.outside(g) for g in found])

    return Pullback(level.all_outside(output), vjp_fn, level.all_outside(aux), level)


def _like(what: str, results: list[Any], output: Any, given: Any) -> list[Any]:
    """The cotangents as a list; ShapeError unless they are like the outputs."""
    names, _, _ = flatten(output)
    given_names, grads, _ = flatten(given)
    if names != given_names:
        raise ShapeError(
            f"{what}: the cotangents must have the structure of the output",
            got=", ".join(given_names) or type(given).__name__, expected=", ".join(names),
            where=user_location_text(),
        )  # fmt: skip
    for result, grad in zip(results, grads, strict=True):
        if result.shape != grad.shape:
            raise ShapeError(
                f"{what}: a cotangent must have the shape of its output", got=str(grad.type),
                expected=str(result.type), where=user_location_text(),
            )  # fmt: skip
    return grads
