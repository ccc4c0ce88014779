"""Memory for arenas and workspaces."""

from __future__ import annotations

import numpy as np

from graphc.runtime.plan import ALIGNMENT
from graphc.storage import Array


def aligned_memory(nbytes: int) -> Array:
    """Uninitialized bytes that start where arenas and workspaces must."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[start : start + nbytes]
