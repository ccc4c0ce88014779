"""Connectionist temporal classification: the likelihood of a label sequence at unknown times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import INTEGER, int64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.choosing import clamp, isinf, where
from graphc.frontend.functions.control import scan
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.exponential import exp as exponential
from graphc.frontend.functions.exponential import log
from graphc.frontend.functions.picking import gather
from graphc.frontend.functions.pieces import stack
from graphc.frontend.functions.reduction import mean, sum
from graphc.frontend.functions.shaping import drop_dims, reshape, unsqueeze
from graphc.frontend.making import concrete
from graphc.frontend.nn.functional.padding import pad
from graphc.frontend.nn.functional.reduction import choose_reduction, reduce_loss
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Minus the logarithm of the probability of label sequences.

    A sequence of labels stands for all sequences of classes that give it when equal neighbours are
    merged and blanks left out. A program has one loop over the time steps. The gradient is that
    by ``log_probs`` as they are; PyTorch's assumes that they come from ``log_softmax``.

    Args:
        log_probs: ``(time, batch, classes)`` or ``(time, classes)``, logarithms of probabilities.
        targets: labels ``(batch, longest)``, or all in one row.
        input_lengths: time steps of each sequence.
        target_lengths: labels of each sequence.
        blank: the class of no label.
        reduction: ``"none"``, ``"sum"``, or ``"mean"``: losses are divided by their number of
            labels first.
        zero_infinity: impossible sequences have the loss 0 instead of inf.

    Returns:
        A scalar, or for ``"none"`` ``(batch,)``.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if the labels are not integers.
        ArgumentError: for a blank that is no class, or target lengths that are needed but unknown.

    Source: Graves, Fernandez, Gomez, Schmidhuber, "Connectionist temporal classification"
    (ICML 2006); ``torch.nn.functional.ctc_loss``.
    """
    how = choose_reduction("ctc_loss", reduction, None, None)
    logs, labels = require_tensor("ctc_loss", log_probs), require_tensor("ctc_loss", targets)
    batched = logs.ndim == 3
    if not batched and logs.ndim == 2:
        logs = unsqueeze(logs, 1)
    _check(logs, labels, blank)
    batch = int(logs.shape[1])
    times = _lengths("input_lengths", input_lengths, batch)
    counts = _lengths("target_lengths", target_lengths, batch)
    rows = _rows(labels, counts, batch)
    loss = -_log_likelihood(logs, rows, times, counts, blank)
    if zero_infinity:
        loss = where(isinf(loss), 0.0, loss)
    if how == "mean":
        return mean(loss / cast(clamp(counts, min=1), loss.dtype))
    return reduce_loss(loss if batched or how == "sum" else drop_dims(loss, (0,)), how)


def _check(logs: Tensor, labels: Tensor, blank: int) -> None:
    if logs.ndim != 3 or not all(isinstance(size, int) for size in logs.shape):
        raise ShapeError(
            "ctc_loss: expected (time, batch, classes) or (time, classes) of known sizes",
            got=str(logs.type), where=user_location_text(),
        )  # fmt: skip
    if not logs.dtype.is_floating_point or labels.dtype.category != INTEGER:
        raise DTypeError(
            "ctc_loss: expected floating point log_probs and integer targets",
            got=f"{logs.dtype.name} and {labels.dtype.name}", where=user_location_text(),
        )  # fmt: skip
    if not 0 <= blank < int(logs.shape[2]):
        raise ArgumentError(
            "ctc_loss: blank is no class", got=str(blank), expected=f"0..{int(logs.shape[2]) - 1}",
            where=user_location_text(),
        )  # fmt: skip


def _lengths(name: str, given: Any, batch: int) -> Tensor:
    made = given if is_tensor(given) else concrete(np.asarray(given, np.int64))
    lengths = reshape(cast(made, int64), (made.type.numel,))
    if lengths.shape != (batch,):
        raise ShapeError(
            f"ctc_loss: {name} must have one number per sequence", got=str(lengths.type),
            expected=f"({batch},)", where=user_location_text(),
        )  # fmt: skip
    return lengths


def _rows(labels: Tensor, counts: Tensor, batch: int) -> Tensor:
    """The labels as ``(batch, longest)``."""
    flat = cast(labels, int64)
    if flat.ndim == 2 and flat.shape[0] == batch:
        return flat
    if flat.ndim != 1:
        raise ShapeError(
            "ctc_loss: expected targets (batch, longest), or all in one row", got=str(flat.type),
            where=user_location_text(),
        )  # fmt: skip
    if batch == 1:
        return unsqueeze(flat, 0)
    longest = int(flat.shape[0])
    order = arange(batch)
    before = sum(where(unsqueeze(order, 0) < unsqueeze(order, 1), unsqueeze(counts, 0), 0), 1)
    places = unsqueeze(before, 1) + unsqueeze(arange(longest), 0)
    row = unsqueeze(flat, 0).expand((batch, longest))
    return gather(row, 1, clamp(places, max=max(longest - 1, 0)))


def _log_likelihood(
    logs: Tensor, rows: Tensor, times: Tensor, counts: Tensor, blank: int
) -> Tensor:
    """The forward variables, step by step, over labels with blanks around each."""
    batch, longest = rows.shape
    states = 2 * int(longest) + 1
    at = arange(states)
    exists = unsqueeze(at, 0) < unsqueeze(counts * 2 + 1, 1)
    labels = where(arange(int(longest)) < unsqueeze(counts, 1), rows, blank)
    padded = pad(labels, (0, 1), value=blank)
    pairs = stack([padded * 0 + blank, padded], 2)
    symbols = narrow(reshape(pairs, (batch, states + 1)), 1, 0, states)
    emitted = gather(logs, 2, unsqueeze(symbols, 0).expand((logs.shape[0], batch, states)))
    two_before = pad(narrow(symbols, 1, 0, max(states - 2, 0)), (min(states, 2), 0), value=blank)
    may_skip = (symbols != blank) & (symbols != two_before)
    lowest = -math.inf
    alpha = where((at < 2) & exists, emitted[0], lowest)

    def advance(alpha: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        emission, running = now
        move = pad(narrow(alpha, 1, 0, states - 1), (1, 0), value=lowest)
        skip = pad(narrow(alpha, 1, 0, max(states - 2, 0)), (min(states, 2), 0), value=lowest)
        moved = _log_sum([alpha, move, where(may_skip, skip, lowest)]) + emission
        return where(running, where(exists, moved, lowest), alpha), None

    steps = unsqueeze(arange(1, int(logs.shape[0])), 1)
    running = unsqueeze(unsqueeze(times, 0) > steps, 2)
    later = narrow(emitted, 0, 1, int(logs.shape[0]))
    alpha, _ = scan(advance, alpha, (later, running))
    last, before_last = (
        drop_dims(gather(alpha, 1, unsqueeze(clamp(counts * 2 - back, min=0), 1)), (1,))
        for back in (0, 1)
    )
    total = _log_sum([last, where(counts > 0, before_last, lowest)])
    of_no_time = where(counts > 0, scalar_tensor(lowest, logs.dtype), 0.0)
    return where(times > 0, total, of_no_time)


def _log_sum(terms: list[Tensor]) -> Tensor:
    """The logarithm of a sum of exponentials, -inf of nothing, without NaN in gradients."""
    peak = terms[0].detach()
    for term in terms[1:]:
        peak = where(term.detach() > peak, term.detach(), peak)
    impossible = peak == -math.inf
    base = where(impossible, 0.0, peak)
    total: Any = 0.0
    for term in terms:
        absent = term == -math.inf
        total = where(absent, 0.0, exponential(where(absent, 0.0, term) - base)) + total
    return where(impossible, -math.inf, log(where(impossible, 1.0, total)) + base)
