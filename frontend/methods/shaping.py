"""Methods of shape and layout of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import (
    copies,
    legacy,
    pieces,
    rearranging,
    repeating,
    shaping,
    slice_norms,
    splitting,
    strides,
    viewing,
)  # fmt: skip


class ShapingMethods(TensorBase):
    """Methods of shape and layout; see the functions of the same names."""

    __slots__ = ()

    clone = shaping.clone
    reshape = shaping.reshape
    view = viewing.view
    flatten = shaping.flatten
    permute = shaping.permute
    transpose = shaping.transpose
    t = shaping.t
    expand = shaping.expand
    expand_as = shaping.expand_as
    broadcast_to = shaping.broadcast_to
    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze
    flip = shaping.flip
    narrow = pieces.narrow
    split = pieces.split
    chunk = pieces.chunk
    unbind = pieces.unbind
    tensor_split = splitting.tensor_split
    hsplit = splitting.hsplit
    vsplit = splitting.vsplit
    dsplit = splitting.dsplit
    movedim = moveaxis = rearranging.movedim
    swapaxes = rearranging.swapaxes
    swapdims = shaping.transpose
    ravel = rearranging.ravel
    unflatten = rearranging.unflatten
    fliplr = rearranging.fliplr
    flipud = rearranging.flipud
    rot90 = rearranging.rot90
    roll = rearranging.roll
    repeat = repeating.repeat
    tile = repeating.tile
    repeat_interleave = repeating.repeat_interleave
    unfold = rearranging.unfold
    as_strided = strides.as_strided
    as_strided_scatter = strides.as_strided_scatter
    narrow_copy = copies.narrow_copy
    split_with_sizes = copies.split_with_sizes
    unsafe_chunk = copies.unsafe_chunk
    unsafe_split = copies.unsafe_split
    unsafe_split_with_sizes = copies.unsafe_split_with_sizes
    sum_to_size = legacy.sum_to_size
    trace = legacy.trace
    renorm = slice_norms.renorm
    nonzero_static = legacy.nonzero_static
