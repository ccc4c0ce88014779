"""One step of recurrent networks (``torch.gru_cell`` and its relatives)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.dims import Size
from graphc.errors import ShapeError
from graphc.frontend.functions.choosing import relu
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.exponential import sigmoid
from graphc.frontend.functions.pieces import chunk
from graphc.frontend.functions.trigonometric import tanh
from graphc.frontend.nn.functional.linear import linear
from graphc.frontend.nn.functional.shapes import agree
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"]


def _sums(
    function: str, input: Tensor, hidden: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None, b_hh: Tensor | None, parts: int,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:  # fmt: skip
    """What the input and the hidden state give to each gate."""
    x, h = require_tensor(function, input), require_tensor(function, hidden)
    if x.ndim != 2 or h.ndim != 2:
        raise ShapeError(
            f"{function}: expected input and state (batch, size)", got=f"{x.type} and {h.type}",
            where=user_location_text(),
        )  # fmt: skip
    _require_fitting(function, h, x.shape[0], w_hh)
    return chunk(linear(x, w_ih, b_ih), parts, 1), chunk(linear(h, w_hh, b_hh), parts, 1)


def _require_fitting(function: str, state: Tensor, batch: Size, w_hh: Tensor) -> None:
    """Raise ShapeError unless a state has this batch, and the size that the weights are for."""
    expected = (batch, w_hh.shape[-1])
    if not agree(state.shape, expected):
        raise ShapeError(
            f"{function}: a state does not fit input and weights", got=str(state.type),
            expected=str(expected), where=user_location_text(),
        )  # fmt: skip


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """One step of a simple recurrent network with tanh (``torch.rnn_tanh_cell``).

    Args:
        input: ``(batch, size)``.
        hx: the state ``(batch, hidden)``.
        w_ih: ``(hidden, size)``.
        w_hh: ``(hidden, hidden)``.
        b_ih: ``(hidden,)``.
        b_hh: ``(hidden,)``.
    """
    (x,), (h,) = _sums("rnn_tanh_cell", input, hx, w_ih, w_hh, b_ih, b_hh, 1)
    return tanh(x + h)


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``rnn_tanh_cell`` with relu (``torch.rnn_relu_cell``)."""
    (x,), (h,) = _sums("rnn_relu_cell", input, hx, w_ih, w_hh, b_ih, b_hh, 1)
    return relu(x + h)


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """One step of gated recurrent units (``torch.gru_cell``).

    Args:
        input: ``(batch, size)``.
        hx: the state ``(batch, hidden)``.
        w_ih: ``(3 * hidden, size)``: reset, update and new gate.
        w_hh: ``(3 * hidden, hidden)``.
        b_ih: ``(3 * hidden,)``.
        b_hh: ``(3 * hidden,)``.
    """
    of_input, of_state = _sums("gru_cell", input, hx, w_ih, w_hh, b_ih, b_hh, 3)
    reset = sigmoid(of_input[0] + of_state[0])
    update = sigmoid(of_input[1] + of_state[1])
    new = tanh(of_input[2] + reset * of_state[2])
    return (hx - new) * update + new


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One step of long short-term memory (``torch.lstm_cell``).

    Args:
        input: ``(batch, size)``.
        hx: hidden state and cell state, ``(batch, hidden)`` each.
        w_ih: ``(4 * hidden, size)``: input, forget, cell and output gate.
        w_hh: ``(4 * hidden, hidden)``.
        b_ih: ``(4 * hidden,)``.
        b_hh: ``(4 * hidden,)``.

    Returns:
        The next hidden state and cell state.
    """
    hidden, cell = hx
    of_input, of_state = _sums("lstm_cell", input, hidden, w_ih, w_hh, b_ih, b_hh, 4)
    _require_fitting("lstm_cell", require_tensor("lstm_cell", cell), hidden.shape[0], w_hh)
    enter, forget, fresh, leave = (a + b for a, b in zip(of_input, of_state, strict=True))
    cell = sigmoid(forget) * cell + sigmoid(enter) * tanh(fresh)
    return sigmoid(leave) * tanh(cell), cell
