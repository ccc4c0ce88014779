"""Dropout as layers."""

from __future__ import annotations

from graphc.frontend.nn.functional import dropout as dropping
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor

__all__ = [
    "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
]  # fmt: skip


class _Dropout(Module):
    """What all kinds of dropout have."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        dropping.check_probability(p)
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Random zeros while training, the identity in evaluation (``torch.nn.Dropout``).

    Args:
        p: probability of zero; the other elements are scaled by ``1 / (1 - p)``.
        inplace: let the input itself have the result's values.

    Raises:
        ArgumentError: for a probability outside 0 to 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        return dropping.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """``Dropout`` of whole channels ``(channels, length)`` (``torch.nn.Dropout1d``)."""

    def forward(self, input: Tensor) -> Tensor:
        return dropping.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """``Dropout`` of whole channels of images (``torch.nn.Dropout2d``)."""

    def forward(self, input: Tensor) -> Tensor:
        return dropping.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """``Dropout`` of whole channels of volumes (``torch.nn.Dropout3d``)."""

    def forward(self, input: Tensor) -> Tensor:
        return dropping.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance, for SELU (``torch.nn.AlphaDropout``).

    Args:
        p: probability of the value that SELU has for small inputs.
        inplace: accepted; as in PyTorch the input keeps its values.

    Raises:
        ArgumentError: for a probability outside 0 to 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        return dropping.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """``AlphaDropout`` of whole channels (``torch.nn.FeatureAlphaDropout``)."""

    def forward(self, input: Tensor) -> Tensor:
        return dropping.feature_alpha_dropout(input, self.p, self.training)
