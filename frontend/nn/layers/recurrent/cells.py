"""One step of recurrent networks as layers."""

from __future__ import annotations

import math

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError, ArgumentTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.creation import zeros as filled_with_zeros
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.cells import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What ``RNNCell``, ``LSTMCell`` and ``GRUCell`` share (``torch.nn.RNNCellBase``).

    Args:
        input_size: size of the input's vectors.
        hidden_size: size of the states.
        bias: add learned biases.
        num_chunks: number of gates.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int,
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        of = element_type(device, dtype)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(zeros((gates, input_size), of))
        self.weight_hh = Parameter(zeros((gates, hidden_size), of))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(zeros((gates,), of)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        told = f"{self.input_size}, {self.hidden_size}"
        return told if self.bias is True else f"{told}, bias={self.bias}"

    def _batched(
        self, input: Tensor, states: tuple[Tensor, ...] | None, count: int
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Input and states with a batch; zeros where no states are given."""
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ShapeError(
                f"{name}: expected (batch, size) or (size,)", got=str(input.type),
                where=user_location_text(),
            )  # fmt: skip
        x = input if input.ndim == 2 else unsqueeze(input, 0)
        if states is None:
            shape = (x.shape[0], self.hidden_size)
            return x, (filled_with_zeros(shape, dtype=x.dtype),) * count
        if len(states) != count or any(part.ndim != input.ndim for part in states):
            raise ShapeError(
                f"{name}: expected {'a state' if count == 1 else 'two states'} like the input",
                got=f"input {input.type}, states {', '.join(str(part.type) for part in states)}",
                where=user_location_text(),
            )  # fmt: skip
        return x, states if input.ndim == 2 else tuple(unsqueeze(part, 0) for part in states)


class RNNCell(RNNCellBase):
    """One step of a simple recurrent network (``torch.nn.RNNCell``).

    Args:
        input_size: size of the input's vectors.
        hidden_size: size of the state.
        bias: add learned biases.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Called with ``(batch, input_size)`` or ``(input_size,)`` and the state, zeros by default, it
    returns the next state.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> cell = nn.RNNCell(3, 4)
        >>> cell(gc.randn(2, 3), cell(gc.randn(2, 3))).shape
        (2, 4)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        steps = {"tanh": rnn_tanh_cell, "relu": rnn_relu_cell}
        if self.nonlinearity not in steps:
            raise ArgumentError(
                "RNNCell: unknown nonlinearity", got=repr(self.nonlinearity),
                expected="'tanh' or 'relu'", where=user_location_text(),
            )  # fmt: skip
        x, (state,) = self._batched(input, None if hx is None else (hx,), 1)
        made = steps[self.nonlinearity](
            x, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        return made if input.ndim == 2 else drop_dims(made, (0,))

    def extra_repr(self) -> str:
        told = super().extra_repr()
        if self.nonlinearity == "tanh":
            return told
        return f"{told}, nonlinearity={self.nonlinearity}"


class LSTMCell(RNNCellBase):
    """One step of long short-term memory (``torch.nn.LSTMCell``).

    Args:
        input_size: size of the input's vectors.
        hidden_size: size of the states.
        bias: add learned biases.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Called with ``(batch, input_size)`` or ``(input_size,)`` and the pair of hidden state and cell
    state, zeros by default, it returns the next pair.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        if is_tensor(hx):
            raise ArgumentTypeError(
                "LSTMCell: expected a pair of hidden state and cell state", got="one tensor",
                where=user_location_text(),
            )  # fmt: skip
        x, states = self._batched(input, None if hx is None else tuple(hx), 2)
        hidden, cell = lstm_cell(
            x, states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        if input.ndim == 2:
            return hidden, cell
        return drop_dims(hidden, (0,)), drop_dims(cell, (0,))


class GRUCell(RNNCellBase):
    """One step of gated recurrent units (``torch.nn.GRUCell``); called as ``RNNCell``.

    Args:
        input_size: size of the input's vectors.
        hidden_size: size of the state.
        bias: add learned biases.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, (state,) = self._batched(input, None if hx is None else (hx,), 1)
        made = gru_cell(x, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return made if input.ndim == 2 else drop_dims(made, (0,))
