"""Methods that choose elements of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import indexing


class IndexingMethods(TensorBase):
    """Methods that choose elements; see the functions of the same names."""

    __slots__ = ()

    gather = indexing.gather
    scatter_add = indexing.scatter_add
    index_select = indexing.index_select
    select = indexing.select_at
    nonzero = indexing.nonzero
