"""Tells the runtime what a tensor is, so that native calls take and return tensors themselves."""

from __future__ import annotations

from graphc.frontend.tensor import Tensor
from graphc.runtime.sessions.boxes import Box, Part, Template
from graphc.storage import Storage, Version

TENSOR_BOX = Box(
    kind=Tensor,
    absent="node",
    flag="_requires_grad",
    path=("storage", "array"),
    holder=Storage,
    template=Template(
        Tensor,
        {  # what graphc.frontend.making.concrete(array) has
            "storage": Template(
                Storage,
                {"array": Part.ARRAY, "version": Template(Version, {"count": 0, "shared": False})},
            ),
            "node": None,
            "recorder": None,
            "is_state": False,
            "_grad": None,
            "_grad_fn": None,
            "_hooks": None,
            "_requires_grad": False,
            "_retains_grad": False,
            "_viewed": None,
        },
    ),
)
"""A concrete tensor; a test compares new ones with those that ``concrete`` makes."""
