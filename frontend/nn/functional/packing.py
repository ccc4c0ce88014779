"""Sequences of several lengths one step after the other, without padding, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import ShapeError, SymbolicValueError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.making import concrete
from graphc.frontend.modes import modes
from graphc.ops import index
from graphc.provenance import describe, user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


@dataclass(frozen=True)
class Packing:
    """Where the rows of packed data belong: the sequences, longest first, side by side.

    Args:
        batch_sizes: how many sequences have each step.
    """

    batch_sizes: Array

    @property
    def steps(self) -> int:
        """The length of the longest sequence."""
        return len(self.batch_sizes)

    @property
    def batch(self) -> int:
        """The number of sequences."""
        return int(self.batch_sizes[0])

    @property
    def rows(self) -> int:
        """The number of rows of packed data."""
        return int(self.batch_sizes.sum())

    @property
    def exists(self) -> Array:
        """``(steps, batch)``: whether a sequence has a step."""
        return np.asarray(self.batch_sizes[:, None] > np.arange(self.batch))

    @property
    def mask(self) -> Tensor | None:
        """``exists`` with a last dim of size 1; None if all sequences have one length."""
        return None if self.is_full else concrete(self.exists[..., None])

    @property
    def lengths(self) -> Array:
        """The length of each sequence."""
        return np.asarray(self.exists.sum(0))

    @property
    def is_full(self) -> bool:
        """Whether all sequences have one length."""
        return self.rows == self.steps * self.batch

    @classmethod
    def of_lengths(cls, lengths: Array) -> Packing:
        """The packing of sequences of these lengths, which decrease."""
        return cls(np.asarray((lengths > np.arange(lengths.max())[:, None]).sum(1)))

    @classmethod
    def of_batch_sizes(cls, batch_sizes: Any, rows: Any) -> Packing:
        """The packing that a tensor of batch sizes tells.

        Args:
            batch_sizes: the tensor.
            rows: how many rows the data have.

        Raises:
            ShapeError: if the sizes are none of a packing, or not of these rows.
        """
        sizes = host_values("batch_sizes", batch_sizes)
        ordered = sizes.ndim == 1 and len(sizes) > 0 and sizes.dtype.kind in "iu"
        if not ordered or sizes[-1] < 1 or np.any(np.diff(sizes) > 0):
            raise ShapeError(
                "batch_sizes must be a row of whole numbers above 0 that never grow",
                got=str(sizes.tolist()), where=user_location_text(),
            )  # fmt: skip
        made = cls(sizes.astype(np.int64))
        if isinstance(rows, int) and rows != made.rows:
            raise ShapeError(
                "the data of a packed sequence must have as many rows as batch_sizes tells",
                got=f"{rows} rows", expected=str(made.rows), where=user_location_text(),
            )  # fmt: skip
        return made

    def pad(self, data: Tensor) -> Tensor:
        """Packed rows as ``(steps, batch, ...)``; a sequence's last row fills what it lacks."""
        if self.is_full:
            return reshape(data, (self.steps, self.batch, *data.shape[1:]))
        starts = np.concatenate([[0], np.cumsum(self.batch_sizes)[:-1]])
        step = np.minimum(np.arange(self.steps)[:, None], self.lengths - 1)
        return index.index(data, concrete(starts[step] + np.arange(self.batch)), dims=(0,))

    def pack(self, padded: Tensor, batch_first: bool = False) -> Tensor:
        """The rows of ``(steps, batch, ...)`` that exist; there may be more steps than that.

        Args:
            padded: the sequences side by side.
            batch_first: they are ``(batch, steps, ...)``.
        """
        step, sequence = self.exists.nonzero()
        where = (sequence, step) if batch_first else (step, sequence)
        return index.index(padded, *(concrete(place) for place in where), dims=(0, 1))


def host_values(what: str, given: Any) -> Array:
    """The values of a tensor that shape a program.

    Raises:
        SymbolicValueError: for values that exist only at run time.
    """
    if not is_tensor(given):
        return np.asarray(given)
    if given.node is not None:
        raise SymbolicValueError(
            f"{what} shape the program, and those of a symbolic tensor exist only at run time",
            got=f"{given.type} made at {describe(given.node)}",
            fix="give a list of numbers, for each of which a program is compiled, or use padded "
            "sequences and a mask",
            where=user_location_text(),
        )  # fmt: skip
    if modes.recorder is not None:
        modes.recorder.node_of(given)  # a compiled function notices when it is written
    return given.storage.array
