"""``gc.linalg`` against PyTorch, in both modes; decompositions up to their free signs."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, AutogradError, DTypeError, LinAlgError, ShapeError
from tests.backends import EXECUTIONS, Execution
from tests.matrix_samples import positive, well_posed
from tests.torch_oracle import check

Shape = tuple[int, ...]

SQUARES: list[Shape] = [(1, 1), (3, 3), (2, 4, 4), (2, 1, 2, 2), (0, 0), (0, 3, 3)]
OBLONGS: list[Shape] = [*SQUARES, (4, 2), (2, 4), (2, 5, 3), (0, 3), (3, 0)]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SQUARES)
@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "matrix_exp", "cholesky"])
def test_of_squares(name: str, shape: Shape, dtype: Any, rng: np.random.Generator) -> None:
    a = (positive if name == "cholesky" else well_posed)(rng, shape, dtype)
    check(lambda m, a: getattr(m.linalg, name)(a), a, loose=500)


@pytest.mark.parity
def test_older_names(rng: np.random.Generator) -> None:
    a = positive(rng, (2, 3, 3), np.float64)
    for name in ("inverse", "det", "logdet", "slogdet", "pinverse", "matrix_exp"):
        check(lambda m, a: getattr(m, name)(a), a, loose=500)  # noqa: B023 - used at once
        check(lambda m, a: getattr(a, name)(), a, loose=500)  # noqa: B023 - used at once
    check(lambda m, a: m.logdet(a), -np.eye(3))


@pytest.mark.parity
def test_determinants_of_singular_matrices() -> None:
    a = np.array([[1.0, 2, 3], [2, 4, 6], [0, 1, 1]])
    check(lambda m, a: m.linalg.det(a), a, loose=1e4)
    check(lambda m, a: m.linalg.slogdet(a), np.zeros((2, 2)), grads=False)


@pytest.mark.parametrize(
    "rows", [[[0.0]], [[1, 2], [2, 4]], [[0] * 3] * 3, [[1, 2, 3], [2, 4, 6], [1, 0, 1]],
             [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 3, 4]]],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [gc.float64, gc.complex128])
def test_second_derivatives_of_singular_determinants(rows: Any, dtype: Any) -> None:
    matrix = gc.tensor(rows, dtype=dtype, requires_grad=True)
    assert gc.autograd.gradgradcheck(gc.linalg.det, matrix)

    def second(x: gc.Tensor) -> Any:
        (slope,) = gc.grad(gc.linalg.det(x).real, [x], create_graph=True)
        assert slope is not None
        return gc.grad(slope.real.square().sum() + slope.real.sum(), [x])[0]

    np.testing.assert_allclose(gc.compile(second)(matrix), second(matrix), rtol=1e-12, atol=1e-12)


EQUATIONS: list[tuple[Shape, Shape]] = [
    ((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (2, 3)), ((2, 3, 3), (2, 3, 1)),
    ((2, 1, 3, 3), (4, 3, 2)), ((0, 0), (0, 2)), ((2, 2), (2, 0)),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("left", "right"), EQUATIONS)
def test_solve(left: Shape, right: Shape, rng: np.random.Generator) -> None:
    a, b = well_posed(rng, left, np.float64), rng.normal(size=right)
    check(lambda m, a, b: m.linalg.solve(a, b), a, b, loose=500)


@pytest.mark.parity
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unitriangular", [False, True])
def test_solve_triangular(upper: bool, unitriangular: bool, rng: np.random.Generator) -> None:
    a, b = well_posed(rng, (2, 3, 3), np.float64), rng.normal(size=(3, 3))
    how = {"upper": upper, "unitriangular": unitriangular}
    check(lambda m, a, b: m.linalg.solve_triangular(a, b, **how), a, b, loose=1e4)
    check(lambda m, a, b: m.linalg.solve_triangular(a, b, left=False, **how), a, b, loose=1e4)


@pytest.mark.parity
def test_solving_from_the_right(rng: np.random.Generator) -> None:
    a, b = well_posed(rng, (2, 3, 3), np.float64), rng.normal(size=(2, 4, 3))
    check(lambda m, a, b: m.linalg.solve(a, b, left=False), a, b, loose=500)


@pytest.mark.parity
@pytest.mark.parametrize("shape", OBLONGS)
def test_lu(shape: Shape, rng: np.random.Generator) -> None:
    a = well_posed(rng, shape, np.float64)
    check(lambda m, a: m.linalg.lu(a), a, loose=500)
    check(lambda m, a: m.linalg.lu_factor(a), a, loose=500)


@pytest.mark.parity
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_lu_solve(left: bool, adjoint: bool, rng: np.random.Generator) -> None:
    a, b = well_posed(rng, (2, 3, 3), np.float64), rng.normal(size=(2, 3, 3))

    def solved(m: Any, a: Any, b: Any) -> Any:
        factors, pivots = m.linalg.lu_factor(a)
        return m.linalg.lu_solve(factors, pivots, b, left=left, adjoint=adjoint)

    check(solved, a, b, loose=1e4)


@pytest.mark.parity
@pytest.mark.parametrize("shape", OBLONGS)
def test_singular_values(shape: Shape, rng: np.random.Generator) -> None:
    a = well_posed(rng, shape, np.float64)
    check(lambda m, a: m.linalg.svdvals(a), a, loose=500)
    check(lambda m, a: m.linalg.pinv(a), a, loose=500)
    check(lambda m, a: m.linalg.matrix_rank(a), a)
    check(lambda m, a: m.linalg.svd(a).S, a, loose=500)

    def signless(m: Any, a: Any) -> Any:
        u, s, vh = m.linalg.svd(a, full_matrices=False)
        return (u * s.unsqueeze(-2)) @ vh, u * u, vh * vh

    check(signless, a, loose=2000)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [s for s in OBLONGS if 0 not in s])
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(shape: Shape, mode: str, rng: np.random.Generator) -> None:
    a = well_posed(rng, shape, np.float64)

    def signless(m: Any, a: Any) -> Any:
        q, r = m.linalg.qr(a, mode)
        return q @ r, q * q, r * r

    check(signless, a, loose=2000, grads=mode == "reduced" or shape[-1] >= shape[-2])
    check(lambda m, a: tuple(x.detach() ** 2 for x in m.linalg.qr(a, "r")), a, loose=500)


@pytest.mark.parity
@pytest.mark.parametrize("uplo", ["L", "U"])
@pytest.mark.parametrize("shape", SQUARES)
def test_eigenvalues_of_symmetric_matrices(
    shape: Shape, uplo: str, rng: np.random.Generator
) -> None:
    a = positive(rng, shape, np.float64)

    def signless(m: Any, a: Any) -> Any:
        values, vectors = m.linalg.eigh(a, uplo)
        return values, vectors * vectors

    check(signless, a, loose=2000)
    check(lambda m, a: m.linalg.eigvalsh(a, UPLO=uplo), a, loose=500)


@pytest.mark.parity
def test_equal_eigenvalues_have_gradients() -> None:
    a = np.eye(3)
    check(lambda m, a: m.linalg.eigvalsh(a).sum(), a, loose=10)
    check(lambda m, a: m.linalg.eigh(a).eigenvalues.sum(), a, loose=10)
    check(lambda m, a: m.linalg.svdvals(a).sum(), a, loose=10)


def test_eigenvalues_of_any_matrix(rng: np.random.Generator) -> None:
    a = rng.normal(size=(2, 4, 4))
    values, vectors = gc.linalg.eig(gc.tensor(a))
    left = a.astype(np.complex128) @ vectors.numpy()
    np.testing.assert_allclose(left, vectors.numpy() * values.numpy()[:, None, :], atol=1e-12)
    assert values.dtype is gc.complex128
    assert gc.linalg.eigvals(gc.ones(2, 2)).dtype is gc.complex64


@pytest.mark.parity
@pytest.mark.parametrize("driver", [None, "gels", "gelsd", "gelss", "gelsy"])
@pytest.mark.parametrize("shape", [(4, 2), (3, 3), (2, 5, 3)])
def test_least_squares(shape: Shape, driver: str | None, rng: np.random.Generator) -> None:
    a, b = well_posed(rng, shape, np.float64), rng.normal(size=(*shape[:-1], 2))
    check(
        lambda m, a, b: m.linalg.lstsq(a, b, driver=driver), a, b, loose=2000,
        record=driver not in ("gelsd", "gelss"),
    )  # fmt: skip


@pytest.mark.parity
def test_least_squares_of_wide_matrices(rng: np.random.Generator) -> None:
    a, b = well_posed(rng, (2, 4), np.float64), rng.normal(size=(2, 3))
    check(lambda m, a, b: m.linalg.lstsq(a, b).solution, a, b, loose=2000)


@pytest.mark.parity
@pytest.mark.parametrize("order", ["fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2])
@pytest.mark.parametrize("keepdim", [False, True])
def test_norms_of_matrices(order: Any, keepdim: bool, rng: np.random.Generator) -> None:
    a = rng.normal(size=(2, 3, 4))
    check(lambda m, a: m.linalg.matrix_norm(a, order, keepdim=keepdim), a, loose=500)
    check(lambda m, a: m.linalg.matrix_norm(a, order, (2, 0), keepdim), a, loose=500)
    check(lambda m, a: m.linalg.norm(a[0], order, keepdim=keepdim), a, loose=500)
    check(lambda m, a: m.linalg.cond(a[:, :, :3], order), a, loose=5000, grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("order", [0, 0.5, 1, 2, 3.5, np.inf, -np.inf, -1])
@pytest.mark.parametrize("dim", [None, 0, (0, 1)])
def test_norms_of_vectors(order: float, dim: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    check(lambda m, x: m.linalg.vector_norm(x, order, dim), x, loose=100)
    check(lambda m, x: m.norm(x, order, dim, True), x, loose=100)
    check(lambda m, x: m.linalg.vector_norm(x, order, dtype=m.float64), x.astype(np.float32),
          loose=1e9)  # fmt: skip


@pytest.mark.parity
def test_norms_of_zeros() -> None:
    for order in (1, 1.5, 2, 3, np.inf):
        check(lambda m, x: m.linalg.vector_norm(x, order), np.zeros(3))  # noqa: B023 - used at once
    check(lambda m, x: m.norm(x), np.array([0.0, 3, -4]))
    check(lambda m, x: m.norm(x, "nuc"), np.array([[0.0, 3], [1, -4]]), loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("n", [-3, -1, 0, 4])
def test_matrix_power(n: int, rng: np.random.Generator) -> None:
    check(lambda m, a: m.linalg.matrix_power(a, n), well_posed(rng, (2, 3, 3), np.float64),
          loose=1e5)  # fmt: skip


@pytest.mark.parity
def test_cross(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 1, 3))
    check(lambda m, a, b: m.linalg.cross(a, b), a, b, loose=10)
    check(lambda m, a, b: m.linalg.cross(a, b, dim=0), a, b, loose=10)
    check(lambda m, a: a.cross(a.flip(0), dim=0), a, loose=10)


@pytest.mark.parity
def test_vander(rng: np.random.Generator) -> None:
    x = np.array([[2.0, 0, -1], [1, 3, 0.5]])
    check(lambda m, x: m.linalg.vander(x), x)
    check(lambda m, x: m.linalg.vander(x, N=5), x)
    check(lambda m, x: m.linalg.vander(x, N=2), np.array([1, 2, 3]))


@pytest.mark.parity
def test_equations_of_tensors(rng: np.random.Generator) -> None:
    a = well_posed(rng, (6, 6), np.float64).reshape(2, 3, 6)
    check(lambda m, a: m.linalg.tensorinv(a, 2), a, loose=1e4)
    check(lambda m, a, b: m.linalg.tensorsolve(a, b), a, rng.normal(size=(2, 3)), loose=1e4)
    turned = np.moveaxis(a, 0, -1)
    check(lambda m, a, b: m.linalg.tensorsolve(a, b, dims=(1,)), turned.reshape(3, 6, 2),
          rng.normal(size=(3, 2)), loose=1e4)  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 3)])
def test_householder_product(shape: Shape, rng: np.random.Generator) -> None:
    a = rng.normal(size=shape)
    tau = 2 / (1 + (np.tril(a, -1) ** 2).sum(-2))
    check(lambda m, a, t: m.linalg.householder_product(a, t), a, tau, loose=1e4, grads=False)
    check(lambda m, a, t: m.linalg.householder_product(a, t[..., :2]), a, tau, grads=False,
          loose=1e4)  # fmt: skip


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
def test_compiled(execution: Execution, rng: np.random.Generator) -> None:
    def step(a: gc.Tensor, b: gc.Tensor) -> tuple[gc.Tensor, ...]:
        factor = gc.linalg.cholesky(a @ a.mT + 3 * gc.eye(4))
        u, s, vh = gc.linalg.svd(factor, full_matrices=False)
        return gc.linalg.solve(a, b), (u * s) @ vh, gc.linalg.det(a), gc.cumsum(b, 0)

    a, b = gc.tensor(well_posed(rng, (4, 4), np.float32)), gc.tensor(rng.normal(size=(4, 2)))
    b = b.float()
    for one, other in zip(gc.compile(step, **execution.options())(a, b), step(a, b), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-5)


NOT_SQUARE, SINGULAR = gc.ones(2, 3), gc.ones(2, 2)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: gc.linalg.inv(NOT_SQUARE), ShapeError, "inv: expected square matrices"),
        (lambda: gc.linalg.inv(gc.ones(3)), ShapeError, "expected a matrix"),
        (lambda: gc.linalg.inv(SINGULAR), LinAlgError, "inv: singular matrix"),
        (lambda: gc.linalg.inv(gc.ones(2, 2).long()), DTypeError, "got: int64"),
        (lambda: gc.linalg.det(gc.ones(2, 2).half()), DTypeError, "float32 or float64"),
        (lambda: gc.linalg.solve(SINGULAR, gc.ones(2)), LinAlgError, "solve: singular"),
        (lambda: gc.linalg.solve(gc.eye(2), gc.ones(3, 1)), ShapeError, "number of equations"),
        (lambda: gc.linalg.cholesky(-gc.eye(2)), LinAlgError, "not positive definite"),
        (lambda: gc.linalg.qr(gc.eye(2), "raw"), ArgumentError, "unknown mode"),
        (lambda: gc.linalg.eigh(gc.eye(2), "X"), ArgumentError, "unknown triangle"),
        (lambda: gc.linalg.svd(gc.eye(2), driver="gesvd"), ArgumentError, "other devices"),
        (lambda: gc.linalg.lu(gc.eye(2), pivot=False), ArgumentError, "pivot=False"),
        (lambda: gc.linalg.matrix_norm(gc.eye(2), 3), ArgumentError, "unknown order"),
        (lambda: gc.linalg.vector_norm(gc.eye(2).long()), DTypeError, "floating point"),
        (lambda: gc.linalg.norm(gc.ones(2, 2, 2), 2), ArgumentError, "one dim for vectors"),
        (lambda: gc.linalg.lstsq(gc.eye(2), gc.eye(2), driver="x"), ArgumentError, "driver"),
        (lambda: gc.linalg.cross(gc.ones(2), gc.ones(2)), ShapeError, "3 elements"),
        (lambda: gc.linalg.tensorinv(gc.ones(2, 3), 1), ShapeError, "one number of elements"),
        (lambda: gc.linalg.vander(gc.tensor(1.0)), ShapeError, "one dim or more"),
        (lambda: gc.linalg.vander(gc.ones(2), 1), ArgumentError, "two powers"),
        (lambda: gc.linalg.svd(gc.ones(2, 2) * np.nan), LinAlgError, "infinite elements or NaN"),
    ],
)
def test_wrong_arguments(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_sums_of_eigenvalues_are_traces() -> None:
    a = gc.tensor([[1.0, 2.0], [-3.0, 4.0]], requires_grad=True)
    (grad,) = gc.grad(gc.linalg.eigvals(a).real.sum(), a)
    np.testing.assert_allclose(grad.numpy(), np.eye(2), atol=1e-6)


def test_a_complete_q_has_no_gradient() -> None:
    a = gc.ones(3, 2, requires_grad=True)
    with pytest.raises(AutogradError, match="qr: no gradient"):
        gc.grad(gc.linalg.qr(a, "complete").Q.sum(), a)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", ["svd", "svdvals", "pinv", "eigh", "eig", "matrix_rank", "cond"])
def test_what_is_not_finite_is_refused_by_iterations(name: str, value: float) -> None:
    matrix = gc.tensor([[value, 0.0, 1.0]] * 3, dtype=gc.float64)
    with pytest.raises(LinAlgError, match="infinite elements or NaN"):
        getattr(gc.linalg, name)(matrix)


def test_gradients_of_determinants_that_are_not_finite() -> None:
    matrices = np.stack([np.eye(3), np.eye(3)])
    matrices[1, 0] = [-np.inf, 0, 1]
    x = gc.tensor(matrices, requires_grad=True)
    gc.linalg.det(x).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad[0].numpy(), np.eye(3), atol=1e-12)
    assert np.isnan(x.grad[1].numpy()).all()
