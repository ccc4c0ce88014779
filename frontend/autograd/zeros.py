"""Zeros for gradients that nothing flows into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphc.frontend.making import concrete
from graphc.frontend.modes import modes
from graphc.ops.shape import expand
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def zeros_of(kind: TensorType) -> Tensor:
    """Zeros of a type; a value of the graph while recording, when sizes may be unknown."""
    if modes.recorder is None:
        return concrete(np.zeros(kind.shape, kind.dtype.numpy))
    zero = modes.recorder.lifted(concrete(np.zeros((), kind.dtype.numpy)))
    return expand(zero, shape=kind.shape) if kind.shape else zero
