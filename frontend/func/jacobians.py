"""``jacrev``, ``jacfwd`` and ``hessian``: derivatives of all outputs by all arguments."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.func.arguments import Argnums, by_argnums, of_chosen, positions
from graphc.frontend.func.forward import pushforward
from graphc.frontend.func.reverse import pullback
from graphc.frontend.func.vmap import vmap
from graphc.frontend.making import concrete
from graphc.frontend.modes import set_grad_enabled
from graphc.frontend.structure import flatten
from graphc.ops.shape import permute, reshape
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that computes the Jacobian of ``func``, row by row in reverse mode.

    Args:
        func: returns tensors; with ``has_aux``, ``(that, anything)``.
        argnums: which arguments to differentiate by; each is a tensor, or lists, tuples and dicts
            of tensors.
        has_aux: the function returns a second result, which is passed on.
        chunk_size: how many rows to compute at once; default: all.

    Returns:
        A function of the same arguments. In place of each tensor of the output it gives the
        structure of the arguments, with tensors of the output's shape and then the argument's.

    Raises:
        ArgumentError: for complex arguments and results.
        ShapeError: if the size of an output is not known while recording.

    Source: ``torch.func.jacrev``.

    Example:
        >>> import graphc as gc
        >>> gc.func.jacrev(lambda x: x * x)(gc.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = positions("jacrev", argnums, len(args))
        primals = tuple(args[place] for place in places)
        _require_real("jacrev", "arguments", flatten(primals)[1])
        chosen = of_chosen(func, args, places, kwargs)
        made = pullback("jacrev", chosen, primals, has_aux)
        _, outputs, rebuild = flatten(made.value)
        _require_real("jacrev", "results", outputs)
        _, _, rebuild_args = flatten(primals)

        def rows(*basis: Tensor) -> Any:
            return tuple(flatten(made.pull(rebuild(basis)))[1])

        with set_grad_enabled(made.level.tracks([])):
            found = vmap(rows, chunk_size=chunk_size)(*_basis("jacrev", outputs))
        blocks = [
            by_argnums(argnums, rebuild_args([
                reshape(part, shape=(*output.shape, *part.shape[1:])) for part in parts
            ]))
            for output, parts in zip(outputs, _split(found, outputs), strict=True)
        ]  # fmt: skip
        jacobian = rebuild(blocks)
        return (jacobian, made.aux) if has_aux else jacobian

    return wrapped


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *,
    randomness: str = "error",
) -> Callable[..., Any]:  # fmt: skip
    """The function that computes the Jacobian of ``func``, column by column in forward mode.

    Args:
        func: returns tensors; with ``has_aux``, ``(that, anything)``.
        argnums: which arguments to differentiate by.
        has_aux: the function returns a second result, which is passed on.
        randomness: ``"error"`` or ``"same"``; the function runs once, so its random numbers are
            the same for all columns.

    Returns:
        A function of the same arguments; its result is like that of ``jacrev``.

    Raises:
        ArgumentError: for another ``randomness``, and for complex arguments and results.
        ShapeError: if the size of an argument is not known while recording.

    Source: ``torch.func.jacfwd``.

    Example:
        >>> import graphc as gc
        >>> gc.func.jacfwd(lambda x: x.sum() * x)(gc.tensor([1.0, 2.0]))
        tensor([[4., 1.],
                [2., 5.]])
    """
    if randomness not in ("error", "same"):
        raise ArgumentError(
            "jacfwd: the function runs once, so random numbers cannot differ between columns",
            got=repr(randomness), expected="'same' or 'error'", where=user_location_text(),
        )  # fmt: skip

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = positions("jacfwd", argnums, len(args))
        primals = tuple(args[place] for place in places)
        _require_real("jacfwd", "arguments", flatten(primals)[1])
        chosen = of_chosen(func, args, places, kwargs)
        made = pushforward("jacfwd", chosen, primals, has_aux, False)
        _, outputs, rebuild = flatten(made.value)
        _require_real("jacfwd", "results", outputs)
        _, inputs, rebuild_args = flatten(primals)

        def columns(*basis: Tensor) -> Any:
            return tuple(flatten(made.push(*rebuild_args(basis)))[1])

        with set_grad_enabled(made.level.tracks([])):
            found = vmap(columns)(*_basis("jacfwd", inputs))
        parts = _split(found, inputs)
        blocks = [
            by_argnums(argnums, rebuild_args([
                _columns_last(parts[j][i], x.shape) for j, x in enumerate(inputs)
            ]))
            for i in range(len(outputs))
        ]  # fmt: skip
        jacobian = rebuild(blocks)
        return (jacobian, made.aux) if has_aux else jacobian

    return wrapped


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes the Hessian of ``func``, forward over reverse.

    Args:
        func: returns tensors.
        argnums: which arguments to differentiate by.

    Source: ``torch.func.hessian``.

    Example:
        >>> import graphc as gc
        >>> gc.func.hessian(lambda x: (x**3).sum())(gc.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def _basis(what: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Unit vectors of all elements of all tensors together: one example each."""
    counts = []
    for x in tensors:
        count = math.prod(x.shape)
        if not isinstance(count, int):
            raise ShapeError(
                f"{what}: sizes must be known, there is one product per element", got=str(x.type),
                fix="record with fixed sizes", where=user_location_text(),
            )  # fmt: skip
        counts.append(count)
    total, start, basis = sum(counts), 0, []
    for x, count in zip(tensors, counts, strict=True):
        block = np.eye(total, count, -start, x.dtype.numpy)
        basis.append(concrete(block.reshape((total, *x.shape))))
        start += count
    return basis


def _require_real(function: str, what: str, tensors: Sequence[Tensor]) -> None:
    """Raise ArgumentError for complex tensors, of which the two modes differ by a conjugate."""
    for x in tensors:
        if x.dtype.is_complex:
            raise ArgumentError(
                f"{function}: the {what} must be real", got=str(x.type),
                fix="differentiate by gc.view_as_real(z), and return such parts",
                where=user_location_text(),
            )  # fmt: skip


def _split(found: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[list[Tensor]]:
    """What belongs to the unit vectors of each tensor."""
    parts, start = [], 0
    for x in tensors:
        stop = start + math.prod(x.shape)
        parts.append([each[start:stop] for each in found])
        start = stop
    return parts


def _columns_last(part: Tensor, shape: Sequence[int]) -> Tensor:
    """``(columns, *output)`` to ``(*output, *shape)``."""
    turned = permute(part, dims=(*range(1, part.ndim), 0))
    return reshape(turned, shape=(*turned.shape[:-1], *shape))
