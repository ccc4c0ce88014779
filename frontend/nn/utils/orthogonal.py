"""Matrices with orthogonal columns as functions of free ones."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.counting import eye
from graphc.frontend.functions.creation import zeros
from graphc.frontend.functions.decompositions import qr
from graphc.frontend.functions.diagonals import tril
from graphc.frontend.functions.equations import solve
from graphc.frontend.functions.linalg import householder_product, matrix_exp
from graphc.frontend.functions.pieces import cat
from graphc.frontend.functions.pointwise import add, div, mul
from graphc.frontend.functions.sampling import randn
from graphc.frontend.making import concrete
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.storage import Array

Kind = Literal["matrix_exp", "cayley", "householder"]


def orthogonal_map_of(weight: Tensor, name: str | None) -> Kind:
    """The map of this name, or the one that suits a weight.

    Raises:
        ArgumentError: for an unknown name, or reflections of complex matrices.
    """
    if name is None:
        is_square = weight.shape[-2] == weight.shape[-1]
        return "matrix_exp" if is_square or weight.is_complex() else "householder"
    if name not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentError(
            "orthogonal: unknown orthogonal_map", got=repr(name),
            expected="'matrix_exp', 'cayley' or 'householder'", where=user_location_text(),
        )  # fmt: skip
    if name == "householder" and weight.is_complex():
        raise ArgumentError(
            "orthogonal: the householder parametrization does not support complex tensors",
            where=user_location_text(),
        )
    return cast("Kind", name)


class OrthogonalMap(Module):
    """From free matrices to matrices with orthogonal columns, or rows if these are fewer.

    Args:
        weight: as it is now.
        orthogonal_map: how.
        use_trivialization: multiply by a matrix ``base``, which the weight of now gives.
    """

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: Kind, use_trivialization: bool) -> None:
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def _get_name(self) -> str:
        return "_Orthogonal"  # PyTorch's text

    def forward(self, x: Tensor) -> Tensor:
        is_wide = x.shape[-2] < x.shape[-1]
        x = x.mT if is_wide else x
        found = self._reflected(x) if self.orthogonal_map == "householder" else self._turned(x)
        if self.use_trivialization and self.base is not None:
            found = self.base @ found
        return found.mT if is_wide else found

    def _turned(self, x: Tensor) -> Tensor:
        """A rotation by a skew matrix, made of what is below the diagonal."""
        rows, columns = x.shape[-2:]
        below = tril(x)
        if rows != columns:
            missing = zeros(*x.shape[:-2], rows, rows - columns, dtype=x.dtype)
            below = cat([below, missing], -1)
        skew = below - below.mH
        if self.orthogonal_map == "matrix_exp":
            return matrix_exp(skew)[..., :columns]
        one = eye(rows, dtype=x.dtype)
        return solve(add(one, skew, alpha=-0.5), add(one, skew, alpha=0.5))[..., :columns]

    def _reflected(self, x: Tensor) -> Tensor:
        """A product of reflections at what is below the diagonal; the diagonal has the signs."""
        below = tril(x, -1)
        scale = div(2.0, add(mul(below, below).sum(-2), 1.0))
        signs = x.diagonal(dim1=-2, dim2=-1).detach().trunc()
        return mul(householder_product(below, scale), signs.unsqueeze(-2))

    def right_inverse(self, q: Tensor) -> Tensor:
        """The free matrix for a matrix, which is made orthogonal first.

        Raises:
            ShapeError: for another shape.
            NotImplementedError: for a map that has no inverse without a base.
        """
        if q.shape != self.shape:
            raise ShapeError(
                "orthogonal: expected a matrix or batch of matrices of the weight's shape",
                got=str(q.type), expected=str(self.shape), where=user_location_text(),
            )  # fmt: skip
        with no_grad():
            is_wide = q.shape[-2] < q.shape[-1]
            tall = q.mT if is_wide else q
            if self.use_trivialization:
                self.base = _completed(tall)
                free = np.zeros(q.shape, q.dtype.numpy)
                _diagonal(free)[...] = -1
                return concrete(free)
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            found = _reflections(tall)
            return found.mT if is_wide else found


def _completed(q: Tensor) -> Tensor:
    """A square orthogonal matrix with these columns, which are made orthogonal."""
    rows, columns = q.shape[-2:]
    if rows != columns:
        more = randn(*q.shape[:-2], rows, rows - columns, dtype=q.dtype)
        return _made_orthogonal(cat([q, more], -1))
    values = q.detach().array("a weight")
    tolerance = 10.0 * rows * np.finfo(values.dtype).eps
    product = np.conj(np.swapaxes(values, -1, -2)) @ values
    if np.allclose(product, np.eye(rows), rtol=1e-5, atol=tolerance):
        return q.detach().clone()
    return _made_orthogonal(q)


def _made_orthogonal(x: Tensor) -> Tensor:
    """The factor Q of a QR decomposition whose R has no negative diagonal."""
    q, r = qr(x.detach())
    return mul(q, r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2))


def _reflections(q: Tensor) -> Tensor:
    """The reflections whose product has these columns, with signs on the diagonal."""
    raw, scale = np.linalg.qr(q.detach().array("a weight"), mode="raw")
    below = np.array(np.swapaxes(raw, -1, -2))
    diagonal = _diagonal(below)
    diagonal[...] = np.sign(diagonal)
    diagonal[scale == 0] *= -1
    return concrete(below)


def _diagonal(matrices: Array) -> Array:
    """A view of the diagonals, to be written."""
    size = min(matrices.shape[-2:])
    found: Array = np.einsum("...ii->...i", matrices[..., :size, :size])
    return found
