"""What ``inplace=True`` means: the tensor itself has the result's values from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.frontend.memory.writing import assign

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def overwrite(x: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """The result, and if ``inplace`` also as the new value of ``x``."""
    return assign(x, result, is_fresh=True) if inplace else result
