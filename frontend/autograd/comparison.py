"""What ``gradcheck`` compares: derivatives by the tape against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError
from graphc.frontend.autograd.differences import (
    analytic_jacobians,
    from_reals,
    gradient,
    numeric_jacobians,
    numeric_product,
    reals,
    size_of,
)  # fmt: skip
from graphc.frontend.autograd.functional import jvp
from graphc.frontend.base import is_tensor
from graphc.frontend.making import concrete
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Comparison:
    """The derivatives of one function at one place.

    Args:
        func: the function.
        given: its arguments.
        checked: the tensors among them to differentiate by.
        eps: step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.
    """

    def __init__(
        self, func: Callable[..., Any], given: Sequence[Any], checked: Sequence[Tensor],
        eps: float, atol: float, rtol: float,
    ) -> None:  # fmt: skip
        self._func, self._given, self._checked = func, given, checked
        self._eps, self._atol, self._rtol = eps, atol, rtol
        results = self._results()
        tracked = [place for place, x in enumerate(results) if x.requires_grad]
        self._places = tracked or [
            place for place, x in enumerate(results) if x.dtype.is_differentiable
        ]

    def outputs(self) -> list[Tensor]:
        """The outputs that have gradients."""
        return [x for x in self._compared() if x.requires_grad]

    def everywhere(self, backward: bool, forward: bool) -> None:
        """Compare all derivatives.

        Raises:
            AutogradError: if some disagree.
        """
        numeric = [numeric_jacobians(self._compared, x, self._eps) for x in self._checked]
        for number, output in enumerate(self._compared()):
            expected = [matrices[number] for matrices in numeric]
            found = self._jacobians(output)
            for position, (one, other) in enumerate(zip(found, expected, strict=True)):
                if backward:
                    self._require_close(one, other, number, f"gradient by input {position}")
                if forward:
                    one = self._forward_jacobian(number, position)
                    self._require_close(one, other, number, f"jvp by input {position}")

    def along_a_direction(self, backward: bool, forward: bool) -> None:
        """Compare the derivatives along one random direction of inputs and outputs.

        Raises:
            AutogradError: if they disagree.
        """
        rng = np.random.default_rng(0)
        numbers = [_direction(rng, size_of(x)) for x in self._checked]
        directions = [from_reals(each, x) for each, x in zip(numbers, self._checked, strict=True)]
        numeric = numeric_product(self._compared, self._checked, directions, self._eps)
        for number, (output, change) in enumerate(zip(self._compared(), numeric, strict=True)):
            weights = _direction(rng, size_of(output))
            if backward and output.requires_grad:
                start = from_reals(weights, output)
                grads = [
                    reals(each.detach().storage.array)
                    for each in gradient(output, self._checked, start)
                ]
                one = sum(float(g @ n) for g, n in zip(grads, numbers, strict=True))
                other = float(weights @ change)
                self._require_close(np.array(one), np.array(other), number, "gradient")
            elif backward:
                self._require_close(np.zeros_like(change), change, number, "gradient")
            if forward:
                found = self._jvp(number, directions)
                self._require_close(found, change, number, "jvp")

    def _jacobians(self, output: Tensor) -> list[Array]:
        if output.requires_grad:
            return analytic_jacobians(output, self._checked)
        return [np.zeros((size_of(output), size_of(x))) for x in self._checked]

    def _forward_jacobian(self, number: int, position: int) -> Array:
        x = self._checked[position]
        columns = []
        for place in range(size_of(x)):
            unit = np.zeros(size_of(x))
            unit[place] = 1
            directions = [np.zeros(each.shape, each.dtype.numpy) for each in self._checked]
            directions[position] = from_reals(unit, x)
            columns.append(self._jvp(number, directions))
        rows = size_of(self._compared()[number])
        return np.stack(columns, axis=1) if columns else np.zeros((rows, 0))

    def _jvp(self, number: int, directions: Sequence[Array]) -> Array:
        """The change of one output along a direction, by forward mode."""
        vectors = tuple(concrete(each) for each in directions)

        def one(*tensors: Tensor) -> Tensor:
            values = iter(tensors)
            args = [next(values) if _is_one_of(x, self._checked) else x for x in self._given]
            return _listed(self._func(*args))[self._places[number]]

        _, found = jvp(one, tuple(self._checked), vectors)
        return reals(found.detach().storage.array)

    def _results(self) -> list[Tensor]:
        return _listed(self._func(*self._given))

    def _compared(self) -> list[Tensor]:
        """The outputs whose derivatives are compared: those that have some, or else all."""
        results = self._results()
        return [results[place] for place in self._places]

    def _require_close(self, found: Array, expected: Array, number: int, what: str) -> None:
        if np.allclose(found, expected, self._rtol, self._atol):
            return
        worst = float(np.abs(found - expected).max())
        narrow = [x.dtype.name for x in self._checked if x.dtype.name not in _EXACT]
        raise AutogradError(
            f"gradcheck: the {what} of output {number} is wrong",
            got=f"differences up to {worst:.3g}",
            expected=f"within {self._atol} + {self._rtol} * |numeric|",
            fix=f"use float64: differences are inexact in {narrow[0]}" if narrow else "",
            where=user_location_text(),
        )


_EXACT = ("float64", "complex128")


def _listed(result: Any) -> list[Tensor]:
    results = [result] if is_tensor(result) else list(result)
    return [x for x in results if is_tensor(x)]


def _is_one_of(x: Any, tensors: Sequence[Tensor]) -> bool:
    return any(x is each for each in tensors)


def _direction(rng: np.random.Generator, size: int) -> Array:
    """A random vector of length 1."""
    numbers = rng.normal(size=size)
    return numbers / max(float(np.linalg.norm(numbers)), 1e-300)
