"""Where the elements of recorded views lie: whether a reshape is a view or has to copy.

Results of operations lie in index order, and so do arguments as far as a recording knows; only
views lie otherwise. Sizes may be unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dims import Shape, Size
from graphc.ops.diagonal import diagonal, diagonal_size
from graphc.ops.shape import expand, flip, permute, reshape, slice_
from graphc.shapes import numel

if TYPE_CHECKING:
    from graphc.frontend.memory.views import ViewStep
    from graphc.frontend.tensor import Tensor

Strides = tuple[Size, ...]


def must_copy(x: Tensor, shape: Shape) -> bool:
    """True if no strides give the elements of a recorded tensor in another shape.

    Args:
        x: the tensor.
        shape: the other shape, of as many elements.
    """
    view = x._viewed
    if view is None and x.node is not None:
        return False
    whole = x if view is None else view.whole
    sizes: Shape = whole.shape
    strides = contiguous_strides(sizes)
    if whole.node is None:
        array = whole.storage.array
        strides = tuple(step // array.itemsize for step in array.strides)
    for step in () if view is None else view.steps:
        sizes, strides = _seen(sizes, strides, step)
    return reshaped_strides(sizes, strides, shape) is None


def contiguous_strides(shape: Shape) -> Strides:
    """The strides of elements in index order."""
    return tuple(numel(shape[dim + 1 :]) for dim in range(len(shape)))


def _seen(sizes: Shape, strides: Strides, step: ViewStep) -> tuple[Shape, Strides]:
    """Sizes and strides behind one view operation."""
    op, attrs = step
    if op is permute:
        dims = attrs["dims"]
        return tuple(sizes[dim] for dim in dims), tuple(strides[dim] for dim in dims)
    if op is slice_:
        places = zip(attrs["starts"], attrs["stops"], attrs["steps"], strict=True)
        counts = tuple((stop - start + (by - 1)) // by for start, stop, by in places)
        return counts, tuple(own * by for own, by in zip(strides, attrs["steps"], strict=True))
    if op is expand:
        wanted: Shape = attrs["shape"]
        lead = len(wanted) - len(sizes)
        kept = zip(sizes, strides, strict=True)
        grown = tuple(0 if size == 1 else own for size, own in kept)
        return wanted, (*(0,) * lead, *grown)
    if op is flip:
        turned = attrs["dims"]
        return sizes, tuple(-own if dim in turned else own for dim, own in enumerate(strides))
    if op is diagonal:
        one, other = attrs["dim1"], attrs["dim2"]
        rest = [dim for dim in range(len(sizes)) if dim not in (one, other)]
        length = diagonal_size(int(sizes[one]), int(sizes[other]), attrs["offset"])
        return (
            (*(sizes[dim] for dim in rest), length),
            (*(strides[dim] for dim in rest), strides[one] + strides[other]),
        )
    if op is reshape:
        found = reshaped_strides(sizes, strides, attrs["shape"])
        return attrs["shape"], contiguous_strides(attrs["shape"]) if found is None else found
    return sizes, strides


def reshaped_strides(sizes: Shape, strides: Strides, wanted: Shape) -> Strides | None:
    """The strides of the same elements in another shape, or None if no strides give them.

    Dims that lie as one are a run; each run must be cut into whole new dims.
    """
    if any(size == 0 for size in sizes):
        return contiguous_strides(wanted)
    dims = [(size, own) for size, own in zip(sizes, strides, strict=True) if size != 1]
    left = [*wanted]
    found: list[Size] = []
    while dims:
        total, step = dims.pop()
        while dims and dims[-1][1] == total * step:
            total = dims.pop()[0] * total
        taken: Size = 1
        while left and taken != total:
            found.append(taken * step)
            taken = left.pop() * taken
        if taken != total:
            return None
    if any(size != 1 for size in left):
        return None
    return (*(1,) * len(left), *reversed(found))
