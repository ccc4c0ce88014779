"""Linear algebra of complex matrices, and gradients, against PyTorch.

Singular vectors and eigenvectors may be turned, so only what that does not change is compared.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import LinAlgError
from tests.backends import EXECUTIONS, Execution
from tests.closeness import assert_same
from tests.torch_oracle import check

Function = Callable[[Any, Any], Any]


def hermitian(a: Any) -> Any:
    """With different eigenvalues, for random matrices."""
    return a + a.mH


def positive(m: Any, a: Any) -> Any:
    """Positive definite."""
    return a @ a.mH + 3 * m.eye(a.shape[-1], dtype=a.dtype)


def rebuilt(m: Any, a: Any) -> list[Any]:
    """What eigenvalues and eigenvectors make of a matrix."""
    values, vectors = m.linalg.eig(a)
    again = (vectors * m.exp(values).unsqueeze(-2)) @ m.linalg.inv(vectors)
    return [values, m.abs(vectors), again]


def rebuilt_hermitian(m: Any, a: Any, uplo: str = "L") -> list[Any]:
    """What eigenvalues and eigenvectors make of a Hermitian matrix."""
    values, vectors = m.linalg.eigh(hermitian(a), uplo)
    return [values, m.abs(vectors), (vectors * m.exp(values).unsqueeze(-2)) @ vectors.mH]


def rebuilt_singular(m: Any, a: Any) -> list[Any]:
    """What singular values and vectors make of a matrix."""
    u, s, vh = m.linalg.svd(a, full_matrices=False)
    return [m.abs(u), s, m.abs(vh), (u * (s * s).unsqueeze(-2)) @ vh]


SQUARE: dict[str, Function] = {
    "inv": lambda m, a: m.linalg.inv(a),
    "det": lambda m, a: m.linalg.det(a),
    "slogdet": lambda m, a: m.linalg.slogdet(a),
    "logdet": lambda m, a: m.logdet(a),
    "pinv": lambda m, a: m.linalg.pinv(a),
    "pinv hermitian": lambda m, a: m.linalg.pinv(hermitian(a), hermitian=True),
    "matrix_exp": lambda m, a: m.linalg.matrix_exp(a),
    "matrix_power": lambda m, a: m.linalg.matrix_power(a, -2),
    "cond": lambda m, a: m.linalg.cond(a),
    "cholesky": lambda m, a: m.linalg.cholesky(positive(m, a)),
    "cholesky upper": lambda m, a: m.linalg.cholesky(positive(m, a), upper=True),
    "eigvals": lambda m, a: m.linalg.eigvals(a),
    "eigvalsh": lambda m, a: m.linalg.eigvalsh(hermitian(a)),
    "eig": rebuilt,
    "eigh": rebuilt_hermitian,
    "eigh upper": lambda m, a: rebuilt_hermitian(m, a, "U"),
    "solve": lambda m, a: m.linalg.solve(a, a[..., :, :1] * 2j),
    "solve right": lambda m, a: m.linalg.solve(a, m.conj(a[..., :2, :]), left=False),
    "upper": lambda m, a: m.linalg.solve_triangular(a, m.conj(a), upper=True),
    "lower": lambda m, a: m.linalg.solve_triangular(
        a, m.conj(a), upper=False, left=False, unitriangular=True
    ),
    "lu_solve": lambda m, a: m.linalg.lu_solve(*m.linalg.lu_factor(a), m.conj(a)),
    "lu_solve adjoint": lambda m, a: m.linalg.lu_solve(
        *m.linalg.lu_factor(a), m.conj(a), adjoint=True
    ),
    "lu_solve right": lambda m, a: m.linalg.lu_solve(*m.linalg.lu_factor(a), m.conj(a), left=False),
    "spectral norm": lambda m, a: m.linalg.matrix_norm(a, 2),
}

ANY: dict[str, Function] = {
    "svd": rebuilt_singular,
    "svdvals": lambda m, a: m.linalg.svdvals(a),
    "qr": lambda m, a: m.linalg.qr(a),
    "lu": lambda m, a: m.linalg.lu(a),
    "lu_factor": lambda m, a: m.linalg.lu_factor(a),
    "pinv": lambda m, a: m.linalg.pinv(a),
    "lstsq": lambda m, a: m.linalg.lstsq(a, m.conj(a[..., :1]))[0],
    "nuclear norm": lambda m, a: m.linalg.matrix_norm(a, "nuc"),
    "matrix_rank": lambda m, a: m.linalg.matrix_rank(a),
}


def normal(rng: np.random.Generator, *shape: int) -> Any:
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


@pytest.mark.parity
@pytest.mark.parametrize("name", SQUARE)
def test_square_matrices(name: str, rng: np.random.Generator) -> None:
    for shape in ((3, 3), (2, 3, 3), (1, 1)):
        check(SQUARE[name], normal(rng, *shape), loose=1e5)


@pytest.mark.parity
@pytest.mark.parametrize("name", ANY)
def test_any_matrices(name: str, rng: np.random.Generator) -> None:
    for shape in ((4, 2), (2, 4), (3, 3), (2, 3, 2)):
        check(ANY[name], normal(rng, *shape), loose=1e5)


@pytest.mark.parity
def test_eigenvalues_of_real_matrices(rng: np.random.Generator) -> None:
    check(rebuilt, rng.normal(size=(4, 4)), loose=1e5)
    check(rebuilt, np.array([[0.0, 1.0], [-1.0, 0.0]]), loose=1e5)
    check(lambda m, a: m.linalg.eigvals(a), rng.normal(size=(2, 3, 3)), loose=1e5)


@pytest.mark.parity
def test_reflections_and_residuals(rng: np.random.Generator) -> None:
    a, tau = normal(rng, 4, 2), normal(rng, 2)
    check(lambda m, a, t: m.linalg.householder_product(a, t), a, tau, loose=1e3)
    check(lambda m, a, b: m.linalg.lstsq(a, b, driver="gels")[1], a, normal(rng, 4, 3), loose=1e3)


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
def test_compiled(execution: Execution, rng: np.random.Generator) -> None:
    def energy(a: gc.Tensor) -> gc.Tensor:
        values, vectors = gc.linalg.eigh(a + a.mH)
        product = (vectors * values.unsqueeze(-2)) @ vectors.mH
        return (gc.linalg.solve(a, product) * 1j).abs().sum() + gc.linalg.slogdet(a).logabsdet

    value = normal(rng, 3, 3)
    leaf = gc.tensor(value, requires_grad=True)
    now = energy(leaf)
    now.backward()
    assert leaf.grad is not None
    with gc.Graph() as graph:
        a = gc.placeholder((3, 3), gc.complex128, name="a").requires_grad_()
        total = energy(a)
        total.backward()
    session = graph.compile(outputs={"energy": total, "grad": a.grad}, **execution.options())
    found = session.run({"a": value})
    slack = {} if execution.exact else {"ulps": 64, "absolute": 1e-12}
    assert_same(found["energy"], now.detach().numpy(), **slack)
    assert_same(found["grad"], leaf.grad.numpy(), **slack)


@pytest.mark.parametrize("name", [*SQUARE, *ANY])
def test_derivatives_by_differences(name: str, rng: np.random.Generator) -> None:
    """First and second ones, along a random direction."""
    function = (SQUARE | ANY)[name]
    for shape in [(3, 3)] if name in SQUARE else [(4, 2), (2, 4)]:
        leaf = gc.tensor(normal(rng, *shape), requires_grad=True)

        def outputs(a: gc.Tensor, function: Function = function) -> tuple[gc.Tensor, ...]:
            result = function(gc, a)
            results = [result] if isinstance(result, gc.Tensor) else result
            return tuple(x for x in results if x.requires_grad)

        if name != "matrix_rank":
            assert gc.autograd.gradcheck(outputs, leaf, fast_mode=True)
            assert gc.autograd.gradgradcheck(outputs, leaf, fast_mode=True, atol=1e-4)


def test_definitions(rng: np.random.Generator) -> None:
    """Without PyTorch: the products are the matrices."""
    a = gc.tensor(normal(rng, 2, 3, 3))
    q, r = gc.linalg.qr(a)
    u, s, vh = gc.linalg.svd(a)
    values, vectors = gc.linalg.eig(a)
    p, low, up = gc.linalg.lu(a)
    factor = gc.linalg.cholesky(positive(gc, a))
    assert s.dtype is gc.float64
    assert gc.linalg.eigvalsh(a).dtype is gc.float64
    for product, matrix in (
        (q @ r, a), ((u * s.unsqueeze(-2)) @ vh, a), (p @ low @ up, a),
        (vectors * values.unsqueeze(-2), a @ vectors), (factor @ factor.mH, positive(gc, a)),
        (a @ gc.linalg.inv(a), gc.eye(3, dtype=gc.complex128).expand(2, 3, 3)),
    ):  # fmt: skip
        np.testing.assert_allclose(product.numpy(), matrix.numpy(), atol=1e-12)


def test_refuses() -> None:
    with pytest.raises(LinAlgError, match="cholesky"):
        gc.linalg.cholesky(gc.tensor([[0.0, 1j], [-1j, 0.0]]))
    with pytest.raises(LinAlgError, match="singular"):
        gc.linalg.inv(gc.tensor([[1j, 1j], [1j, 1j]]))
