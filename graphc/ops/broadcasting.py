"""Sum a gradient back to the shape of an operand that was broadcast; used by every vjp driver."""

from __future__ import annotations

from graphc.dims import Shape
from graphc.opdef import V
from graphc.ops.reduce import sum_
from graphc.ops.shape import reshape


def sum_to_shape(grad: V, shape: Shape) -> V:
    """Sum over the dims in which ``shape`` was broadcast.

    Args:
        grad: gradient with the broadcast shape.
        shape: the operand's own shape.

    Returns:
        The gradient with exactly ``shape``.
    """
    if grad.type.shape == shape:
        return grad
    lead = len(grad.type.shape) - len(shape)
    dims = (
        *(axis for axis, size in enumerate(grad.type.shape[:lead]) if size != 1),
        *(
            lead + axis
            for axis, size in enumerate(shape)
            if size == 1 != grad.type.shape[lead + axis]
        ),
    )
    total = sum_(grad, dims=dims) if dims else grad
    return total if total.type.shape == shape else reshape(total, shape=shape)
