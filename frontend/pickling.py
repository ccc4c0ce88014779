"""Copies and pickles of tensors: the values, and whether a gradient is wanted, but no tape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import AutogradError, SymbolicValueError
from graphc.frontend.making import init
from graphc.provenance import user_location_text
from graphc.storage import Array, Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def reduce_tensor(x: Tensor) -> tuple[Any, ...]:
    """What pickle stores of a leaf.

    Raises:
        SymbolicValueError: while recording.
        AutogradError: for a result that requires a gradient, whose tape would be lost.
    """
    if x.node is not None:
        raise SymbolicValueError(
            "a symbolic tensor has no values to copy",
            got=str(x.type),
            fix="x.clone() copies it inside the graph",
            where=user_location_text(),
        )
    if x._grad_fn is not None:
        raise AutogradError(
            "only leaves can be copied or pickled: this tensor's tape would be lost",
            got=repr(x._grad_fn),
            fix="use x.detach(), or x.clone() to copy it with its gradient",
            where=user_location_text(),
        )
    values = np.array(x.storage.array, order="C")
    flags = (x._requires_grad, x.is_state)
    return _restore, (type(x), values, flags, x._grad), x.__dict__ or None


def _restore(
    kind: type[Tensor], values: Array, flags: tuple[bool, bool], grad: Tensor | None
) -> Tensor:
    made = object.__new__(kind)
    init(made, Storage(values), requires_grad=flags[0])
    made.is_state = flags[1]
    made._grad = grad
    return made
