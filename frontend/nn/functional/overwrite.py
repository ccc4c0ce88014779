"""What ``inplace=True`` means: the tensor itself has the result's values from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.frontend.writing import assign

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def overwrite(x: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """The result, and if ``inplace`` also as the new value of ``x``.

    A tracked result is not written into the memory that backward may still read: ``x`` gets the
    result's memory and place on the tape instead.
    """
    if not inplace:
        return result
    if x.is_symbolic or not result.requires_grad or x.is_leaf:
        return assign(x, result)
    x.storage = result.storage
    x._grad_fn = result._grad_fn
    return x
