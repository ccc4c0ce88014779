"""Elements and slices by their positions along a dim: gather, index_select, select, one_hot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Shape
from graphc.dtypes import INTEGER, int64
from graphc.errors import ArgumentError, DTypeError, IndexShapeError, ShapeError
from graphc.frontend.functions.convert import cast, normalize_dim, require_tensor, scalar_tensor
from graphc.frontend.functions.indexing import int_position, slices_at
from graphc.frontend.functions.shaping import drop_dims, expand, reshape, unsqueeze
from graphc.frontend.making import concrete
from graphc.ops import comparison, elementwise
from graphc.ops import index as ops
from graphc.ops import select as choosing
from graphc.ops import shape as shape_ops
from graphc.provenance import user_location_text
from graphc.shapes import broadcast_shapes

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "gather",
    "index_select",
    "select",
    "take_along_dim",
]


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``, and so on (``torch.gather``).

    Raises:
        ArgumentError: for ``sparse_grad=True``: gradients are dense.
        IndexRangeError: for an index outside ``0 .. size - 1``, when it runs.
    """
    if sparse_grad:
        raise ArgumentError("gather: gradients are dense", got="sparse_grad=True",
                            expected="False", where=user_location_text())  # fmt: skip
    x = require_tensor("gather", input)
    axis, picked = normalize_dim("gather", dim, x.ndim), int_index("gather", index)
    if 0 in picked.shape:
        return ops.gather(reshape(x, (-1,)), reshape(picked, (-1,)), dim=0).reshape(picked.shape)
    if x.ndim == 0 or picked.ndim == 0:
        line, places = (reshape(each, (1,)) if each.ndim == 0 else each for each in (x, picked))
        return reshape(ops.gather(line, places, dim=0), tuple(picked.shape))
    return ops.gather(x, picked, dim=axis)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices at these positions along a dim (``torch.index_select``).

    Raises:
        IndexShapeError: for an index with several dims.
        IndexRangeError: for an index outside ``0 .. size - 1``, when it runs.
    """
    x = require_tensor("index_select", input)
    axis = normalize_dim("index_select", dim, x.ndim)
    positions = int_index("index_select", index)
    if positions.ndim > 1:
        raise IndexShapeError(
            "index_select: the index must be a vector",
            got=str(positions.type),
            where=user_location_text(),
        )
    if positions.ndim == 0:
        positions = unsqueeze(positions, 0)
    if x.ndim == 0:
        return reshape(ops.index(reshape(x, (1,)), positions, dims=(0,)), ())
    return slices_at(x, positions, axis, "index_select: index")


def int_index(function: str, index: Any) -> Tensor:
    """Raise DTypeError unless these are integers; return them as int64."""
    tensor = require_tensor(function, index)
    if tensor.dtype.category != INTEGER:
        raise DTypeError(
            f"{function}: the index must be integer", got=tensor.dtype.name,
            where=user_location_text(),
        )  # fmt: skip
    return cast(tensor, int64)


def embedding(weight: Tensor, indices: Tensor) -> Tensor:
    """The rows of ``weight`` at these indices, with their shape in front."""
    return ops.index(weight, int_index("embedding", indices), dims=(0,), what="embedding: index")


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the index, 0 elsewhere, along a new last dim (``torch.nn.functional.one_hot``).

    Args:
        tensor: int64 classes, any shape.
        num_classes: the new size; -1 means the largest class plus one (dynamic mode only).

    Raises:
        ArgumentError: for no classes, and for -1 if the tensor is empty.
        IndexRangeError: for a class outside ``0 .. num_classes - 1``, when it runs.
    """
    classes = require_tensor("one_hot", tensor)
    if classes.dtype is not int64:
        raise DTypeError(
            "one_hot: expected int64", got=classes.dtype.name, where=user_location_text()
        )
    if num_classes < -1 or (num_classes < 1 and classes.type.numel == 0):
        raise ArgumentError(
            "one_hot: there is no number of classes",
            got=f"num_classes={num_classes}, {classes.type}", where=user_location_text(),
        )  # fmt: skip
    if num_classes == -1:
        num_classes = int(classes.array("the largest class").max(initial=-1)) + 1
    rows = concrete(np.eye(num_classes, dtype=np.int64))
    return ops.index(rows, classes, dims=(0,), what="one_hot: class")


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Gather with broadcasting of the other dims (``torch.take_along_dim``).

    Raises:
        ShapeError: if the sizes besides ``dim`` do not broadcast.
    """
    x, picked = require_tensor("take_along_dim", input), int_index("take_along_dim", indices)
    if dim is None:
        return gather(reshape(x, (-1,)), 0, reshape(picked, (-1,)))
    axis = normalize_dim("take_along_dim", dim, x.ndim)
    common = None if picked.ndim != x.ndim else broadcast_shapes(
        without(x.shape, axis), without(picked.shape, axis)
    )  # fmt: skip
    if common is None:
        raise ShapeError(
            "take_along_dim: the sizes besides dim must broadcast",
            got=f"{x.type} and {picked.type}",
            where=user_location_text(),
        )
    size = x.shape[axis]
    picked = choosing.where(
        comparison.lt(picked, scalar_tensor(0, int64)),
        elementwise.add(picked, scalar_tensor(size, int64)),
        picked,
    )
    source = expand(x, (*common[:axis], size, *common[axis:]))
    return gather(
        source, axis, expand(picked, (*common[:axis], picked.shape[axis], *common[axis:]))
    )


def without(shape: Shape, axis: int) -> Shape:
    """The sizes besides one dim."""
    return (*shape[:axis], *shape[axis + 1 :])


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along a dim, without it (``torch.select``).

    Raises:
        IndexRangeError: for an index outside ``-size .. size - 1``.
    """
    x = require_tensor("select", input)
    axis = normalize_dim("select", dim, x.ndim)
    at = int_position(index, x.shape[axis])
    return drop_dims(shape_ops.narrow(x, axis, at, at + 1), (axis,))
