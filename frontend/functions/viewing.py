"""A tensor's elements in another shape without a copy (``torch.Tensor.view``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.errors import ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.shaping import reshape
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def view(input: Tensor, *shape: Any, size: Any = None) -> Tensor:
    """The same elements in another shape, in the same memory (``torch.Tensor.view``).

    Args:
        input: tensor.
        shape: sizes, one by one or as one sequence; one may be -1.
        size: the same by name.

    Raises:
        ShapeError: if the number of elements differs, or only a copy has that shape.

    Example:
        >>> import graphc as gc
        >>> x = gc.zeros(2, 3)
        >>> x.view(-1)[0] = 1
        >>> x
        tensor([[1., 0., 0.],
                [0., 0., 0.]])
    """
    x = require_tensor("view", input)
    made = reshape(x, *shape) if size is None else reshape(x, size)
    if made._viewed is None:
        raise ShapeError(
            "view: the elements lie in an order that only a copy can have in this shape",
            got=f"{x.type} as {made.shape}", fix="use reshape", where=user_location_text(),
        )  # fmt: skip
    return made
