"""Sequences of several lengths: padded, packed, and apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from graphc.dims import Dim, Size
from graphc.dtypes import INTEGER, int64
from graphc.errors import ArgumentError, IndexRangeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor, tensor_sequence
from graphc.frontend.functions.creation import full
from graphc.frontend.functions.picking import index_select
from graphc.frontend.functions.pieces import cat, narrow, stack
from graphc.frontend.functions.shaping import transpose
from graphc.frontend.making import concrete
from graphc.frontend.nn.functional.packing import Packing, host_values
from graphc.frontend.nn.functional.shapes import agree
from graphc.frontend.nn.utils.masked import MaskedSequence
from graphc.frontend.nn.utils.packed import PackedSequence
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.storage import Array


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence | MaskedSequence:  # fmt: skip
    """Padded sequences without their padding (``torch.nn.utils.rnn.pack_padded_sequence``).

    Args:
        input: ``(length, batch, ...)``.
        lengths: of each sequence; a list or a tensor.
        batch_first: the input is ``(batch, length, ...)``.
        enforce_sorted: the lengths decrease; False sorts them.

    Returns:
        The packed sequences; for a symbolic tensor of lengths, whose values are not compared, a
        ``MaskedSequence``, of which recurrent layers and ``pad_packed_sequence`` make the same.

    Raises:
        ArgumentError: for lengths below 1, or that do not decrease.
        ShapeError: for another number of lengths than of sequences, or longer ones.

    Example:
        >>> import graphc as gc
        >>> from graphc.nn.utils.rnn import pack_padded_sequence
        >>> x = gc.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
        >>> packed = pack_padded_sequence(x, [2, 1, 3], batch_first=True, enforce_sorted=False)
        >>> packed.data, packed.batch_sizes
        (tensor([4, 1, 3, 5, 2, 6]), tensor([3, 2, 1]))
    """
    x = require_tensor("pack_padded_sequence", input)
    if x.ndim < 2:
        raise IndexRangeError(
            "pack_padded_sequence: expected sequences and their steps as dims", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    at = 0 if batch_first else 1
    if is_tensor(lengths) and lengths.node is not None:
        return _masked(x, lengths, at)
    known = _lengths(lengths)
    _check_lengths(known, x.shape[at], x.shape[1 - at])
    order = None
    if not enforce_sorted:
        places = np.argsort(-known, kind="stable")
        known, order = known[places], concrete(places)
        x = index_select(x, at, order)
    elif np.any(np.diff(known) > 0):
        raise ArgumentError(
            "pack_padded_sequence: the lengths must decrease", got=str(known.tolist()),
            fix="enforce_sorted=False", where=user_location_text(),
        )  # fmt: skip
    packing = Packing.of_lengths(known)
    return PackedSequence(packing.pack(x, batch_first), concrete(packing.batch_sizes), order)


def _masked(x: Tensor, lengths: Tensor, at: int) -> MaskedSequence:
    if not agree(lengths.shape, x.shape[at : at + 1]) or lengths.dtype.category > INTEGER:
        raise ShapeError(
            "pack_padded_sequence: expected a length for each sequence",
            got=f"lengths {lengths.type} for {x.shape[at]} sequences", where=user_location_text(),
        )  # fmt: skip
    return MaskedSequence(transpose(x, 0, 1) if at == 0 else x, cast(lengths, int64))


def _lengths(given: Tensor | Sequence[int]) -> Array:
    if not isinstance(given, Tensor):
        given = [int(length) for length in given]
    return host_values("pack_padded_sequence: lengths", given).astype(np.int64)


def _check_lengths(lengths: Array, batch: Any, longest: Any) -> None:
    if lengths.ndim != 1 or len(lengths) == 0 or not agree((len(lengths),), (batch,)):
        raise ShapeError(
            "pack_padded_sequence: expected a length for each sequence",
            got=f"lengths {lengths.tolist()} for {batch} sequences", where=user_location_text(),
        )  # fmt: skip
    if lengths.min() < 1:
        raise ArgumentError(
            "pack_padded_sequence: each sequence must have one step or more",
            got=str(lengths.tolist()), where=user_location_text(),
        )  # fmt: skip
    if isinstance(longest, int) and lengths.max() > longest:
        raise ShapeError(
            "pack_padded_sequence: a length is greater than that of the padded sequences",
            got=str(lengths.tolist()), expected=f"at most {longest}", where=user_location_text(),
        )  # fmt: skip


def pad_packed_sequence(
    sequence: PackedSequence | MaskedSequence, batch_first: bool = False,
    padding_value: float = 0.0, total_length: Size | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Packed sequences side by side, padded (``torch.nn.utils.rnn.pad_packed_sequence``).

    Args:
        sequence: the packed sequences.
        batch_first: let the result be ``(batch, length, ...)``.
        padding_value: what fills the shorter ones.
        total_length: the length of the result; default: the longest. It must be given if only the
            run knows the lengths, and be the padded length at least.

    Returns:
        The padded sequences, in the order in which they were packed, and their lengths.

    Raises:
        ArgumentError: if ``total_length`` is less than the longest.
        SymbolicValueError: if it is missing, and only the run knows the longest.
    """
    if isinstance(sequence, MaskedSequence):
        if total_length is None:
            sequence.refuse("the longest")
        padded = _extended(sequence.filled(padding_value), padding_value, total_length)
        return transpose(padded, 0, 1) if batch_first else padded, sequence.lengths
    data, batch_sizes, _, unsorted_indices = sequence
    packing = Packing.of_batch_sizes(batch_sizes, data.shape[0])
    padded = packing.pad(data)
    filler = scalar_tensor(padding_value, data.dtype)
    if not packing.is_full:
        exists = packing.exists.reshape(packing.steps, packing.batch, *(1,) * (data.ndim - 1))
        padded = where(concrete(exists), padded, filler)
    if total_length is not None:
        padded = _extended(padded, padding_value, total_length)
    if batch_first:
        padded = transpose(padded, 0, 1)
    lengths = concrete(packing.lengths)
    if unsorted_indices is None:
        return padded, lengths
    at = 0 if batch_first else 1
    return index_select(padded, at, unsorted_indices), index_select(lengths, 0, unsorted_indices)


def _extended(padded: Tensor, value: float, total_length: Size) -> Tensor:
    """With padding at the end, up to a length that is not less than it was."""
    steps: Size = padded.shape[0]
    if total_length == steps:
        return padded
    if isinstance(total_length, Dim) or isinstance(steps, Dim) or total_length < steps:
        raise ArgumentError(
            "pad_packed_sequence: total_length is less than the longest sequence",
            got=str(total_length), expected=f"{steps} or more", where=user_location_text(),
        )  # fmt: skip
    shape = (total_length - steps, *padded.shape[1:])
    return cat([padded, full(shape, value, dtype=padded.dtype)])


def pad_sequence(
    sequences: Tensor | Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:  # fmt: skip
    """Sequences of several lengths side by side, padded (``torch.nn.utils.rnn.pad_sequence``).

    Args:
        sequences: ``(length, ...)`` each; the result has the first one's dtype.
        batch_first: let the result be ``(batch, length, ...)``, not ``(length, batch, ...)``.
        padding_value: what fills the shorter ones.
        padding_side: ``"right"`` or ``"left"``.

    Raises:
        ArgumentError: for no sequences, or another side.
        ShapeError: for sequences that differ in more than their length, or have an unknown one.

    Example:
        >>> import graphc as gc
        >>> from graphc.nn.utils.rnn import pad_sequence
        >>> pad_sequence([gc.tensor([1, 2, 3]), gc.tensor([4])], batch_first=True)
        tensor([[1, 2, 3],
                [4, 0, 0]])
    """
    parts = tensor_sequence("pad_sequence", sequences)
    if not parts or padding_side not in ("left", "right"):
        raise ArgumentError(
            "pad_sequence: expected one sequence or more, and a side",
            got=f"{len(parts)} sequences, {padding_side!r}", expected="'left' or 'right'",
            where=user_location_text(),
        )  # fmt: skip
    like = parts[0]
    for part in parts:
        if part.ndim == 0 or part.shape[1:] != like.shape[1:]:
            raise ShapeError(
                "pad_sequence: the sequences may differ in their length alone",
                got=f"{like.type} and {part.type}", where=user_location_text(),
            )  # fmt: skip
    longest = max(_length(part) for part in parts)
    padded = []
    for part in parts:
        lacks = longest - _length(part)
        pieces = [cast(part, like.dtype)]
        if lacks:
            filler = full((lacks, *like.shape[1:]), padding_value, dtype=like.dtype)
            pieces.insert(0 if padding_side == "left" else 1, filler)
        padded.append(cat(pieces) if lacks else pieces[0])
    return stack(padded, 0 if batch_first else 1)


def _length(sequence: Tensor) -> int:
    length = sequence.shape[0]
    if not isinstance(length, int):
        raise ShapeError(
            "pad_sequence: a length is known only at run time", got=str(sequence.type),
            where=user_location_text(),
        )  # fmt: skip
    return length


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded tensor (``torch.nn.utils.rnn.unpad_sequence``).

    Args:
        padded_sequences: ``(length, batch, ...)``; it stays as it is.
        lengths: of each sequence; a list, or a tensor that is not symbolic.
        batch_first: the tensor is ``(batch, length, ...)``.

    Raises:
        ShapeError: for another number of lengths than of sequences.
        SymbolicValueError: for lengths that are known only at run time.
    """
    x = require_tensor("unpad_sequence", padded_sequences)
    if not batch_first:
        x = transpose(x, 0, 1)
    known = host_values("unpad_sequence: lengths", lengths)
    if known.ndim != 1 or not agree((len(known),), x.shape[:1]):
        raise ShapeError(
            "unpad_sequence: expected a length for each sequence",
            got=f"lengths {known.tolist()} for {x.shape[0]} sequences", where=user_location_text(),
        )  # fmt: skip
    longest = x.shape[1]
    counts = [max(0, min(int(length), longest)) for length in known]
    return [narrow(x[at], 0, 0, count) for at, count in enumerate(counts)]


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of several lengths as one tensor (``torch.nn.utils.rnn.pack_sequence``).

    Args:
        sequences: ``(length, ...)`` each.
        enforce_sorted: the lengths decrease; False sorts them.

    Raises:
        ArgumentError: for an empty sequence, or lengths that do not decrease.

    Example:
        >>> import graphc as gc
        >>> from graphc.nn.utils.rnn import pack_sequence
        >>> pack_sequence([gc.tensor([1, 2, 3]), gc.tensor([4, 5])]).data
        tensor([1, 4, 2, 5, 3])
    """
    parts = tensor_sequence("pack_sequence", sequences)
    padded = pad_sequence(parts)
    lengths = [_length(x) for x in parts]
    packed = pack_padded_sequence(padded, lengths, enforce_sorted=enforce_sorted)
    assert isinstance(packed, PackedSequence)
    return packed


def unpack_sequence(packed_sequences: PackedSequence | MaskedSequence) -> list[Tensor]:
    """The sequences of a packed one (``torch.nn.utils.rnn.unpack_sequence``).

    Args:
        packed_sequences: what ``pack_sequence`` gave.

    Raises:
        SymbolicValueError: if only the run knows the lengths.
    """
    if isinstance(packed_sequences, MaskedSequence):
        packed_sequences.refuse("the lengths")
    data, batch_sizes, _, unsorted_indices = packed_sequences
    lengths = Packing.of_batch_sizes(batch_sizes, data.shape[0]).lengths
    if unsorted_indices is not None:
        lengths = lengths[host_values("unpack_sequence: unsorted_indices", unsorted_indices)]
    padded, _ = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths.tolist(), batch_first=True)
