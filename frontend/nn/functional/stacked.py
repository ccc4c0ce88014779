"""Layers of a recurrent network, one after the other, in one direction or in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.errors import ShapeError
from graphc.frontend.functions.picking import select
from graphc.frontend.functions.pieces import cat, stack
from graphc.frontend.nn.functional.dropout import dropout
from graphc.frontend.nn.functional.recurrence import Kind, State, Weights, recur
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def run_layers(
    kind: Kind, input: Tensor, exists: Tensor | None, state: State,
    layers: Sequence[Sequence[Weights]], drop: float, training: bool,
) -> tuple[Tensor, State]:  # fmt: skip
    """Run all layers.

    Args:
        kind: what each step does.
        input: ``(steps, batch, size)``.
        exists: ``(steps, batch, 1)``: where False, a sequence is over; None: nowhere.
        state: where each layer and direction begins: ``(layers * directions, batch, hidden)`` each.
        layers: the parameters of each direction of each layer.
        drop: probability of dropping an output between layers.
        training: drop them at all.

    Returns:
        The outputs of the last layer, and the last states.

    Raises:
        ShapeError: for sequences without steps.
    """
    x = input
    if x.shape[0] == 0:
        raise ShapeError(
            "a recurrent layer needs sequences of one step or more", got=str(input.type),
            where=user_location_text(),
        )  # fmt: skip
    last: list[State] = []
    for number, layer in enumerate(layers):
        outputs = []
        for direction, weights in enumerate(layer):
            start = tuple(select(part, 0, len(last)) for part in state)
            made, after = recur(kind, x, start, weights, exists, reverse=direction == 1)
            outputs.append(made)
            last.append(after)
        x = cat(outputs, -1) if len(outputs) > 1 else outputs[0]
        if number < len(layers) - 1:
            x = dropout(x, drop, training)
    final = tuple(stack(part) for part in zip(*last, strict=True))
    return x, final
