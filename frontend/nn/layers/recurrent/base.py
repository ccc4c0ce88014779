"""What all recurrent layers share: their parameters, their checks, and how they run."""

from __future__ import annotations

import math
import warnings
from typing import Any

from graphc.dims import Size
from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError, ArgumentTypeError, ShapeError
from graphc.frontend.functions.creation import zeros as filled_with_zeros
from graphc.frontend.functions.picking import index_select
from graphc.frontend.functions.shaping import drop_dims, transpose, unsqueeze
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.packing import Packing
from graphc.frontend.nn.functional.recurrence import GRU, LSTM, RNN_RELU, RNN_TANH, Weights
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.functional.stacked import run_layers
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.nn.utils.masked import MaskedSequence
from graphc.frontend.nn.utils.packed import PackedSequence
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

KINDS = {"LSTM": LSTM, "GRU": GRU, "RNN_TANH": RNN_TANH, "RNN_RELU": RNN_RELU}
States = tuple[Tensor, ...]
Sequences = Tensor | PackedSequence | MaskedSequence


class RNNBase(Module):
    """What ``RNN``, ``LSTM`` and ``GRU`` share (``torch.nn.RNNBase``).

    Args:
        mode: ``"RNN_TANH"``, ``"RNN_RELU"``, ``"LSTM"`` or ``"GRU"``.
        input_size: size of the input's vectors.
        hidden_size: size of the states.
        num_layers: layers, each of which reads the outputs of the one before.
        bias: add learned biases.
        batch_first: sequences are ``(batch, length, size)``, not ``(length, batch, size)``.
        dropout: probability of dropping an output between layers while training.
        bidirectional: read the sequence from both ends.
        proj_size: size of the outputs of an ``LSTM``, which are projected to it; 0: they are not.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Raises:
        ArgumentError: for sizes or probabilities out of range.
    """

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1,
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
        bidirectional: bool = False, proj_size: int = 0, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        _check_types(input_size, hidden_size, num_layers, bias, batch_first, dropout)
        _check_sizes(mode, input_size, hidden_size, num_layers, dropout, proj_size)
        self.mode = mode
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        of = element_type(device, dtype)
        for layer in range(num_layers):
            for direction in range(self._directions):
                for name, shape in self._shapes(layer, direction).items():
                    self.register_parameter(name, Parameter(zeros(shape, of)))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _output_size(self) -> int:
        return self.proj_size or self.hidden_size

    def _shapes(self, layer: int, direction: int) -> dict[str, tuple[int, ...]]:
        """The parameters of one direction of one layer."""
        gates = KINDS[self.mode].gates * self.hidden_size
        size = self._output_size * self._directions if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (gates, size), "weight_hh": (gates, self._output_size),
        }  # fmt: skip
        if self.bias:
            shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        end = f"_l{layer}{'_reverse' if direction else ''}"
        return {f"{name}{end}": shape for name, shape in shapes.items()}

    def reset_parameters(self) -> None:
        """Draw new start values."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: parameters are read where they are."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each direction of each layer, as PyTorch orders them."""
        return [
            [getattr(self, name) for name in self._shapes(layer, direction)]
            for layer in range(self.num_layers)
            for direction in range(self._directions)
        ]

    def _layers(self) -> list[list[Weights]]:
        """The parameters as they are now, for each direction of each layer."""
        made = []
        for group in self.all_weights:
            input_bias, hidden_bias = group[2:4] if self.bias else (None, None)
            projection = group[-1] if self.proj_size else None
            made.append(Weights(group[0], group[1], input_bias, hidden_bias, projection))
        return [made[at : at + self._directions] for at in range(0, len(made), self._directions)]

    # --- what is checked ----------------------------------------------------------------------

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise unless the input has the right dtype, number of dims and size.

        Args:
            input: the padded sequences, or the data of packed ones.
            batch_sizes: of packed ones.

        Raises:
            ArgumentError: for another dtype than the parameters'.
            ShapeError: for another shape.
        """
        of = self.all_weights[0][0].dtype
        if input.dtype is not of:
            raise ArgumentError(
                f"{type(self).__name__}: the input's dtype is not the parameters'",
                got=input.dtype.name, expected=of.name,
                fix=f"input.to(gc.{of.name}), or model.to(gc.{input.dtype.name})",
                where=user_location_text(),
            )  # fmt: skip
        rank = 3 if batch_sizes is None else 2
        if input.ndim != rank or not agree(input.shape[-1:], (self.input_size,)):
            raise ShapeError(
                f"{type(self).__name__}: expected {rank} dims, the last one input_size",
                got=str(input.type), expected=f"(..., {self.input_size})",
                where=user_location_text(),
            )  # fmt: skip

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[Size, Size, Size]:
        """The shape of the hidden states for this input."""
        return self._state_shape(input, batch_sizes, self._output_size)

    def _state_shape(
        self, input: Tensor, batch_sizes: Tensor | None, size: int
    ) -> tuple[Size, Size, Size]:
        batch: Size = input.shape[0 if self.batch_first else 1]
        if batch_sizes is not None:
            batch = Packing.of_batch_sizes(batch_sizes, input.shape[0]).batch
        return self.num_layers * self._directions, batch, size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[Size, Size, Size],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:  # fmt: skip
        """Raise ShapeError unless states have this shape."""
        if not agree(hx.shape, expected_hidden_size):
            raise ShapeError(
                msg.format(expected_hidden_size, list(hx.shape)), where=user_location_text()
            )

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """States with their sequences in another order."""
        return reordered(hx, permutation)

    # --- how they run -------------------------------------------------------------------------

    def _sizes(self) -> tuple[int, ...]:
        """The size of each tensor of the state."""
        return (self._output_size, self.hidden_size)[: KINDS[self.mode].states]

    def _run(self, input: Sequences, hx: States | None) -> tuple[Sequences, States]:
        if isinstance(input, PackedSequence):
            return self._run_packed(input, hx)
        if isinstance(input, MaskedSequence):
            return self._run_masked(input, hx)
        batched = self._check_rank(input, hx)
        at = 0 if self.batch_first else 1
        x = input if batched else unsqueeze(input, at)
        self.check_input(x, None)
        if hx is not None and not batched:
            hx = tuple(unsqueeze(part, 1) for part in hx)
        steps = transpose(x, 0, 1) if self.batch_first else x
        state = self._start(x, steps.shape[1], hx)
        outputs, last = self._compute(steps, None, state)
        if self.batch_first:
            outputs = transpose(outputs, 0, 1)
        if batched:
            return outputs, last
        return drop_dims(outputs, (at,)), tuple(drop_dims(part, (1,)) for part in last)

    def _run_packed(
        self, packed: PackedSequence, hx: States | None
    ) -> tuple[PackedSequence, States]:
        data, batch_sizes, sorted_indices, unsorted_indices = packed
        self.check_input(data, batch_sizes)
        packing = Packing.of_batch_sizes(batch_sizes, data.shape[0])
        if hx is not None:
            hx = tuple(reordered(part, sorted_indices) for part in hx)
        state = self._start(data, packing.batch, hx)
        outputs, last = self._compute(packing.pad(data), packing.mask, state)
        outputs = packing.pack(outputs)
        last = tuple(reordered(part, unsorted_indices) for part in last)
        return PackedSequence(outputs, batch_sizes, sorted_indices, unsorted_indices), last

    def _run_masked(
        self, sequences: MaskedSequence, hx: States | None
    ) -> tuple[MaskedSequence, States]:
        x = sequences.filled(0.0)
        self.check_input(x, None)
        state = self._start(x, x.shape[1], hx)
        outputs, last = self._compute(x, sequences.exists, state)
        return MaskedSequence(outputs, sequences.lengths), last

    def _compute(self, x: Tensor, exists: Tensor | None, state: States) -> tuple[Tensor, States]:
        return run_layers(
            KINDS[self.mode], x, exists, state, self._layers(), self.dropout, self.training
        )

    def _check_rank(self, input: Tensor, hx: States | None) -> bool:
        """Raise unless the number of dims is right; tell whether there is a batch."""
        name = type(self).__name__
        if input.ndim not in (2, 3):
            raise ShapeError(
                f"{name}: expected (length, batch, size), or (length, size)", got=str(input.type),
                where=user_location_text(),
            )  # fmt: skip
        if hx is not None and any(part.ndim != input.ndim for part in hx):
            raise ShapeError(
                f"{name}: the states must have as many dims as the input",
                got=f"input {input.type}, states {', '.join(str(part.type) for part in hx)}",
                where=user_location_text(),
            )  # fmt: skip
        return input.ndim == 3

    def _start(self, x: Tensor, batch: Size, hx: States | None) -> States:
        """The states to begin with: zeros, unless others are given."""
        sizes = self._sizes()
        count = self.num_layers * self._directions
        shapes: list[tuple[Size, Size, Size]] = [(count, batch, size) for size in sizes]
        if hx is None:
            return tuple(filled_with_zeros(shape, dtype=x.dtype) for shape in shapes)
        if len(hx) != len(sizes):
            raise ShapeError(
                f"{type(self).__name__}: expected {len(sizes)} tensors as states",
                got=str(len(hx)), where=user_location_text(),
            )  # fmt: skip
        for number, (part, shape) in enumerate(zip(hx, shapes, strict=True)):
            name = f"hidden[{number}]" if len(sizes) > 1 else "hidden"
            self.check_hidden_size(part, shape, f"Expected {name} size {{}}, got {{}}")
            if part.dtype is not x.dtype:
                raise ArgumentError(
                    f"{type(self).__name__}: the states' dtype is not the input's",
                    got=part.dtype.name, expected=x.dtype.name, where=user_location_text(),
                )  # fmt: skip
        return hx

    def extra_repr(self) -> str:
        told = [str(self.input_size), str(self.hidden_size)]
        for name, usual in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False),
            ("dropout", 0), ("bidirectional", False),
        ):  # fmt: skip
            value = getattr(self, name)
            if value != usual:
                told.append(f"{name}={value}")
        return ", ".join(told)


def reordered(part: Tensor, permutation: Tensor | None) -> Tensor:
    """States with their sequences in another order."""
    return part if permutation is None else index_select(part, 1, permutation)


def _check_types(
    input_size: object, hidden_size: object, num_layers: object, bias: object,
    batch_first: object, dropout: object,
) -> None:  # fmt: skip
    for name, value, kind in (
        ("bias", bias, bool), ("batch_first", batch_first, bool), ("input_size", input_size, int),
        ("hidden_size", hidden_size, int), ("num_layers", num_layers, int),
    ):  # fmt: skip
        if not isinstance(value, kind):
            raise ArgumentTypeError(
                f"{name} should be of type {kind.__name__}", got=repr(value),
                where=user_location_text(),
            )  # fmt: skip
    if not isinstance(dropout, int | float) or isinstance(dropout, bool):
        raise ArgumentTypeError(
            "dropout should be a probability", got=repr(dropout), where=user_location_text()
        )


def _check_sizes(
    mode: str, input_size: int, hidden_size: int, num_layers: int, dropout: float, proj_size: int
) -> None:
    for name, value, allowed in (
        ("mode", mode, mode in KINDS), ("input_size", input_size, input_size > 0),
        ("hidden_size", hidden_size, hidden_size > 0), ("num_layers", num_layers, num_layers > 0),
        ("dropout", dropout, 0 <= dropout <= 1),
        ("proj_size", proj_size, 0 <= proj_size < hidden_size),
    ):  # fmt: skip
        if not allowed:
            raise ArgumentError(
                f"a recurrent layer cannot have this {name}", got=repr(value),
                expected={"mode": ", ".join(KINDS), "dropout": "0 to 1",
                          "proj_size": "0, or less than hidden_size"}.get(name, "1 or more"),
                where=user_location_text(),
            )  # fmt: skip
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout is between layers: with num_layers=1 it does nothing", UserWarning,
            stacklevel=4,
        )  # fmt: skip
