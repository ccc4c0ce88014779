"""Methods that write in place; while recording they set the value's next name or a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import AutogradError, ShapeError
from graphc.frontend.functions import pointwise, sampling
from graphc.frontend.functions.convert import TensorLike, to_operand
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def assign(target: Tensor, value: Tensor) -> Tensor:
    """Write a value into a tensor's memory, or record the write.

    Raises:
        AutogradError: for a leaf that requires a gradient, outside ``no_grad``.
        ShapeError: if the value does not fit.
    """
    recorder = target.recorder or modes.recorder or value.recorder
    if recorder is not None:
        recorder.assign(target, value)
        return target
    if modes.grad_enabled and (target.requires_grad or value.requires_grad):
        if target.is_leaf and target.requires_grad:
            raise AutogradError(
                "a leaf that requires a gradient was written in place",
                fix="write it inside `with gc.no_grad():`", where=user_location_text(),
            )  # fmt: skip
        _become(target, value)
        return target
    if not target.storage.array.flags.writeable:
        raise AutogradError(
            "the tensor's memory cannot be written: its elements share places, or are read-only",
            got=str(target.type),
            fix="clone() it first",
            where=user_location_text(),
        )
    try:
        target.storage.write(value.storage.array)
    except (ValueError, TypeError) as error:
        raise ShapeError(
            "the value does not fit into the tensor", got=str(value.type),
            expected=str(target.type), where=user_location_text(),
        ) from error  # fmt: skip
    return target


def _become(target: Tensor, value: Tensor) -> None:
    """A tracked result is overwritten: from now on it is what the value is on the tape.

    It gets the value's memory, so what backward has saved of its old values stays as it was.
    """
    if target._viewed is not None:
        target._viewed.require_gone()
    made = pointwise.to_dtype(value, target.dtype)
    if made.shape != target.shape:
        made = made.expand(target.shape)
    if made.storage.array.shape != target.shape or not made.is_contiguous():
        made = made.clone()
    target.storage = made.storage
    target._grad_fn, target._requires_grad = made._grad_fn, made._requires_grad


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
    return assign(self, pointwise.add(self, other, alpha=alpha))


def sub_(self: Tensor, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """Subtract in place."""
    return assign(self, pointwise.sub(self, other, alpha=alpha))


def mul_(self: Tensor, other: TensorLike) -> Tensor:
    """Multiply in place."""
    return assign(self, pointwise.mul(self, other))


def div_(self: Tensor, other: TensorLike) -> Tensor:
    """Divide in place."""
    return assign(self, pointwise.div(self, other))


def clamp_(self: Tensor, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Limit in place."""
    return assign(self, pointwise.clamp(self, min, max))


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
