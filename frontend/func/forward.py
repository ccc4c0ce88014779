"""``jvp`` and ``linearize``: forward mode, as the transpose of reverse mode.

The gradient is a linear function of the cotangent, and its own gradient by the cotangent is the
product of the Jacobian with a tangent. So every operation with a gradient rule has forward mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graphc.errors import ArgumentError, AutogradError, DTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.func.fragment import without_tape
from graphc.frontend.func.level import Level, gradients
from graphc.frontend.func.reach import finish
from graphc.frontend.making import concrete
from graphc.frontend.modes import modes, recording_into
from graphc.frontend.structure import flatten
from graphc.ops.shape import expand
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False,
    has_aux: bool = False,
) -> Any:  # fmt: skip
    """The value of ``func``, and the product of its Jacobian with tangents.

    Args:
        func: takes the primals, returns tensors.
        primals: tuple of tensors, or of lists, tuples and dicts of tensors.
        tangents: like the primals.
        strict: refuse outputs that do not depend on the primals; else their tangents are 0.
        has_aux: the function returns ``(output, anything)``.

    Returns:
        ``(output, tangents of the output)``, and ``aux`` as a third.

    Raises:
        AutogradError: if a primal has no gradients; or while strict.
        ShapeError: if tangents do not fit the primals.

    Source: ``torch.func.jvp``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([0.0, 1.0])
        >>> gc.func.jvp(lambda x: x * x, (x,), (gc.ones(2),))
        (tensor([0., 1.]), tensor([0., 2.]))
    """
    _require_tuple("primals", primals)
    _require_tuple("tangents", tangents)
    found = pushforward("jvp", func, primals, has_aux, strict)
    moved = found.push(*tangents)
    return (found.value, moved, found.aux) if has_aux else (found.value, moved)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``func``, and the linear function that multiplies tangents by its Jacobian.

    Unlike ``jvp``, it runs the function once for any number of tangents.

    Source: ``torch.func.linearize``.

    Example:
        >>> import graphc as gc
        >>> value, push = gc.func.linearize(lambda x: x.sin(), gc.tensor(0.0))
        >>> push(gc.tensor(3.0))
        tensor(3.)
    """
    found = pushforward("linearize", func, primals, False, False)
    return found.value, found.push


def _require_tuple(name: str, given: Any) -> None:
    if not isinstance(given, tuple) or not given:
        raise ArgumentError(
            f"jvp: {name} must be a tuple with one item or more", got=type(given).__name__,
            fix=f"write ({name[:-1]},)", where=user_location_text(),
        )  # fmt: skip


class Pushforward(NamedTuple):
    """A function's value, and its derivative there.

    Attributes:
        value: the output.
        push: takes tangents of the primals, gives those of the output.
        aux: the second result, or None.
        level: the call.
    """

    value: Any
    push: Callable[..., Any]
    aux: Any
    level: Level


def pushforward(
    what: str, func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool, strict: bool
) -> Pushforward:
    """Call the function, and keep what its derivative needs."""
    level = Level(what, primals)
    output, results, aux = level.call(func, level.arguments, has_aux)
    if strict and not all(x._requires_grad for x in results):
        raise AutogradError(
            f"{what}: an output does not depend on the primals",
            fix="strict=False gives zeros for it", where=user_location_text(),
        )  # fmt: skip
    names, inputs, _ = flatten(primals)
    _, _, rebuild = flatten(output)
    probes = [_leaf_like(x) for x in results]
    pulled = gradients(results, level.inner, probes, True, True)
    finish(probes)

    def push(*tangents: Any) -> Any:
        """The tangents of the outputs for those of the primals."""
        given = _like(what, names, inputs, tangents)
        tracks = level.tracks(given)
        moved = gradients(pulled, probes, given, True, tracks)
        return rebuild(moved if tracks else [level.outside(x) for x in moved])

    return Pushforward(level.all_outside(output), push, level.all_outside(aux), level)


def _leaf_like(x: Tensor) -> Tensor:
    """Numbers that gradients can be taken by: different ones, since rules may treat 0 apart."""
    with recording_into(modes.recorder or x.recorder):
        made = without_tape(expand(concrete(_numbers(x)), shape=x.shape))
    made._requires_grad = True
    return made


def _numbers(x: Tensor) -> Array:
    known = all(isinstance(size, int) for size in x.shape)
    count = math.prod(x.shape) if known else 1
    values = 0.5 + (np.arange(count) * 0.6180339887498949) % 1
    return np.asarray(values, x.dtype.numpy).reshape(x.shape if known else ())


def _like(what: str, names: list[str], inputs: list[Tensor], tangents: Any) -> list[Tensor]:
    """The tangents as a list; an error unless they are like the primals."""
    given_names, given, _ = flatten(tangents)
    if given_names != names:
        raise ShapeError(
            f"{what}: the tangents must have the structure of the primals",
            got=", ".join(given_names), expected=", ".join(names), where=user_location_text(),
        )  # fmt: skip
    for primal, tangent in zip(inputs, given, strict=True):
        assert is_tensor(tangent)
        if primal.shape != tangent.shape:
            raise ShapeError(
                f"{what}: a tangent must have the shape of its primal", got=str(tangent.type),
                expected=str(primal.type), where=user_location_text(),
            )  # fmt: skip
        if primal.dtype is not tangent.dtype:
            raise DTypeError(
                f"{what}: a tangent must have the dtype of its primal", got=str(tangent.type),
                expected=str(primal.type), where=user_location_text(),
            )  # fmt: skip
    return given
