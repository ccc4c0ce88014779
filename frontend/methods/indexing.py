"""Methods that choose elements of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import (
    assignment,
    diagonals,
    indexing,
    picking,
    scattering,
    searching,
)


class IndexingMethods(TensorBase):
    """Methods that choose elements; see the functions of the same names."""

    __slots__ = ()

    __getitem__ = indexing.getitem
    __setitem__ = assignment.setitem
    gather = picking.gather
    index_select = picking.index_select
    select = picking.select
    take = searching.take
    take_along_dim = picking.take_along_dim
    nonzero = searching.nonzero
    argwhere = searching.argwhere
    masked_select = searching.masked_select
    scatter = scattering.scatter
    scatter_add = scattering.scatter_add
    scatter_reduce = scattering.scatter_reduce
    masked_scatter = scattering.masked_scatter
    index_add = scattering.index_add
    index_copy = scattering.index_copy
    index_fill = scattering.index_fill
    index_reduce = scattering.index_reduce
    index_put = assignment.index_put
    put = scattering.put
    select_scatter = assignment.select_scatter
    slice_scatter = assignment.slice_scatter
    diagonal_scatter = assignment.diagonal_scatter
    diagonal = diagonals.diagonal
    diag = diagonals.diag
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    tril = diagonals.tril
    triu = diagonals.triu
