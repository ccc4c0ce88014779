"""Dropout: random zeros while training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import as_float, scalar_tensor
from graphc.frontend.functions.sampling import keep_mask
from graphc.frontend.nn.functional.overwrite import overwrite
from graphc.ops import elementwise, select
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["dropout"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p`` and scale the others by ``1 / (1 - p)``.

    Args:
        input: floating point tensor.
        p: probability of zero, from 0 to 1.
        training: False returns the input as it is.
        inplace: let ``input`` itself have the result's values.

    Raises:
        ArgumentError: for a probability outside 0 to 1.

    Source: ``torch.nn.functional.dropout``. The mask comes from the default generator and is the
    same dynamically and compiled.
    """
    check_probability(p)
    if not training or p == 0:
        return input
    x = as_float("dropout", input)
    zero = scalar_tensor(0, x.dtype)
    if p == 1:
        return overwrite(input, elementwise.mul(x, zero), inplace)
    scaled = elementwise.mul(x, scalar_tensor(1.0 / (1.0 - p), x.dtype))
    return overwrite(input, select.where(keep_mask(x.shape, 1.0 - p), scaled, zero), inplace)


def check_probability(p: float) -> None:
    """Raise ArgumentError unless ``p`` is a probability."""
    if not 0 <= p <= 1:
        raise ArgumentError(
            "dropout: the probability must be between 0 and 1", got=str(p),
            where=user_location_text(),
        )  # fmt: skip
