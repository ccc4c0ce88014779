"""Methods that write in place; while recording they set the value's next name or a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.frontend.functions import pointwise, sampling
from graphc.frontend.functions.convert import TensorLike, to_operand
from graphc.frontend.writing import assign, before_write

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def copy_(self: Tensor, src: TensorLike) -> Tensor:
    """Overwrite with other values, broadcast and cast (``torch.Tensor.copy_``)."""
    return assign(self, to_operand(src, self.dtype))


def fill_(self: Tensor, value: TensorLike) -> Tensor:
    """Overwrite every element with one number."""
    return assign(self, to_operand(value, self.dtype))


def zero_(self: Tensor) -> Tensor:
    """Overwrite with zeros."""
    return fill_(self, 0)


def add_(self: Tensor, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """Add in place."""
    return assign(self, pointwise.add(before_write(self), other, alpha=alpha))


def sub_(self: Tensor, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """Subtract in place."""
    return assign(self, pointwise.sub(before_write(self), other, alpha=alpha))


def mul_(self: Tensor, other: TensorLike) -> Tensor:
    """Multiply in place."""
    return assign(self, pointwise.mul(before_write(self), other))


def div_(self: Tensor, other: TensorLike) -> Tensor:
    """Divide in place."""
    return assign(self, pointwise.div(before_write(self), other))


def clamp_(self: Tensor, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Limit in place."""
    return assign(self, pointwise.clamp(before_write(self), min, max))


def uniform_(self: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Overwrite with uniform numbers in ``[a, b)``."""
    drawn = sampling.uniform_values(self.shape, self.dtype, None)
    return assign(self, pointwise.add(pointwise.mul(drawn, b - a), a))


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Overwrite with normal numbers."""
    drawn = sampling.randn(self.shape, dtype=self.dtype)
    return assign(self, pointwise.add(pointwise.mul(drawn, std), mean))


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off from gradients."""
    self._grad_fn, self._requires_grad = None, False
    return self
