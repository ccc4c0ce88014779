"""Dropout as a layer."""

from __future__ import annotations

from graphc.frontend.nn.functional.dropout import check_probability, dropout
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor


class Dropout(Module):
    """Random zeros while training, the identity in evaluation (``torch.nn.Dropout``).

    Args:
        p: probability of zero; the other elements are scaled by ``1 / (1 - p)``.
        inplace: let the input itself have the result's values.

    Raises:
        ArgumentError: for a probability outside 0 to 1.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
