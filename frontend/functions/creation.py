"""New tensors: from data, filled, or counting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.allocation import empty_array
from graphc.dims import Dim, Size
from graphc.dtypes import (
    BOOLEAN,
    FLOATING,
    INTEGER,
    DType,
    DTypeLike,
    as_dtype,
    int64,
    of_array,
)  # fmt: skip
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.base import is_tensor, require_differentiable
from graphc.frontend.functions import pointwise
from graphc.frontend.functions.convert import cast, require_tensor, shape_argument
from graphc.frontend.functions.convert import scalar_tensor as constant_of
from graphc.frontend.functions.fitting import require_all_fit, require_fits
from graphc.frontend.functions.python_data import array_of_python
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.memory.views import own
from graphc.frontend.modes import modes
from graphc.frontend.settings.default_dtype import default_dtype, dtype_of_number
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.ops import shape as shape_ops
from graphc.ops.leaf import iota
from graphc.ops.select import cast as cast_op
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "empty",
    "empty_like",
    "from_numpy",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]


def tensor(
    data: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A new concrete tensor with a copy of the data.

    Args:
        data: number, nested sequence, array or tensor. Python floats become float32, ints int64.
        dtype: element type; default: from the data.
        requires_grad: track gradients.
        device: the CPU.

    Raises:
        ArgumentError: if a number does not fit into an integer dtype.

    Source: ``torch.tensor``.

    Example:
        >>> import graphc as gc
        >>> gc.tensor([[1, 2], [3, 4]]).shape
        (2, 2)
    """
    require_cpu(device)
    made = concrete(np.array(_to_array(data, dtype), order="C"))
    return tracked(made, requires_grad)


def tracked(x: Tensor, requires_grad: bool) -> Tensor:
    """The new tensor, as a leaf of the tape if gradients shall be tracked."""
    if requires_grad:
        require_differentiable(x.dtype)
        x.requires_grad = True
    return x


def _to_array(data: Any, dtype: DTypeLike | None) -> Array:
    if is_tensor(data):
        data = data.array("a copy of the values")
    if isinstance(data, np.ndarray | np.generic):
        array = np.asarray(data)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        default = of_array(array)
    else:
        array, default = array_of_python(data)
        require_all_fit("tensor", array, default if dtype is None else as_dtype(dtype))
        _require_real("tensor", array, default if dtype is None else as_dtype(dtype))
    wanted = default if dtype is None else as_dtype(dtype)
    with np.errstate(all="ignore"):
        return np.asarray(array.astype(wanted.numpy, copy=False))


def _require_real(function: str, array: Array, wanted: DType) -> None:
    """Python's complex numbers do not lose their imaginary part; those of arrays do."""
    if array.dtype.kind == "c" and not wanted.is_complex and wanted.category != BOOLEAN:
        raise DTypeError(
            f"{function}: complex numbers do not fit into the dtype", got=wanted.name,
            expected="a complex dtype", fix="take the real parts first",
            where=user_location_text(),
        )  # fmt: skip


def as_tensor(
    data: Any, dtype: DTypeLike | None = None, device: DeviceLike = None
) -> Tensor:  # fmt: skip
    """The data as a tensor, without a copy where possible (``torch.as_tensor``)."""
    require_cpu(device)
    if is_tensor(data):
        return data if dtype is None else cast(data, as_dtype(dtype))
    return concrete(_to_array(data, dtype))


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor that shares memory with a numpy array (``torch.from_numpy``).

    Raises:
        DTypeError: for something else, or a dtype that graphc lacks.
    """
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError(
            "from_numpy: expected a numpy array",
            got=type(ndarray).__name__,
            where=user_location_text(),
        )
    of_array(ndarray)
    return concrete(ndarray)


def full(
    size: Sequence[Size] | Size, fill_value: Any, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A tensor filled with one value (``torch.full``).

    Args:
        size: the shape; unknown sizes while recording.
        fill_value: number, or a tensor without dims.
        dtype: default: bool, int64, float32 or complex64 by the kind of number.
        requires_grad: track gradients.
        device: the CPU.

    Raises:
        ArgumentError: if the number does not fit into the dtype.
    """
    require_cpu(device)
    shape = shape_argument("full", (size,) if isinstance(size, int | Dim) else (tuple(size),))
    if is_tensor(fill_value):
        if fill_value.is_symbolic:
            number = cast(fill_value, as_dtype(dtype) if dtype else _default_like(fill_value.dtype))
            return own(shape_ops.expand(number, shape=shape))
        fill_value = fill_value.item()
    elif isinstance(fill_value, np.generic):
        fill_value = fill_value.item()
    of = dtype_of_number(type(fill_value)) if dtype is None else as_dtype(dtype)
    require_fits("full", fill_value, of)
    if modes.recorder is not None and not requires_grad:
        return own(shape_ops.expand(constant_of(fill_value, of), shape=shape))
    require_known("full", shape)
    made = empty_array(shape, of.numpy)
    np.copyto(made, np.asarray(fill_value).astype(of.numpy))
    return tracked(concrete(made), requires_grad)


def _default_like(dtype: DType) -> DType:
    """The dtype of Python's numbers of the same kind."""
    return dtype_of_number((bool, int, float, complex)[dtype.category])


def require_known(function: str, shape: Sequence[Size]) -> None:
    """Raise ArgumentError for sizes that are unknown or negative."""
    for size in shape:
        if isinstance(size, Dim) or size < 0:
            raise ArgumentError(
                f"{function}: sizes must be known and not negative", got=str(tuple(shape)),
                where=user_location_text(),
            )  # fmt: skip


def zeros(
    *sizes: Any, size: Any = None, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Zeros (``torch.zeros``); float32 by default."""
    shape = shape_argument("zeros", sizes, size)
    return full(
        shape, 0, dtype=dtype or default_dtype(), requires_grad=requires_grad, device=device
    )


def ones(
    *sizes: Any, size: Any = None, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Ones (``torch.ones``); float32 by default."""
    shape = shape_argument("ones", sizes, size)
    return full(
        shape, 1, dtype=dtype or default_dtype(), requires_grad=requires_grad, device=device
    )


def empty(
    *sizes: Any, size: Any = None, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A tensor whose values do not matter; graphc fills it with zeros (``torch.empty``)."""
    return zeros(*sizes, size=size, dtype=dtype, requires_grad=requires_grad, device=device)


def zeros_like(
    input: Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Zeros of the shape and dtype of another tensor (``torch.zeros_like``)."""
    return full_like(input, 0, dtype=dtype, requires_grad=requires_grad, device=device)


def ones_like(
    input: Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Ones of the shape and dtype of another tensor (``torch.ones_like``)."""
    return full_like(input, 1, dtype=dtype, requires_grad=requires_grad, device=device)


def empty_like(
    input: Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """A tensor of the same shape whose values do not matter (``torch.empty_like``)."""
    return full_like(input, 0, dtype=dtype, requires_grad=requires_grad, device=device)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """One value in the shape and dtype of another tensor (``torch.full_like``)."""
    x = require_tensor("full_like", input)
    of = x.dtype if dtype is None else dtype
    return full(x.shape, fill_value, dtype=of, requires_grad=requires_grad, device=device)


def arange(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """``start, start + step, ...`` below ``end``; int64 for ints, else float32.

    Args:
        start: first value, or the end if it stands alone; a number, or a tensor without dims.
        end: bound, not reached.
        step: distance.
        dtype: element type.
        requires_grad: track gradients.
        device: the CPU.

    Raises:
        ArgumentError: if the step does not lead from start to end.
        DTypeError: for bools and complex numbers.

    Source: ``torch.arange``.

    Example:
        >>> import graphc as gc
        >>> gc.arange(1, 7, 2)
        tensor([1, 3, 5])
    """
    require_cpu(device)
    if end is None:
        start, end = 0, start
    start, end, step = (_bound(value) for value in (start, end, step))
    if isinstance(end, Dim) or isinstance(start, Dim):
        return _symbolic_arange(start, end, step, dtype)
    whole = all(isinstance(value, int | np.integer) for value in (start, end, step))
    of = as_dtype((int64 if whole else default_dtype()) if dtype is None else dtype)
    if of.category not in (INTEGER, FLOATING):
        raise DTypeError(
            "arange: unsupported dtype", got=of.name, expected="integers or floating point",
            where=user_location_text(),
        )  # fmt: skip
    given = start, end, step
    if of.category == INTEGER and not whole:
        start, end, step = int(start), int(end), int(step)
        whole = True
    if step == 0 or (end - start) * step < 0:
        raise ArgumentError(
            "arange: the step does not lead from start to end", got=", ".join(map(str, given)),
            where=user_location_text(),
        )  # fmt: skip
    first, last, stride = (start, end, step) if of is int64 else given  # as PyTorch counts
    count = max(0, math.ceil((last - first) / stride))
    ramp = np.arange(count, dtype=np.int64 if whole else np.float64)
    return tracked(concrete((start + ramp * step).astype(of.numpy)), requires_grad)


def _bound(value: Any) -> Any:
    """A bound as a number; of a tensor without dims its element."""
    if not is_tensor(value):
        return value
    if value.ndim:
        raise ArgumentError(
            "arange: a bound must be a number", got=str(value.type),
            expected="a number, or a tensor without dims", where=user_location_text(),
        )  # fmt: skip
    return value.item()


def _symbolic_arange(start: Any, end: Any, step: Any, dtype: DTypeLike | None) -> Tensor:
    if step != 1 or modes.recorder is None:
        raise ArgumentError(
            "arange: an unknown size needs step 1, while recording", where=user_location_text()
        )
    of = int64 if dtype is None else as_dtype(dtype)
    ramp = symbolic(iota((end - start,), 0, int64), modes.recorder)
    return cast_op(pointwise.add(ramp, start) if start != 0 else ramp, dtype=of)


def scalar_tensor(
    s: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """One number as a tensor without dims, float32 by default (``torch.scalar_tensor``)."""
    of = dtype or default_dtype()
    return tensor(s, dtype=of, requires_grad=requires_grad, device=device)
