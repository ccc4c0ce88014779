"""Where a walk begins: the gradients that flow into the outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.pieces import stack
from graphc.frontend.making import concrete
from graphc.ops.select import cast
from graphc.ops.shape import reshape
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Walk = Callable[[list["Tensor"], bool], list["Tensor | None"]]


def started(outputs: Sequence[Tensor], given: Any) -> list[Tensor]:
    """One gradient per output.

    Args:
        outputs: tensors.
        given: a tensor, a sequence of tensors or None, or None.

    Raises:
        AutogradError: if an output needs no gradient, or one is missing, or cannot be cast.
        ShapeError: if one does not have its output's shape.
    """
    starts = _one_per_output(outputs, given)
    return [_start(x, start) for x, start in zip(outputs, starts, strict=True)]


def each_of_batch(
    outputs: Sequence[Tensor], given: Any, walk: Walk, retain_graph: bool
) -> list[Tensor | None]:
    """Walk once for each index of the first dim of the gradients, and stack what is found.

    Args:
        outputs: tensors.
        given: one gradient per output, with one more dim in front.
        walk: takes one gradient per output, and whether the tape is needed again.
        retain_graph: whether it is needed again after all walks.
    """
    starts = _one_per_output(outputs, given)
    sizes = {x.shape[0] if is_tensor(x) and x.ndim else None for x in starts}
    size = sizes.pop()
    if sizes or not isinstance(size, int) or size == 0:
        raise ShapeError(
            "is_grads_batched: all gradients need one first dim, of one known size above 0",
            got=", ".join(str(x.type) if is_tensor(x) else "None" for x in starts),
            where=user_location_text(),
        )  # fmt: skip
    rows = []
    for place in range(size):
        parts = started(outputs, [x[place] for x in starts])
        rows.append(walk(parts, retain_graph or place + 1 < size))
    return [_stacked([row[position] for row in rows]) for position in range(len(rows[0]))]


def _stacked(rows: list[Tensor | None]) -> Tensor | None:
    found = [row for row in rows if row is not None]
    return stack(found) if found else None


def _one_per_output(outputs: Sequence[Tensor], given: Any) -> list[Any]:
    if given is None:
        return [None] * len(outputs)
    starts = [given] if is_tensor(given) else list(given)
    if len(starts) != len(outputs):
        raise AutogradError(
            "there must be one gradient per output",
            got=f"{len(starts)} for {len(outputs)} outputs", where=user_location_text(),
        )  # fmt: skip
    return starts


def require_gradient(x: Tensor) -> None:
    """Raise AutogradError unless gradients are tracked for a tensor."""
    if not x.requires_grad:
        raise AutogradError(
            "the tensor does not require a gradient, and nothing it was made from does",
            got=str(x.type),
            fix="set requires_grad=True on what you differentiate by; check no_grad() and detach()",
            where=user_location_text(),
        )


def _start(output: Tensor, gradient: Any) -> Tensor:
    require_gradient(output)
    if gradient is None:
        return _ones(output)
    if not is_tensor(gradient):
        raise AutogradError(
            "a gradient must be a tensor or None", got=type(gradient).__name__,
            where=user_location_text(),
        )  # fmt: skip
    if gradient.shape != output.shape:
        raise ShapeError(
            "the gradient must have the shape of its tensor",
            got=str(gradient.type), expected=str(output.type), where=user_location_text(),
        )  # fmt: skip
    if gradient.dtype is output.dtype:
        return gradient
    if gradient.dtype.is_complex and not output.dtype.is_complex:
        raise AutogradError(
            "the gradient of a real tensor must be real",
            got=str(gradient.type), expected=str(output.type), where=user_location_text(),
        )  # fmt: skip
    return cast(gradient, dtype=output.dtype)


def _ones(output: Tensor) -> Tensor:
    """The gradient of an output of one element."""
    if output.numel() != 1:
        raise AutogradError(
            "a gradient can be left out only for a tensor of one element",
            got=str(output.type), fix="reduce it first, e.g. .sum(), or pass the gradient",
            where=user_location_text(),
        )  # fmt: skip
    if output.dtype.is_complex:
        raise AutogradError(
            "a gradient can be left out only for a real tensor",
            got=str(output.type), fix="pass the gradient", where=user_location_text(),
        )  # fmt: skip
    one = concrete(np.ones((), output.dtype.numpy))
    return one if output.ndim == 0 else reshape(one, shape=output.shape)
