"""Distances and bilinear forms, as layers."""

from __future__ import annotations

import math

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.distance import cosine_similarity, pairwise_distance
from graphc.frontend.nn.functional.linear import bilinear
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = ["Bilinear", "CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """The cosine of the angle between vectors (``torch.nn.CosineSimilarity``).

    Args:
        dim: the dim that vectors are along.
        eps: the least norm to divide by.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The norm of the difference of vectors (``torch.nn.PairwiseDistance``).

    Args:
        p: which norm.
        eps: added to the difference.
        keepdim: keep the vectors' dim with size 1.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class Bilinear(Module):
    """``x1 @ weight[k] @ x2 + bias[k]`` for every output ``k`` (``torch.nn.Bilinear``).

    Args:
        in1_features: last size of the first input.
        in2_features: last size of the second input.
        out_features: last size of the output.
        bias: add a learned bias.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    ``weight`` is ``(out_features, in1_features, in2_features)``; it and ``bias`` start uniform
    within ``1 / sqrt(in1_features)``.

    Raises:
        ArgumentError: if ``in1_features`` is below 1.
    """

    bias: Parameter | None

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if in1_features < 1:
            raise ArgumentError(
                "Bilinear: in1_features must be at least 1", got=str(in1_features),
                where=user_location_text(),
            )  # fmt: skip
        of = element_type(device, dtype)
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        self.weight = Parameter(zeros((out_features, in1_features, in2_features), of))
        self.register_parameter("bias", Parameter(zeros((out_features,), of)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
