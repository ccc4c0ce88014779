"""Linear algebra by PyTorch's outermost names, and orthogonal polynomials."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import graphc as gc
from graphc.errors import GraphcError
from tests.torch_oracle import check

rng = np.random.default_rng(3)
A = rng.normal(size=(2, 3, 3))
B = rng.normal(size=(2, 3, 2))
POSITIVE = A @ np.swapaxes(A, -1, -2) + 2 * np.eye(3)
TALL = rng.normal(size=(4, 3))

FUNCTIONS: list[tuple[Callable[..., Any], Any]] = [
    (lambda m, a: m.cholesky((a + a.mT) / 2), (POSITIVE,)),
    (lambda m, a: m.cholesky((a + a.mT) / 2, upper=True), (POSITIVE,)),
    (lambda m, a: ((a + a.mT) / 2).cholesky(True), (POSITIVE,)),
    (lambda m, b, a: m.cholesky_solve(b, a.tril()), (B, A)),
    (lambda m, b, a: b.cholesky_solve(a.triu(), True), (B, A)),
    (lambda m, a: m.cholesky_inverse(a.tril()), (A,)),
    (lambda m, a: a.triu().cholesky_inverse(upper=True), (A,)),
    (lambda m, a: m.qr(a), (TALL,)), (lambda m, a: m.qr(a.detach(), some=False), (TALL,)),
    (lambda m, a: a.qr().R, (TALL,)), (lambda m, a: m.svd(a).S, (TALL,)),
    (lambda m, a: m.svd(a).V.abs(), (TALL,)), (lambda m, a: a.svd().U.abs(), (TALL,)),
    (lambda m, a: m.svd(a.detach(), some=False).V.shape[0] * a, (TALL.T,)),
    (lambda m, a: m.lu(a)[0], (A,)),
    (lambda m, b, a: m.lu_solve(b, *m.linalg.lu_factor(a)), (B, A)),
    (lambda m, b, a: b.lu_solve(*a.lu()), (B, A)),
    (lambda m, a: m.lu_unpack(*m.linalg.lu_factor(a)), (A,)),
    (lambda m, a: m.lu_unpack(*m.linalg.lu_factor(a)), (TALL,)),
    (lambda m, a: m.lu_unpack(*m.linalg.lu_factor(a)), (TALL.T.copy(),)),
    (lambda m, a: m.lu_unpack(*m.linalg.lu_factor(a), unpack_pivots=False)[1:], (A,)),
    (lambda m, a: m.lu_unpack(*m.linalg.lu_factor(a), unpack_data=False)[0], (A,)),
    (lambda m, b, a: m.triangular_solve(b, a)[0], (B, A)),
    (lambda m, b, a: m.triangular_solve(b, a, upper=False, transpose=True), (B, A)),
    (lambda m, b, a: b.triangular_solve(a, True, True, True)[0], (B, A)),
    (lambda m, a, t: m.orgqr(a, t), (TALL, rng.uniform(0.1, 1, 3))),
    (lambda m, x: m.vander(x.detach()), (TALL[0],)),
    (lambda m, x: m.vander(x.detach(), 4, True), (TALL[0],)),
    (lambda m, x: m.vander(x.detach(), N=1), (TALL[0],)), (lambda m, x: m.vander(x, 0), (TALL[0],)),
    (lambda m, a: m.linalg.diagonal(a), (A,)),
    (lambda m, a: m.linalg.diagonal(a, offset=1, dim1=0, dim2=2), (A,)),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("function", "arrays"), FUNCTIONS)
def test_linear_algebra(function: Callable[..., Any], arrays: Any) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch", UserWarning)  # PyTorch prefers its newer names
        check(function, *arrays, loose=1024)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: gc.svd(gc.ones(2, 2), compute_uv=False),
        lambda: gc.lu(gc.ones(2, 2), get_infos=True),
        lambda: gc.vander(gc.ones(2, 2)), lambda: gc.cholesky_inverse(gc.ones(2)),
        lambda: gc.special.hermite_polynomial_h(gc.ones(2), gc.ones(2)),
        lambda: gc.special.legendre_polynomial_p(gc.ones(2), True),
    ],
)  # fmt: skip
def test_errors(wrong: Callable[[], object]) -> None:
    with pytest.raises(GraphcError, match=r"test_matrix_names\.py"):
        wrong()


FAMILIES = [
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
    "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "hermite_polynomial_h",
    "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
]  # fmt: skip
BY_SCIPY = {
    "chebyshev_polynomial_t": special.eval_chebyt, "chebyshev_polynomial_u": special.eval_chebyu,
    "shifted_chebyshev_polynomial_t": special.eval_sh_chebyt,
    "shifted_chebyshev_polynomial_u": special.eval_sh_chebyu,
    "hermite_polynomial_h": special.eval_hermite, "hermite_polynomial_he": special.eval_hermitenorm,
    "laguerre_polynomial_l": special.eval_laguerre, "legendre_polynomial_p": special.eval_legendre,
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n", [-2, 0, 1, 2, 3, 5, 8, 2.7])
def test_polynomials(name: str, n: float) -> None:
    x = np.array([-0.9, -0.3, 0.1, 0.4, 0.85])
    check(lambda m, x: getattr(m.special, name)(x, n), x, grads=False, loose=1e5)


@pytest.mark.parametrize("name", BY_SCIPY)
def test_polynomials_by_scipy(name: str) -> None:
    x = np.array([-1.0, -0.5, 0.0, 0.3, 1.0])
    for n in range(12):
        got = getattr(gc.special, name)(gc.tensor(x), n).numpy()
        np.testing.assert_allclose(got, BY_SCIPY[name](n, x), rtol=1e-9, atol=1e-9)
    leaf = gc.tensor(x, requires_grad=True)
    assert gc.autograd.gradcheck(lambda x: getattr(gc.special, name)(x, 4), [leaf])
    assert getattr(gc.special, name)(gc.tensor([1, 2]), 2).dtype is gc.float32
