"""Questions about dtypes: what operands promote to, and what may be cast."""

from __future__ import annotations

from graphc.dtypes import DType, DTypeLike, as_dtype
from graphc.frontend.functions.convert import TensorLike, common_dtype

__all__ = ["can_cast", "result_type"]


def result_type(tensor: TensorLike, other: TensorLike) -> DType:
    """The dtype of arithmetic with these operands (``torch.result_type``).

    Example:
        >>> import graphc as gc
        >>> gc.result_type(gc.tensor([1, 2]), 1.0)
        graphc.float32
    """
    return common_dtype("result_type", (tensor, other))


def can_cast(from_: DTypeLike, to: DTypeLike) -> bool:
    """Whether PyTorch's rules allow to store one dtype's results as another (``torch.can_cast``).

    Args:
        from_: a dtype.
        to: a dtype of the same or a higher category: bool, integer, floating point, complex.

    Example:
        >>> import graphc as gc
        >>> gc.can_cast(gc.float64, gc.float32), gc.can_cast(gc.float32, gc.int64)
        (True, False)
    """
    return as_dtype(from_).category <= as_dtype(to).category
