"""Memory for arenas and workspaces."""

from __future__ import annotations

import numpy as np

from graphc.allocation import LINE, at_line
from graphc.storage import Array


def aligned_memory(nbytes: int) -> Array:
    """Uninitialized bytes that start where arenas and workspaces must."""
    return at_line(np.empty(nbytes + LINE, np.uint8))
