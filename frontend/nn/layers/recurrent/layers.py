"""Recurrent layers over whole sequences."""

from __future__ import annotations

from typing import Any, overload

from graphc.dims import Size
from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError, ArgumentTypeError
from graphc.frontend.base import is_tensor
from graphc.frontend.nn.layers.recurrent.base import RNNBase, Sequences, reordered
from graphc.frontend.nn.utils.masked import MaskedSequence
from graphc.frontend.nn.utils.packed import PackedSequence
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["GRU", "LSTM", "RNN"]


class _OneState(RNNBase):
    """A layer whose state is one tensor."""

    @overload
    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def forward(
        self, input: PackedSequence, hx: Tensor | None = None
    ) -> tuple[PackedSequence, Tensor]: ...
    @overload
    def forward(
        self, input: MaskedSequence, hx: Tensor | None = None
    ) -> tuple[MaskedSequence, Tensor]: ...
    def forward(self, input: Sequences, hx: Tensor | None = None) -> tuple[Sequences, Tensor]:
        outputs, (hidden,) = self._run(input, None if hx is None else (hx,))
        return outputs, hidden


class RNN(_OneState):
    """A simple recurrent network (``torch.nn.RNN``).

    Args:
        input_size: size of the input's vectors.
        hidden_size: size of the states, and of the outputs.
        num_layers: layers, each of which reads the outputs of the one before.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: add learned biases.
        batch_first: sequences are ``(batch, length, size)``, not ``(length, batch, size)``.
        dropout: probability of dropping an output between layers while training.
        bidirectional: read the sequence from both ends, and join the outputs.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.
        proj_size: refused.

    Called with sequences, also without a batch or as a ``PackedSequence``, and states to begin with
    ``(layers * directions, batch, hidden_size)``, which are zeros by default, it returns the
    outputs of all steps and the last states. It compiles to one loop for each layer and direction.

    Raises:
        ArgumentError: for sizes or probabilities out of range.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> outputs, last = nn.RNN(3, 4, num_layers=2)(gc.randn(5, 2, 3))
        >>> outputs.shape, last.shape
        ((5, 2, 4), (2, 2, 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
        bidirectional: bool = False, device: object = None, dtype: DTypeLike | None = None, *,
        proj_size: object = None,
    ) -> None:  # fmt: skip
        _refuse_projection(proj_size)
        modes = {"tanh": "RNN_TANH", "relu": "RNN_RELU"}
        if nonlinearity not in modes:
            raise ArgumentError(
                "RNN: unknown nonlinearity", got=repr(nonlinearity), expected="'tanh' or 'relu'",
                where=user_location_text(),
            )  # fmt: skip
        super().__init__(
            modes[nonlinearity], input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, 0, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity


class GRU(_OneState):
    """Gated recurrent units (``torch.nn.GRU``); as ``RNN``.

    Args:
        input_size: size of the input's vectors.
        hidden_size: size of the states, and of the outputs.
        num_layers: layers, each of which reads the outputs of the one before.
        bias: add learned biases.
        batch_first: sequences are ``(batch, length, size)``, not ``(length, batch, size)``.
        dropout: probability of dropping an output between layers while training.
        bidirectional: read the sequence from both ends, and join the outputs.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.
        proj_size: refused.

    Raises:
        ArgumentError: for sizes or probabilities out of range.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014).
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        device: object = None, dtype: DTypeLike | None = None, *, proj_size: object = None,
    ) -> None:  # fmt: skip
        _refuse_projection(proj_size)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            0, device, dtype,
        )  # fmt: skip


class LSTM(RNNBase):
    """Long short-term memory (``torch.nn.LSTM``).

    Args:
        input_size: size of the input's vectors.
        hidden_size: size of the cell states.
        num_layers: layers, each of which reads the outputs of the one before.
        bias: add learned biases.
        batch_first: sequences are ``(batch, length, size)``, not ``(length, batch, size)``.
        dropout: probability of dropping an output between layers while training.
        bidirectional: read the sequence from both ends, and join the outputs.
        proj_size: size of the outputs, which are projected to it; 0: ``hidden_size``.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Called as ``RNN`` is, with a pair of hidden and cell states to begin with, it returns the
    outputs of all steps, and the pair of the last states.

    Raises:
        ArgumentError: for sizes or probabilities out of range.

    Source: Hochreiter, Schmidhuber, "Long short-term memory" (1997); Sak, Senior, Beaufays (2014)
    for projections.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> outputs, (hidden, cell) = nn.LSTM(3, 4, bidirectional=True)(gc.randn(5, 2, 3))
        >>> outputs.shape, hidden.shape, cell.shape
        ((5, 2, 8), (2, 2, 4), (2, 2, 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        proj_size: int = 0, device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size, device, dtype,
        )  # fmt: skip

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[Size, Size, Size]:
        """The shape of the cell states for this input."""
        return self._state_shape(input, batch_sizes, self.hidden_size)

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """A pair of states with their sequences in another order."""
        return tuple(reordered(part, permutation) for part in hx)

    @overload
    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]: ...
    @overload
    def forward(
        self, input: PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[PackedSequence, tuple[Tensor, Tensor]]: ...
    @overload
    def forward(
        self, input: MaskedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[MaskedSequence, tuple[Tensor, Tensor]]: ...
    def forward(
        self, input: Sequences, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Sequences, tuple[Tensor, Tensor]]:
        if is_tensor(hx):
            raise ArgumentTypeError(
                "LSTM: expected a pair of hidden states and cell states", got="one tensor",
                where=user_location_text(),
            )  # fmt: skip
        outputs, (hidden, cell) = self._run(input, None if hx is None else tuple(hx))
        return outputs, (hidden, cell)


def _refuse_projection(proj_size: object) -> None:
    if proj_size is not None:
        raise ArgumentError(
            "proj_size is for LSTM only", got=repr(proj_size), where=user_location_text()
        )
