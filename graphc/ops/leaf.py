"""Operations without inputs: placeholders, variables, sizes and counting ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.dims import Shape, Size
from graphc.dtypes import DType, int64
from graphc.errors import FeedError, ShapeError
from graphc.node import Node, constant, make_node
from graphc.opdef import OpDef, Trait
from graphc.storage import Array, Source
from graphc.types import TensorType


def _infer_leaf(*, type: TensorType, **_: Any) -> TensorType:
    return type


def _eval_placeholder(*, name: str, **_: Any) -> Array:
    raise FeedError(f"no value for placeholder {name!r}")


def _eval_variable(*, source: Source, type: TensorType, **_: Any) -> Array:
    return source.read().astype(type.dtype.numpy, copy=False)


PLACEHOLDER = OpDef("placeholder", _infer_leaf, _eval_placeholder, traits=Trait.LEAF)
VARIABLE = OpDef("variable", _infer_leaf, _eval_variable, traits=Trait.LEAF)


def placeholder(name: str, type: TensorType) -> Node:
    """A value that is fed at each run."""
    return make_node(PLACEHOLDER, (), {"name": name, "type": type})


def variable(name: str, type: TensorType, source: Source) -> Node:
    """A value that is read from its source at each run."""
    return make_node(VARIABLE, (), {"name": name, "type": type, "source": source})


def _infer_size(*, size: Size, refused: int | None = None, why: str = "") -> TensorType:
    if isinstance(size, int) and size == refused:
        raise ShapeError(why, got=f"a size of {size}")
    return TensorType((), int64)


def _eval_size(*, size: Size, **_: Any) -> Array:
    return np.asarray(int(size), np.int64)


SIZE = OpDef("size", _infer_size, _eval_size)


def size_value(size: Size, refused: int | None = None, why: str = "") -> Node:
    """A size of a shape as a 0-d int64 value.

    Args:
        size: the size.
        refused: a size with which the program cannot run.
        why: what is wrong with that one.

    Raises:
        ShapeError: if the size is the refused one; where it is unknown, when it gets known.
    """
    limit = {} if refused is None else {"refused": refused, "why": why}
    if not isinstance(size, int):
        return make_node(SIZE, (), {"size": size, **limit})
    _infer_size(size=size, refused=refused, why=why)
    return constant(np.int64(size))


def _infer_iota(*, shape: Shape, dim: int, dtype: DType) -> TensorType:
    if not 0 <= dim < len(shape):
        raise ShapeError("iota: dim out of range", got=str(dim), expected=f"0..{len(shape) - 1}")
    return TensorType(shape, dtype)


def _eval_iota(*, shape: tuple[int, ...], dim: int, dtype: DType) -> Array:
    ramp = np.arange(shape[dim]).astype(dtype.numpy)
    return np.broadcast_to(ramp.reshape((-1, *(1,) * (len(shape) - dim - 1))), shape)


IOTA = OpDef("iota", _infer_iota, _eval_iota)


def iota(shape: Shape, dim: int, dtype: DType) -> Node:
    """A tensor whose elements are their own index along ``dim``."""
    return make_node(IOTA, (), {"shape": shape, "dim": dim, "dtype": dtype})
