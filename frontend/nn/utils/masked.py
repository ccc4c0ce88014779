"""Sequences of several lengths that only the run of a program knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from graphc.errors import SymbolicValueError
from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.convert import scalar_tensor
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.shaping import reshape, unsqueeze
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


@dataclass(frozen=True)
class MaskedSequence:
    """What ``pack_padded_sequence`` gives for symbolic lengths: padding that layers leave out.

    Recurrent layers read it as they do a ``PackedSequence``, with the same results, and give one.
    ``pad_packed_sequence`` makes a tensor of it. How many rows it has, only the run knows, so that
    it has no ``data`` and no ``batch_sizes``.

    Args:
        padded: ``(length, batch, ...)``.
        lengths: of each sequence. A greater one than the padded length counts as that.
    """

    padded: Tensor
    lengths: Tensor
    sorted_indices: None = None
    unsorted_indices: None = None

    @property
    def exists(self) -> Tensor:
        """``(length, batch, 1)``: whether a sequence has a step."""
        steps = arange(self.padded.shape[0], dtype=self.lengths.dtype)
        return unsqueeze(unsqueeze(steps, 1) < unsqueeze(self.lengths, 0), 2)

    def filled(self, value: float) -> Tensor:
        """The padded sequences with this value in all padding."""
        shape = (*self.padded.shape[:2], *(1,) * (self.padded.ndim - 2))
        filler = scalar_tensor(value, self.padded.dtype)
        return where(reshape(self.exists, shape), self.padded, filler)

    @property
    def data(self) -> NoReturn:
        """Refused: how many rows there are, only the run knows."""
        self.refuse("the rows")

    @property
    def batch_sizes(self) -> NoReturn:
        """Refused: how many there are, only the run knows."""
        self.refuse("the batch sizes")

    def refuse(self, what: str) -> NoReturn:
        """Raise SymbolicValueError.

        Args:
            what: what was asked for.
        """
        raise SymbolicValueError(
            f"{what} of packed sequences shape the program, and the lengths are known only at run "
            "time", got=f"lengths {self.lengths.type}",
            fix="use pad_packed_sequence(..., total_length=...), or give the lengths as a list, "
            "which is compiled anew for other ones", where=user_location_text(),
        )  # fmt: skip
