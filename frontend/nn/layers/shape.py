"""Layers that do not compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.frontend.functions.rearranging import unflatten
from graphc.frontend.functions.shaping import flatten
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["Flatten", "Identity", "Unflatten"]


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


class Unflatten(Module):
    """Divide one dim into several (``torch.nn.Unflatten``).

    Args:
        dim: the dim; names of dims are not supported.
        unflattened_size: the sizes it becomes; one of them may be -1.

    Raises:
        ArgumentError: unless the dim and the sizes are whole numbers.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        given: Any = (dim, *unflattened_size)
        if not all(isinstance(number, int) for number in given):
            raise ArgumentError(
                "Unflatten: dims have numbers, not names, and sizes are whole numbers",
                got=f"{dim!r}, {unflattened_size!r}", where=user_location_text(),
            )  # fmt: skip
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
