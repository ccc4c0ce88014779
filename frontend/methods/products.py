"""Products and linear algebra as methods of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import (
    calculus,
    contractions,
    equations,
    linalg,
    matrix_names,
    products,
)  # fmt: skip


class ProductMethods(TensorBase):
    """Products and linear algebra as methods; see the functions of the same names."""

    __slots__ = ()

    matmul = products.matmul
    mm = products.mm
    bmm = products.bmm
    mv = products.mv
    dot = products.dot
    vdot = products.vdot
    addmm = products.addmm
    addmv = products.addmv
    addr = products.addr
    addbmm = products.addbmm
    baddbmm = products.baddbmm
    inner = contractions.inner
    outer = contractions.outer
    ger = contractions.ger
    kron = contractions.kron
    cross = contractions.cross
    matrix_power = linalg.matrix_power
    matrix_exp = linalg.matrix_exp
    cholesky = matrix_names.cholesky
    cholesky_inverse = matrix_names.cholesky_inverse
    cholesky_solve = matrix_names.cholesky_solve
    lu = matrix_names.lu
    lu_solve = matrix_names.lu_solve
    orgqr = matrix_names.orgqr
    qr = matrix_names.qr
    svd = matrix_names.svd
    triangular_solve = matrix_names.triangular_solve
    inverse = equations.inverse
    pinverse = equations.pinverse
    det = equations.det
    logdet = equations.logdet
    slogdet = equations.slogdet
    diff = calculus.diff
