"""Activations made of straight pieces, as layers."""

from __future__ import annotations

import warnings

from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.nn import init as start
from graphc.frontend.nn.functional import piecewise
from graphc.frontend.nn.layers.activation import MayOverwrite
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

__all__ = [
    "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "PReLU", "RReLU", "ReLU6", "Softshrink",
    "Threshold",
]  # fmt: skip


def _with_inplace(text: str, inplace: bool) -> str:
    return text + (", inplace=True" if inplace else "")


class Hardtanh(Module):
    """The input between two limits (``torch.nn.Hardtanh``).

    Args:
        min_val: lower limit.
        max_val: upper limit, above it.
        inplace: let the input itself have the result's values.
        min_value: deprecated name of ``min_val``.
        max_value: deprecated name of ``max_val``.

    Raises:
        ArgumentError: if the limits are in the wrong order.
    """

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False,
        min_value: float | None = None, max_value: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        for old, value in (("min_val", min_value), ("max_val", max_value)):
            if value is not None:
                warnings.warn(f"{old}ue is deprecated: use {old}", FutureWarning, stacklevel=2)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise ArgumentError(
                "Hardtanh: expected min_val < max_val", got=f"{self.min_val}, {self.max_val}",
                where=user_location_text(),
            )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return _with_inplace(f"min_val={self.min_val}, max_val={self.max_val}", self.inplace)


class ReLU6(Hardtanh):
    """``min(max(x, 0), 6)`` (``torch.nn.ReLU6``).

    Args:
        inplace: let the input itself have the result's values.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(MayOverwrite):
    """``x / 6 + 1 / 2`` between 0 and 1 (``torch.nn.Hardsigmoid``).

    Args:
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(MayOverwrite):
    """``x * hardsigmoid(x)`` (``torch.nn.Hardswish``).

    Args:
        inplace: let the input itself have the result's values.
    """

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Threshold(Module):
    """The input above a threshold, another value elsewhere (``torch.nn.Threshold``).

    Args:
        threshold: what elements must be above.
        value: what the others become.
        inplace: let the input itself have the result's values.
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return _with_inplace(f"threshold={self.threshold}, value={self.value}", self.inplace)


class _Shrink(Module):
    """A layer that sets small elements to 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """The input, but 0 for sizes up to ``lambd`` (``torch.nn.Hardshrink``).

    Args:
        lambd: the largest size that becomes 0.
    """

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """The input moved towards 0 by ``lambd``, not beyond it (``torch.nn.Softshrink``).

    Args:
        lambd: how far.
    """

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.softshrink(input, self.lambd)


class PReLU(Module):
    """``x`` above 0, a learned factor times ``x`` elsewhere (``torch.nn.PReLU``).

    Args:
        num_parameters: 1, or the number of channels for one factor each.
        init: the factor's start value.
        device: None or ``"cpu"``.
        dtype: of the factors; default float32.
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: object = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(zeros((num_parameters,), element_type(device, dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the factors to their start value."""
        start.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """``x`` above 0, a random factor times ``x`` elsewhere (``torch.nn.RReLU``).

    In evaluation the factor is the middle of its range.

    Args:
        lower: the factor's lower limit.
        upper: its upper limit.
        inplace: let the input itself have the result's values.
    """

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        return piecewise.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return _with_inplace(f"lower={self.lower}, upper={self.upper}", self.inplace)
