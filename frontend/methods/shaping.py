"""Methods of shape and layout of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import shaping


class ShapingMethods(TensorBase):
    """Methods of shape and layout; see the functions of the same names."""

    __slots__ = ()

    clone = shaping.clone
    reshape = shaping.reshape
    view = shaping.reshape
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
    narrow = shaping.narrow
    split = shaping.split
    chunk = shaping.chunk
    unbind = shaping.unbind
