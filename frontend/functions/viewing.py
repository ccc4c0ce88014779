"""A tensor's memory in another shape or read as another dtype (``torch.Tensor.view``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.dtypes import DType, DTypeLike, as_dtype
from graphc.errors import ArgumentTypeError, RecordingError, ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.making import concrete
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text
from graphc.storage import Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def view(
    input: Tensor, *shape: Any, size: Any = None, dtype: DTypeLike | None = None
) -> Tensor:  # fmt: skip
    """The same memory in another shape, or read as another dtype (``torch.Tensor.view``).

    Args:
        input: tensor.
        shape: sizes, one by one or as one sequence; one may be -1. A dtype here is ``dtype``.
        size: the same by name.
        dtype: what to read the bits as, instead of a shape; the last size changes if the elements
            are larger or smaller. The result has no gradient.

    Raises:
        ShapeError: if the number of elements differs, or only a copy has that shape or dtype.
        RecordingError: for a dtype while recording.

    Example:
        >>> import graphc as gc
        >>> x = gc.zeros(2, 3)
        >>> x.view(-1)[0] = 1
        >>> x
        tensor([[1., 0., 0.],
                [0., 0., 0.]])
    """
    x = require_tensor("view", input)
    if len(shape) == 1 and isinstance(shape[0], DType) and dtype is None:
        dtype, shape = shape[0], ()
    if dtype is not None:
        if shape or size is not None:
            raise ArgumentTypeError(
                "view: either a shape or a dtype", got=f"{shape or size} and {dtype}",
                where=user_location_text(),
            )  # fmt: skip
        return _read_as(x, as_dtype(dtype))
    made = reshape(x, *shape) if size is None else reshape(x, size)
    if made._viewed is None:
        raise ShapeError(
            "view: the elements lie in an order that only a copy can have in this shape",
            got=f"{x.type} as {made.shape}", fix="use reshape", where=user_location_text(),
        )  # fmt: skip
    return made


def _read_as(x: Tensor, dtype: DType) -> Tensor:
    if x.dtype is dtype:
        return reshape(x, x.shape)
    if modes.recorder is not None or x.is_symbolic:
        raise RecordingError(
            "view: what the bits of a tensor mean cannot be changed while recording",
            got=f"{x.type} as {dtype.name}",
            fix="do it outside of what is compiled; to(dtype) converts values",
            where=user_location_text(),
        )
    try:
        array = x.storage.array.view(dtype.numpy)
    except ValueError as error:
        raise ShapeError(
            "view: the last dim must lie without gaps, and hold whole elements of the dtype",
            got=f"{x.type} as {dtype.name}", fix="use contiguous(), or another size",
            where=user_location_text(),
        ) from error  # fmt: skip
    made = concrete(array)
    made.storage = Storage(array, x.storage.version)
    x.storage.version.shared = True
    return made
