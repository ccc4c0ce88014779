"""Recurrent networks as functions of flat lists of parameters (``torch.lstm`` and relatives)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.dims import Size
from graphc.dtypes import INTEGER
from graphc.errors import ArgumentError, ArgumentTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.shaping import transpose
from graphc.frontend.nn.functional.packing import Packing
from graphc.frontend.nn.functional.recurrence import GRU, LSTM, RNN_RELU, RNN_TANH, Kind, Weights
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.functional.stacked import run_layers
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["gru", "lstm", "rnn_relu", "rnn_tanh"]


class _Call(NamedTuple):
    """The arguments of one call; a packed one has ``batch_sizes``, and no ``batch_first``."""

    input: Tensor
    hx: Any
    params: Sequence[Tensor]
    has_biases: bool
    num_layers: int
    dropout: float
    train: bool
    bidirectional: bool
    batch_first: bool = False
    batch_sizes: Tensor | None = None


_PADDED = _Call._fields[:-1]
_PACKED = ("data", "batch_sizes", *_Call._fields[1:-2])


def lstm(*args: Any, **named: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory over whole sequences (``torch.lstm``).

    It is called as ``lstm(input, hx, params, has_biases, num_layers, dropout, train,
    bidirectional, batch_first)``, or for packed rows as ``lstm(data, batch_sizes, hx, params,
    has_biases, num_layers, dropout, train, bidirectional)``.

    Args:
        args: ``input`` is ``(steps, batch, size)``; ``hx`` are hidden states and cell states,
            ``(layers * directions, batch, hidden)`` each; ``params`` are ``weight_ih``,
            ``weight_hh``, with biases ``bias_ih`` and ``bias_hh``, and for projections
            ``weight_hr``, of each direction of each layer.
        named: the same by name.

    Returns:
        The outputs of all steps, the last hidden states and the last cell states.

    Raises:
        ShapeError: if shapes do not fit.
        ArgumentError: for another number of parameters.

    Source: Hochreiter, Schmidhuber, "Long short-term memory" (1997); ``torch.lstm``.
    """
    outputs, (hidden, cell) = _run("lstm", LSTM, args, named)
    return outputs, hidden, cell


def gru(*args: Any, **named: Any) -> tuple[Tensor, Tensor]:
    """Gated recurrent units over whole sequences (``torch.gru``); arguments as for ``lstm``.

    Args:
        args: ``hx`` is one tensor of hidden states.
        named: the same by name.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014);
    ``torch.gru``.
    """
    outputs, (hidden,) = _run("gru", GRU, args, named)
    return outputs, hidden


def rnn_tanh(*args: Any, **named: Any) -> tuple[Tensor, Tensor]:
    """A simple recurrent network with tanh over whole sequences (``torch.rnn_tanh``); as ``gru``.

    Args:
        args: as for ``gru``.
        named: the same by name.
    """
    outputs, (hidden,) = _run("rnn_tanh", RNN_TANH, args, named)
    return outputs, hidden


def rnn_relu(*args: Any, **named: Any) -> tuple[Tensor, Tensor]:
    """``rnn_tanh`` with relu (``torch.rnn_relu``).

    Args:
        args: as for ``gru``.
        named: the same by name.
    """
    outputs, (hidden,) = _run("rnn_relu", RNN_RELU, args, named)
    return outputs, hidden


def _run(
    function: str, kind: Kind, args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    call = _bound(function, args, named)
    state = (call.hx,) if is_tensor(call.hx) else tuple(call.hx)
    layers = _layers(function, kind, call)
    x = require_tensor(function, call.input)
    packing = None
    if call.batch_sizes is not None:
        packing = Packing.of_batch_sizes(call.batch_sizes, x.shape[0])
    elif call.batch_first:
        x = transpose(x, 0, 1)
    _check(function, kind, x, packing, state, layers)
    if packing is not None:
        padded = packing.pad(x)
        outputs, last = run_layers(
            kind, padded, packing.mask, state, layers, call.dropout, call.train
        )
        return packing.pack(outputs), last
    outputs, last = run_layers(kind, x, None, state, layers, call.dropout, call.train)
    return transpose(outputs, 0, 1) if call.batch_first else outputs, last


def _bound(function: str, args: tuple[Any, ...], named: dict[str, Any]) -> _Call:
    second = args[1] if len(args) > 1 else named.get("batch_sizes")
    packed = is_tensor(second) and second.dtype.category == INTEGER
    names = _PACKED if packed else _PADDED
    given = dict(zip(names, args, strict=False))
    if len(args) > len(names) or given.keys() & named or given.keys() | named != set(names):
        raise ArgumentTypeError(
            f"{function}: the arguments fit neither form",
            got=f"{len(args)} arguments, and {', '.join(named) or 'none'} by name",
            expected=f"{', '.join(_PADDED)}, or {', '.join(_PACKED)}", where=user_location_text(),
        )  # fmt: skip
    given |= named
    if packed:
        given["input"] = given.pop("data")
    return _Call(**given)


def _layers(function: str, kind: Kind, call: _Call) -> list[list[Weights]]:
    """The parameters of each direction of each layer."""
    directions = 2 if call.bidirectional else 1
    count, rest = divmod(len(call.params), max(call.num_layers * directions, 1))
    plain = 4 if call.has_biases else 2
    if rest or count not in ((plain, plain + 1) if kind is LSTM else (plain,)):
        raise ArgumentError(
            f"{function}: the number of parameters does not fit the layers",
            got=f"{len(call.params)} for {call.num_layers} layers and {directions} directions",
            expected=f"{plain} each", where=user_location_text(),
        )  # fmt: skip
    groups = [call.params[at : at + count] for at in range(0, len(call.params), count)]
    made = [
        Weights(
            group[0],
            group[1],
            group[2] if call.has_biases else None,
            group[3] if call.has_biases else None,
            group[-1] if count > plain else None,
        )
        for group in groups
    ]
    return [made[at : at + directions] for at in range(0, len(made), directions)]


def _check(
    function: str, kind: Kind, x: Tensor, packing: Packing | None, state: tuple[Tensor, ...],
    layers: list[list[Weights]],
) -> None:  # fmt: skip
    """Raise ShapeError unless input and states fit each other and the parameters."""
    weights = layers[0][0]
    hidden = weights.input.shape[0] // kind.gates
    rank = 3 if packing is None else 2
    if x.ndim != rank or len(state) != kind.states:
        raise ShapeError(
            f"{function}: expected an input with {rank} dims, and {kind.states} states",
            got=f"{x.type}, {len(state)} states", where=user_location_text(),
        )  # fmt: skip
    batch: Size = x.shape[1] if packing is None else packing.batch
    for part, size in zip(state, (weights.hidden.shape[1], hidden), strict=False):
        shape = (len(layers) * len(layers[0]), batch, size)
        if not agree(part.shape, shape):
            raise ShapeError(
                f"{function}: a state does not fit input and parameters", got=str(part.type),
                expected=str(shape), where=user_location_text(),
            )  # fmt: skip
