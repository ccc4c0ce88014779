"""Jacobians by finite differences and by backward, as matrices of real numbers.

A complex number counts as two real ones: a gradient's parts are the derivatives by the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.frontend.autograd.api import grad
from graphc.frontend.making import concrete
from graphc.frontend.modes import set_grad_enabled
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Run = Callable[[], Sequence["Tensor"]]


def reals(array: Array) -> Array:
    """All real numbers of an array in one dim, as a copy in float64."""
    flat = np.array(array).reshape(-1)
    if flat.dtype.kind == "c":
        flat = np.stack([flat.real, flat.imag], axis=1).reshape(-1)
    return flat.astype(np.float64)


def from_reals(numbers: Array, like: Tensor) -> Array:
    """The inverse of ``reals``: an array of the tensor's shape and dtype."""
    if like.dtype.is_complex:
        numbers = numbers[::2] + 1j * numbers[1::2]
    return numbers.reshape(like.shape).astype(like.dtype.numpy)


def size_of(x: Tensor) -> int:
    """How many real numbers a tensor has."""
    return int(x.storage.array.size) * (2 if x.dtype.is_complex else 1)


def numeric_jacobians(run: Run, x: Tensor, eps: float) -> list[Array]:
    """Central differences of all outputs by one input.

    Args:
        run: computes the outputs from the inputs' present values.
        x: the input; its values are changed meanwhile.
        eps: the step.

    Returns:
        Per output a matrix with a row per number of the output, a column per number of ``x``.
    """
    columns = [_difference(run, x, direction, eps) for direction in _units(x)]
    if not columns:
        return [np.zeros((size_of(output), 0)) for output in run()]
    return [np.stack(parts, axis=1) for parts in zip(*columns, strict=True)]


def numeric_product(run: Run, xs: Sequence[Tensor], directions: Sequence[Array], eps: float) -> Any:
    """The change of all outputs along one direction of all inputs, by central differences."""
    values = [_present(x) for x in xs]
    kept = [value.copy() for value in values]
    results = []
    for sign in (eps, -eps):
        for value, before, direction in zip(values, kept, directions, strict=True):
            value[...] = before + sign * direction
        results.append(_outputs(run))
    for value, before in zip(values, kept, strict=True):
        value[...] = before
    return [(above - below) / (2 * eps) for above, below in zip(*results, strict=True)]


def analytic_jacobians(output: Tensor, inputs: Sequence[Tensor]) -> list[Array]:
    """The derivatives of one output by all inputs, as ``numeric_jacobians`` arranges them."""
    rows = [
        [reals(np.asarray(each.detach().storage.array)) for each in gradient(output, inputs, unit)]
        for unit in _units(output)
    ]
    return [
        np.array([row[position] for row in rows]).reshape(len(rows), size_of(x))
        for position, x in enumerate(inputs)
    ]


def gradient(output: Tensor, inputs: Sequence[Tensor], start: Array) -> Sequence[Any]:
    """The gradients of the inputs for one gradient of the output; zeros where there is no path."""
    return grad(output, inputs, concrete(start), retain_graph=True, materialize_grads=True)


def _units(x: Tensor) -> Iterator[Array]:
    """Arrays like a tensor in which one real number is 1, and all others 0."""
    for place in range(size_of(x)):
        numbers = np.zeros(size_of(x))
        numbers[place] = 1
        yield from_reals(numbers, x)


def _difference(run: Run, x: Tensor, direction: Array, eps: float) -> list[Array]:
    found: list[Array] = numeric_product(run, [x], [direction], eps)
    return found


def _present(x: Tensor) -> Array:
    return x.storage.array


def _outputs(run: Run) -> list[Array]:
    with set_grad_enabled(True):
        return [reals(x.detach().storage.array) for x in run()]
