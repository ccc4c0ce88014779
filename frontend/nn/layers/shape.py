"""Layers that do not compute."""

from __future__ import annotations

from typing import Any

from graphc.frontend.functions.shaping import flatten
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor


class Identity(Module):
    """Returns its input; takes and ignores any arguments (``torch.nn.Identity``)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Flatten(Module):
    """Merge dims into one; by default all but the batch (``torch.nn.Flatten``).

    Args:
        start_dim: first dim to merge.
        end_dim: last dim to merge.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
