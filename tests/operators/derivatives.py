"""First and second derivatives of a call along one random direction, by rules and by differences.

A random projection sees every wrong element, and needs two evaluations whatever the sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import graphc as gc
from graphc.frontend.structure import flatten
from tests.operators.notation import Call

Array = npt.NDArray[Any]
STEP = 1e-5
FIXED = "NKBQ"
"""Kinds of tensors of which no gradient is asked."""


def as_leaves(call: Call, arrays: Sequence[Array]) -> list[gc.Tensor]:
    """The tensors of a call; those that have a gradient require it."""
    return [
        gc.tensor(array) if leaf.kind in FIXED else gc.tensor(array).requires_grad_()
        for leaf, array in zip(call.leaves, arrays, strict=True)
    ]


def random_like(array: Array, rng: np.random.Generator) -> Array:
    """Random numbers of an array's shape and kind."""
    values = np.asarray(rng.uniform(-1, 1, array.shape))
    if array.dtype.kind == "c":
        values = np.asarray(values + 1j * rng.uniform(-1, 1, array.shape))
    return values.astype(array.dtype)


def projected(tensors: Sequence[gc.Tensor], seed: int) -> gc.Tensor | None:
    """One real number of all tensors that require gradients; None if none does."""
    rng = np.random.default_rng(seed)
    total = None
    for each in tensors:
        if each.requires_grad:
            part = (each * gc.tensor(random_like(each.detach().numpy(), rng))).sum()
            part = part.real if part.is_complex() else part
            total = part if total is None else total + part
    return total


class Slopes:
    """A call as a real function of its tensors, and its derivatives along one direction."""

    def __init__(self, call: Call) -> None:
        self.call, self.arrays = call, call.arrays()
        rng = np.random.default_rng(1)
        self.directions = [
            leaf.symmetric(random_like(array, rng)) if leaf.kind not in FIXED else None
            for leaf, array in zip(call.leaves, self.arrays, strict=True)
        ]

    @property
    def order(self) -> int:
        """How often it can be differentiated before nothing depends on its tensors, at most 2."""
        return next((order for order in (0, 1) if self.value(order + 1) is None), 2)

    def value(self, order: int, distance: float = 0.0) -> tuple[gc.Tensor, Any] | None:
        """The function, or the one that its gradients make, with the tensors it depends on.

        Args:
            order: 1 for the call itself, 2 for its gradients.
            distance: how far to go in the direction.
        """
        arrays = [
            array if direction is None else array + distance * direction
            for array, direction in zip(self.arrays, self.directions, strict=True)
        ]
        leaves = as_leaves(self.call, arrays)
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        value = projected(flatten(self.call.function(*leaves))[1], 2)
        if value is None or not wanted:
            return None
        if order == 2:
            grads = gc.autograd.grad(value, wanted, create_graph=True, allow_unused=True)
            value = projected([grad for grad in grads if grad is not None], 3)
        return None if value is None else (value, leaves)

    def by_rules(self, order: int) -> float:
        """The derivative along the direction."""
        found = self.value(order)
        assert found is not None
        value, leaves = found
        pairs = [
            (leaf, direction)
            for leaf, direction in zip(leaves, self.directions, strict=True)
            if direction is not None
        ]
        grads = gc.autograd.grad(value, [leaf for leaf, _ in pairs], allow_unused=True)
        return float(
            sum(
                np.sum(np.real(np.conj(grad.numpy()) * direction))
                for grad, (_, direction) in zip(grads, pairs, strict=True)
                if grad is not None
            )
        )

    def by_differences(self, order: int) -> float:
        """The same, of two evaluations."""
        ends = [self.value(order, distance) for distance in (STEP, -STEP)]
        (above, below) = (float(end[0].item()) for end in ends if end is not None)
        return (above - below) / (2 * STEP)
