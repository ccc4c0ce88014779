"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from graphc.errors import ShapeError
from graphc.frontend.functions.pieces import cat, narrow
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.modes import no_grad
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters in a row (``torch.nn.utils.parameters_to_vector``).

    Example:
        >>> from graphc import nn
        >>> nn.utils.parameters_to_vector(nn.Linear(3, 2).parameters()).shape
        (8,)
    """
    return cat([reshape(parameter, (-1,)) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the elements of a vector into parameters, in place.

    Args:
        vec: as many elements as the parameters have together.
        parameters: what to write.

    Raises:
        ShapeError: for another number of elements.

    Source: ``torch.nn.utils.vector_to_parameters``.
    """
    targets = list(parameters)
    total = sum(int(parameter.numel()) for parameter in targets)
    if vec.shape != (total,):
        raise ShapeError(
            "vector_to_parameters: the vector has another number of elements",
            got=str(vec.type), expected=f"({total},)", where=user_location_text(),
        )  # fmt: skip
    start = 0
    with no_grad():
        for parameter in targets:
            length = int(parameter.numel())
            parameter.copy_(reshape(narrow(vec, 0, start, length), parameter.shape))
            start += length
