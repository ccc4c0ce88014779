"""One layer of a recurrent network: one product for all inputs, then a scan over the states."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from graphc.frontend.functions.choosing import relu, where
from graphc.frontend.functions.control import scan
from graphc.frontend.functions.exponential import sigmoid
from graphc.frontend.functions.pieces import cat, chunk, narrow
from graphc.frontend.functions.trigonometric import tanh
from graphc.frontend.nn.functional.linear import linear

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

State = tuple["Tensor", ...]
Step = Callable[[State, "Tensor"], State]


class Weights(NamedTuple):
    """The parameters of one layer in one direction.

    Attributes:
        input: ``weight_ih``, ``(gates * hidden, input)``.
        hidden: ``weight_hh``, ``(gates * hidden, output)``.
        input_bias: ``bias_ih``, ``(gates * hidden,)``.
        hidden_bias: ``bias_hh``, the same.
        projection: ``weight_hr``, ``(output, hidden)``.
    """

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None
    projection: Tensor | None = None


class Kind(NamedTuple):
    """A kind of recurrent layer.

    Attributes:
        gates: how many gates it has.
        states: how many tensors its state has; the first one is its output.
        early_bias: how many gates can have the bias of the state added before the scan.
        step: makes the function that gives the next state from the state and what the input
            gives to the gates.
    """

    gates: int
    states: int
    early_bias: int
    step: Callable[[Weights], Step]


def _plain(activation: Callable[[Tensor], Tensor]) -> Callable[[Weights], Step]:
    def make(weights: Weights) -> Step:
        def step(state: State, from_input: Tensor) -> State:
            return (activation(from_input + linear(state[0], weights.hidden)),)

        return step

    return make


def _lstm(weights: Weights) -> Step:
    def step(state: State, from_input: Tensor) -> State:
        hidden, cell = state
        gates = chunk(from_input + linear(hidden, weights.hidden), 4, -1)
        enter, forget, fresh, leave = gates
        cell = sigmoid(forget) * cell + sigmoid(enter) * tanh(fresh)
        hidden = sigmoid(leave) * tanh(cell)
        if weights.projection is not None:
            hidden = linear(hidden, weights.projection)
        return hidden, cell

    return step


def _gru(weights: Weights) -> Step:
    bias = None if weights.hidden_bias is None else chunk(weights.hidden_bias, 3)[2]

    def step(state: State, from_input: Tensor) -> State:
        (hidden,) = state
        of_input = chunk(from_input, 3, -1)
        of_state = chunk(linear(hidden, weights.hidden), 3, -1)
        reset = sigmoid(of_input[0] + of_state[0])
        update = sigmoid(of_input[1] + of_state[1])
        last = of_state[2] if bias is None else of_state[2] + bias
        new = tanh(of_input[2] + reset * last)
        return ((hidden - new) * update + new,)

    return step


RNN_TANH = Kind(1, 1, 1, _plain(tanh))
RNN_RELU = Kind(1, 1, 1, _plain(relu))
LSTM = Kind(4, 2, 4, _lstm)
GRU = Kind(3, 1, 2, _gru)


def recur(
    kind: Kind, input: Tensor, state: State, weights: Weights, exists: Tensor | None, reverse: bool
) -> tuple[Tensor, State]:
    """Run one layer in one direction.

    Args:
        kind: what each step does.
        input: ``(steps, batch, size)``.
        state: where it begins, ``(batch, hidden)`` each.
        weights: the parameters.
        exists: ``(steps, batch, 1)``: where False, the state stays as it is; None: nowhere.
        reverse: begin with the last step.

    Returns:
        The outputs of all steps, and the last state.
    """
    from_input = linear(input, weights.input, _early_bias(kind, weights))
    step = kind.step(weights)

    def all_exist(state: State, item: Tensor) -> tuple[State, Tensor]:
        state = step(state, item)
        return state, state[0]

    def some_exist(state: State, item: tuple[Tensor, Tensor]) -> tuple[State, Tensor]:
        gates, is_there = item
        after = step(state, gates)
        state = tuple(where(is_there, new, old) for new, old in zip(after, state, strict=True))
        return state, state[0]

    if exists is None:
        state, outputs = scan(all_exist, state, from_input, reverse=reverse)
    else:
        state, outputs = scan(some_exist, state, (from_input, exists), reverse=reverse)
    return outputs, state


def _early_bias(kind: Kind, weights: Weights) -> Tensor | None:
    """What is added to all gates before the scan."""
    of_input, of_state = weights.input_bias, weights.hidden_bias
    if of_input is None or of_state is None:
        return of_input
    if kind.early_bias == kind.gates:
        return of_input + of_state
    size = of_state.shape[0] // kind.gates * kind.early_bias
    rest = of_state.shape[0] - size
    return cat([narrow(of_input, 0, 0, size) + narrow(of_state, 0, 0, size),
                narrow(of_input, 0, size, rest)])  # fmt: skip
