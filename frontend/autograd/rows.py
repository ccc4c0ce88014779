"""Jacobians row by row: one backward walk per element of the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphc.errors import ShapeError
from graphc.frontend.autograd.api import grad
from graphc.frontend.autograd.zeros import zeros_of
from graphc.frontend.functions.pieces import stack
from graphc.frontend.making import concrete
from graphc.ops.shape import reshape
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def jacobian_rows(
    output: Tensor, inputs: Sequence[Tensor], create_graph: bool
) -> list[Tensor | None]:
    """The derivatives of all elements of the output by all inputs.

    Args:
        output: tensor of a known size.
        inputs: tensors that require gradients.
        create_graph: let the results have gradients.

    Returns:
        Per input a tensor of the output's dims and then its own; None if no path leads to it.

    Raises:
        ShapeError: while recording, if the output's size is unknown.
    """
    count = output.numel()
    if not isinstance(count, int):
        raise ShapeError(
            "a Jacobian needs outputs of known sizes", got=str(output.type),
            where=user_location_text(),
        )  # fmt: skip
    if not output.requires_grad or count == 0:
        return [None] * len(inputs)
    rows = [
        grad(
            output, inputs, _one_hot(output, place), retain_graph=True, create_graph=create_graph,
            allow_unused=True,
        )
        for place in range(count)
    ]  # fmt: skip
    return [
        _stacked(output, x, [row[position] for row in rows]) for position, x in enumerate(inputs)
    ]


def _one_hot(like: Tensor, place: int) -> Tensor:
    start = np.zeros(like.shape, like.dtype.numpy)
    start.reshape(-1)[place] = 1
    return concrete(start)


def _stacked(output: Tensor, x: Tensor, rows: list[Tensor | None]) -> Tensor | None:
    if all(row is None for row in rows):
        return None
    made = stack([zeros_of(x.type) if row is None else row for row in rows])
    result: Tensor = reshape(made, shape=(*output.shape, *x.shape))
    return result
