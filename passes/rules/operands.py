"""What several rules ask about nodes, and constants they make."""

from __future__ import annotations

import numpy as np

from graphc.dtypes import BOOLEAN, COMPLEX, FLOATING, INTEGER, DType
from graphc.node import Node, constant
from graphc.ops.shape import expand
from graphc.passes.fold import LIMIT

_SIGNIFICANT_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
_EXPONENT_BITS = {"float16": 5, "bfloat16": 8, "float32": 8, "float64": 11}
_PARTS = {"complex64": "float32", "complex128": "float64"}


def is_integral(node: Node) -> bool:
    """True for integers and bools, whose arithmetic has no NaN, infinity or -0.0."""
    return node.type.dtype.category in (BOOLEAN, INTEGER)


def is_floating(node: Node) -> bool:
    """True for real floating point values."""
    return node.type.dtype.is_floating_point


def is_real(node: Node) -> bool:
    """True for anything but complex values."""
    return not node.type.dtype.is_complex


def is_signed(node: Node) -> bool:
    """True for real values that have negative ones; the negative of 1 as uint8 is 255."""
    return is_real(node) and node.type.dtype.numpy.kind != "u"


def filled(like: Node, value: float) -> Node:
    """A constant of a node's type: stored where it is small, else broadcast."""
    kind = like.type
    if kind.is_static and kind.nbytes <= LIMIT:
        return constant(np.full(kind.static_shape, value, kind.dtype.numpy))
    return expand(constant(np.asarray(value, kind.dtype.numpy)), shape=kind.shape)


def holds_all(wide: DType, narrow: DType) -> bool:
    """True if ``wide`` has every value of ``narrow``.

    Example:
        >>> from graphc.dtypes import float32, float64, int32
        >>> holds_all(float64, int32), holds_all(float32, int32)
        (True, False)
    """
    if wide is narrow or narrow.category == BOOLEAN:
        return True
    if wide.category < narrow.category:
        return False
    if narrow.category == COMPLEX:
        return wide.itemsize >= narrow.itemsize
    if wide.category == INTEGER:
        inner, outer = np.iinfo(narrow.numpy), np.iinfo(wide.numpy)
        return outer.min <= inner.min and inner.max <= outer.max
    part = _PARTS.get(wide.name, wide.name)
    if narrow.category == INTEGER:
        signed = narrow.numpy.kind == "i"
        fits = _SIGNIFICANT_BITS[part] >= narrow.itemsize * 8 - signed
        return fits and 2 ** (_EXPONENT_BITS[part] - 1) >= narrow.itemsize * 8
    return (
        _SIGNIFICANT_BITS[part] >= _SIGNIFICANT_BITS[narrow.name]
        and _EXPONENT_BITS[part] >= _EXPONENT_BITS[narrow.name]
    )


def casts_merge(source: DType, middle: DType, target: DType) -> bool:
    """True if a cast through ``middle`` equals the direct cast.

    The first cast must keep every value, and the two ways must then round and wrap alike: an
    integer wraps on its way to an integer, but saturates on its way there through a float.
    """
    if not holds_all(middle, source):
        return False
    kinds = {dtype.category for dtype in (source, middle, target)}
    alike = kinds <= {BOOLEAN, INTEGER} or kinds == {FLOATING}
    return alike or holds_all(target, source)
