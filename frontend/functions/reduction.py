"""Reductions: sums, means, variances, extrema, any and all."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphc.dims import Dim
from graphc.dtypes import DTypeLike, as_dtype, bool_, int64, uint8
from graphc.errors import ArgumentTypeError, DTypeError
from graphc.frontend.functions import choosing, pointwise
from graphc.frontend.functions.convert import (
    cast,
    normalize_dim,
    normalize_dims,
    require_tensor,
    scalar_tensor,
)  # fmt: skip
from graphc.frontend.functions.factories import Binary
from graphc.frontend.functions.shaping import drop_dims, reshape
from graphc.frontend.memory.view_chains import without_dims
from graphc.opdef import OpDef
from graphc.ops import comparison, elementwise, reduce, select
from graphc.ops import shape as shape_ops
from graphc.ops.elementwise_parts import imag, real
from graphc.ops.index import gather
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


Dims = int | Sequence[int] | None


class ValuesAndIndices(NamedTuple):
    """Result of a reduction that also says where: ``values`` and int64 ``indices``."""

    values: Tensor
    indices: Tensor


def _reduce(op: OpDef, x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    reduced = op(x, dims=dims)
    return reduced if keepdim else without_dims(reduced, dims)


def dims_argument(function: str, x: Tensor, dim: Dims) -> tuple[int, ...]:
    """The dims to reduce; an empty sequence means all, as None does."""
    if isinstance(dim, Sequence) and len(dim) == 0:
        dim = None
    return normalize_dims(function, dim, x.ndim)


def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The sum over dims; bools and integers add up as int64.

    Args:
        input: tensor.
        dim: dim or dims; None for all.
        keepdim: keep reduced dims with size 1.
        dtype: cast to this type first.

    Source: ``torch.sum``.

    Example:
        >>> import graphc as gc
        >>> gc.sum(gc.tensor([[1, 2], [3, 4]]), dim=0)
        tensor([4, 6])
    """
    x = wide(require_tensor("sum", input), dtype)
    return _reduce(reduce.sum_, x, dims_argument("sum", x, dim), keepdim)


def wide(x: Tensor, dtype: DTypeLike | None) -> Tensor:
    """The tensor in the dtype in which it adds up: as given, or int64 for bools and integers."""
    if dtype is not None:
        return cast(x, as_dtype(dtype))
    return x if x.dtype.is_differentiable else cast(x, int64)


def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The product over one dim or all; integers multiply as int64 (``torch.prod``)."""
    if dtype is bool_:
        return all(cast(require_tensor("prod", input), bool_), dim, keepdim)
    x = wide(require_tensor("prod", input), dtype)
    return _reduce(reduce.prod, x, dims_argument("prod", x, dim), keepdim)


def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The mean over dims; NaN of no elements (``torch.mean``).

    Raises:
        DTypeError: for integers, unless ``dtype`` says what to cast them to.
    """
    x = require_tensor("mean", input)
    x = x if dtype is None else cast(x, as_dtype(dtype))
    require_float("mean", x)
    dims = dims_argument("mean", x, dim)
    total = reduce.sum_(x, dims=dims)
    average = elementwise.div(total, scalar_tensor(reduce.reduced_count(x.shape, dims), x.dtype))
    return average if keepdim else without_dims(average, dims)


def require_float(function: str, x: Tensor) -> None:
    """Raise DTypeError for bools and integers."""
    if not x.dtype.is_differentiable:
        raise DTypeError(
            f"{function}: expected a floating point tensor",
            got=x.dtype.name,
            fix="cast it first, e.g. x.float(), or give dtype=",
            where=user_location_text(),
        )


def var(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False,
    *, correction: float | None = None,
) -> Tensor:  # fmt: skip
    """The variance over dims: the mean square of the deviations from the mean.

    Args:
        input: floating point tensor.
        dim: dim or dims; None for all. A bool here is ``unbiased``, over all dims.
        unbiased: older name: True is ``correction=1``, False ``correction=0``.
        keepdim: keep reduced dims with size 1.
        correction: the divisor is ``n - correction`` (at least 0); default 1.

    Source: ``torch.var``.
    """
    x = require_tensor("var", input)
    require_float("var", x)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    dims = dims_argument("var", x, dim)
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    centered = elementwise.sub(x, mean(x, dims, keepdim=True) if dims else mean(x))
    squares = reduce.sum_(squared_size(centered), dims=dims)
    squares = elementwise.sub(squares, _too_much(select.detach(centered), dims, squares))
    count = reduce.reduced_count(x.shape, dims)
    if isinstance(count, Dim):
        freedom = choosing.clamp(scalar_tensor(count, squares.dtype) - correction, min=0)
    else:
        freedom = scalar_tensor(builtins.max(count - correction, 0.0), squares.dtype)
    variance = elementwise.div(squares, freedom)
    return variance if keepdim else without_dims(variance, dims)


def squared_size(x: Tensor) -> Tensor:
    """``|x| ** 2``, not by way of the magnitude, which has no derivative at 0."""
    if not x.dtype.is_complex:
        return elementwise.mul(x, x)
    along, across = real(x), imag(x)
    return elementwise.add(elementwise.mul(along, along), elementwise.mul(across, across))


def _too_much(centered: Tensor, dims: tuple[int, ...], squares: Tensor) -> Tensor:
    """What the mean's rounding adds to the sum of squares; 0 but for rounding, so no gradient."""
    total = reduce.sum_(centered, dims=dims)
    total = pointwise.abs(total) if total.dtype.is_complex else total
    count = scalar_tensor(reduce.reduced_count(centered.shape, dims), total.dtype)
    added = elementwise.mul(total, elementwise.div(total, count))
    return elementwise.minimum(added, select.detach(squares))


def std(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False,
    *, correction: float | None = None,
) -> Tensor:  # fmt: skip
    """The standard deviation, the root of ``var`` (``torch.std``)."""
    return safe_root(var(input, dim, unbiased, keepdim, correction=correction))


def safe_root(x: Tensor) -> Tensor:
    """The square root with gradient 0 at 0, where the true one is infinite."""
    zero, one = scalar_tensor(0, x.dtype), scalar_tensor(1, x.dtype)
    is_zero = comparison.eq(x, zero)
    return select.where(is_zero, zero, elementwise.sqrt(select.where(is_zero, one, x)))


def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The maximum over dims; NaN wins; ties share the gradient (``torch.amax``)."""
    x = require_tensor("amax", input)
    return _reduce(reduce.amax, x, dims_argument("amax", x, dim), keepdim)


def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The minimum over dims; NaN wins; ties share the gradient (``torch.amin``)."""
    x = require_tensor("amin", input)
    return _reduce(reduce.amin, x, dims_argument("amin", x, dim), keepdim)


def max(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *,
    other: Tensor | None = None,
) -> Tensor | ValuesAndIndices:  # fmt: skip
    """The maximum of all elements, or values and first indices along one dim.

    Args:
        input: tensor.
        dim: dim; None for all elements; a tensor means ``maximum(input, dim)``.
        keepdim: keep the dim with size 1.
        other: the second tensor of ``maximum``, by name.

    Source: ``torch.max``.

    Example:
        >>> import graphc as gc
        >>> gc.max(gc.tensor([[1.0, 3.0], [4.0, 2.0]]), dim=1).indices
        tensor([1, 0])
    """
    chosen = _one_of("max", dim, other)
    return _extremum("max", reduce.amax, reduce.argmax, choosing.maximum, input, chosen, keepdim)


def min(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *,
    other: Tensor | None = None,
) -> Tensor | ValuesAndIndices:  # fmt: skip
    """The minimum of all elements, or values and first indices along one dim (``torch.min``)."""
    chosen = _one_of("min", dim, other)
    return _extremum("min", reduce.amin, reduce.argmin, choosing.minimum, input, chosen, keepdim)


def _one_of(function: str, dim: int | Tensor | None, other: Tensor | None) -> int | Tensor | None:
    if dim is not None and other is not None:
        raise ArgumentTypeError(
            f"{function}: either a dim or another tensor", got="both", where=user_location_text()
        )
    return dim if other is None else other


def _extremum(
    function: str, value_op: OpDef, index_op: OpDef, pairwise: Binary, input: Tensor,
    dim: int | Tensor | None, keepdim: bool,
) -> Tensor | ValuesAndIndices:  # fmt: skip
    x = require_tensor(function, input)
    if dim is None:
        return _reduce(value_op, x, dims_argument(function, x, None), False)
    if not isinstance(dim, int):
        return pairwise(x, dim)
    axis = normalize_dim(function, dim, x.ndim)
    if x.ndim == 0:
        return ValuesAndIndices(x, scalar_tensor(0, int64))
    indices = index_op(x, dims=(axis,))
    values = gather(x, indices, dim=axis)
    if keepdim:
        return ValuesAndIndices(values, indices)
    return ValuesAndIndices(without_dims(values, (axis,)), without_dims(indices, (axis,)))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first maximum, of all elements or along one dim; NaN wins.

    Source: ``torch.argmax``.
    """
    return _arg_extremum("argmax", reduce.argmax, input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first minimum, of all elements or along one dim (``torch.argmin``)."""
    return _arg_extremum("argmin", reduce.argmin, input, dim, keepdim)


def _arg_extremum(
    function: str, op: OpDef, input: Tensor, dim: int | None, keepdim: bool
) -> Tensor:
    x = require_tensor(function, input)
    if dim is None:
        index = op(reshape(x, (-1,) if x.type.numel != 0 else (0,)), dims=(0,))
        return reshape(index, (1,) * x.ndim if keepdim else ())
    axis = normalize_dim(function, dim, x.ndim)
    if x.ndim == 0:
        return scalar_tensor(0, int64)
    return _reduce(op, x, (axis,), keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """True if one element or more is not zero (``torch.any``); False of no elements.

    An empty sequence of dims reduces nothing, as in PyTorch.
    """
    return _logical("any", reduce.amax, False, input, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """True if every element is not zero (``torch.all``); True of no elements.

    An empty sequence of dims reduces nothing, as in PyTorch.
    """
    return _logical("all", reduce.amin, True, input, dim, keepdim)


def _logical(
    function: str, op: OpDef, of_none: bool, input: Tensor, dim: Dims, keepdim: bool
) -> Tensor:
    given = require_tensor(function, input)
    if given.dtype is uint8:  # PyTorch's answer is a number then
        return cast(_logical(function, op, of_none, cast(given, bool_), dim, keepdim), uint8)
    x = cast(given, bool_)
    if isinstance(dim, Sequence) and len(dim) == 0:
        return comparison.ne(x, scalar_tensor(False, bool_))
    dims = dims_argument(function, x, dim)
    if reduce.reduced_count(x.shape, dims) == 0:
        shape = tuple(1 if axis in dims else size for axis, size in enumerate(x.shape))
        empty = scalar_tensor(of_none, bool_).expand(shape)
        return empty if keepdim else drop_dims(empty, dims)
    return _reduce(op, with_an_element(x, dims, of_none), dims, keepdim)


def with_an_element(x: Tensor, dims: tuple[int, ...], value: float) -> Tensor:
    """With this value at the end of unknown dims, which may turn out to be empty.

    An extremum of no elements is refused. Where the dims are not empty, a rule drops the value.
    """
    longer = tuple(int(d in dims and isinstance(x.shape[d], Dim)) for d in range(x.ndim))
    if not builtins.any(longer):
        return x
    zeros = (0,) * x.ndim
    return shape_ops.pad(x, low=zeros, high=longer, interior=zeros, value=value)
