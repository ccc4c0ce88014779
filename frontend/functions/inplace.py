"""Methods that write in place; while recording they set the value's next name or a variable."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from graphc.errors import AutogradError, ShapeError
from graphc.frontend.functions import diagonals
from graphc.frontend.functions.convert import TensorLike, to_operand
from graphc.frontend.functions.fitting import require_fits
from graphc.frontend.memory.writing import assign, before_write
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

P = ParamSpec("P")


def writes(
    function: Callable[Concatenate[Any, P], Tensor],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """The method that overwrites a tensor with what a function makes of it.

    It takes the function's other arguments. The result must have the tensor's shape, and a dtype
    of no higher category.

    Args:
        function: its first argument is the tensor.
    """

    def method(self: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        return assign(self, function(before_write(self), *args, **kwargs), is_fresh=True)

    name = function.__name__
    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"``{name}`` in place (``torch.Tensor.{name}_``)."
    method.__dict__["__signature__"] = inspect.signature(function)
    return method


def copy_(self: Tensor, src: TensorLike, non_blocking: bool = False) -> Tensor:
    """Overwrite with other values, broadcast and cast (``torch.Tensor.copy_``).

    Args:
        self: tensor.
        src: tensor or number.
        non_blocking: without meaning on the CPU.
    """
    return assign(self, to_operand(src, self.dtype))


def fill_(self: Tensor, value: TensorLike) -> Tensor:
    """Overwrite every element with one number (``torch.Tensor.fill_``)."""
    require_fits("fill_", value, self.dtype)
    number = to_operand(value, self.dtype)
    if number.ndim:
        raise ShapeError(
            "fill_: expected one number", got=str(number.type), fix="use copy_",
            where=user_location_text(),
        )  # fmt: skip
    return assign(self, number)


def zero_(self: Tensor) -> Tensor:
    """Overwrite with zeros (``torch.Tensor.zero_``)."""
    return fill_(self, 0)


def fill_diagonal_(self: Tensor, fill_value: TensorLike, wrap: bool = False) -> Tensor:
    """Overwrite the main diagonal with one number (``torch.Tensor.fill_diagonal_``).

    Args:
        self: matrix, or a tensor of more dims of one size.
        fill_value: the number.
        wrap: in a matrix with more rows than columns, go on after a row without one.

    Raises:
        ShapeError: for other shapes.
    """
    sizes = self.shape
    if self.ndim < 2 or (self.ndim > 2 and len(set(sizes)) > 1):
        raise ShapeError(
            "fill_diagonal_: expected a matrix, or more dims of one size", got=str(self.type),
            where=user_location_text(),
        )  # fmt: skip
    if wrap and self.ndim == 2:
        rows, columns = sizes
        for first in range(0, rows, columns + 1):
            fill_(diagonals.diagonal(self[first:]), fill_value)
        return self
    line = self
    while line.ndim > 1:
        line = diagonals.diagonal(line)
    fill_(line, fill_value)
    return self


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off from gradients (``torch.Tensor.detach_``).

    Raises:
        AutogradError: for a view, whose tensor would stay tracked.
    """
    view = self._viewed
    if view is not None and (view.whole._requires_grad or view.whole._grad_fn is not None):
        raise AutogradError(
            "a view of a tracked tensor cannot be detached in place",
            got=str(self.type), fix="use detach()", where=user_location_text(),
        )  # fmt: skip
    self._grad_fn, self._requires_grad = None, False
    return self
