"""The linear map as a layer."""

from __future__ import annotations

import math

from graphc.dtypes import DTypeLike
from graphc.frontend.nn import init
from graphc.frontend.nn.functional.linear import linear
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor

__all__ = ["Linear"]


class Linear(Module):
    """``x @ weight.T + bias`` (``torch.nn.Linear``).

    Args:
        in_features: last size of the input.
        out_features: last size of the output.
        bias: add a learned bias.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    ``weight`` is ``(out_features, in_features)``; it and ``bias`` start uniform within
    ``1 / sqrt(in_features)``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> nn.Linear(20, 30)(gc.randn(128, 20)).shape
        (128, 30)
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        of = element_type(device, dtype)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(zeros((out_features, in_features), of))
        self.register_parameter("bias", Parameter(zeros((out_features,), of)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """``Linear``; attention has one under this name in PyTorch, and prints it."""
