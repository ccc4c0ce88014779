"""Gradients where a factor is 0, infinite or NaN: PyTorch's, in every mode and twice."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from tests.both_modes import Array
from tests.torch_oracle import check, torch

INF, NAN = float("inf"), float("nan")
GRID = np.array([-INF, -2, -1, -0.5, -0.0, 0.0, 0.5, 1, 2, INF, NAN], np.float32)


def first_and_second(function: Callable[..., Any], grad: Any, *xs: Any) -> list[Any]:
    """The gradients of the sum, and those of the sum of these gradients."""
    first = grad(function(*xs).sum(), xs, create_graph=True, allow_unused=True)
    again = [g for g in first if g is not None and g.requires_grad]
    if not again:
        return [*first, *(None for _ in xs)]
    total = again[0].sum() * 0.75
    for each in again[1:]:
        total = total + each.sum() * 0.75
    return [*first, *grad(total, xs, allow_unused=True)]


def run(function: Callable[..., Any], backend: str, *arrays: Array) -> list[Array | None]:
    """First and second gradients by graphc."""
    xs = [gc.tensor(array, requires_grad=True) for array in arrays]
    if backend == "dynamic":
        found = first_and_second(function, gc.autograd.grad, *xs)
        return [None if g is None else g.detach().numpy() for g in found]
    there: list[bool] = []

    def program(*xs: gc.Tensor) -> list[gc.Tensor]:
        found = first_and_second(function, gc.autograd.grad, *xs)
        there[:] = [g is not None for g in found]
        return [g for g in found if g is not None]

    values = iter(gc.compile(program, backend=backend)(*xs))
    return [next(values).detach().numpy() if known else None for known in there]


def _grad(result: Any, x: gc.Tensor, create_graph: bool = False) -> Any:
    return gc.grad(result, [x], create_graph=create_graph)[0]


UNARY: dict[str, Callable[[Any, Any], Any]] = {
    "xlogy(0, x)": lambda m, x: m.xlogy(0.0, x),
    "xlogy(x, -1)": lambda m, x: m.xlogy(x, -1.0),
    "xlog1py(0, x)": lambda m, x: m.special.xlog1py(0.0, x),
    "xlog1py(x, -2)": lambda m, x: m.special.xlog1py(x, -2.0),
    "pow(x, 0)": lambda m, x: m.pow(x, 0),
    "float_power(x, 0.5)": lambda m, x: m.float_power(x[5:], 0.5),
    "celu": lambda m, x: m.celu(x[:-1], 2.0),
    "selu": lambda m, x: m.selu(x[:-1]),
    "elu": lambda m, x: m.nn.functional.elu(x[:-1], -0.5),
    "angle": lambda m, x: m.angle(x) * x,
}


@pytest.mark.parity
@pytest.mark.parametrize("backend", ["dynamic", "numpy", "llvm"])
@pytest.mark.parametrize("name", UNARY)
def test_of_one_operand(name: str, backend: str) -> None:
    oracle = torch()
    x = oracle.tensor(GRID, requires_grad=True)
    wanted = first_and_second(lambda x: UNARY[name](oracle, x), oracle.autograd.grad, x)
    found = run(lambda x: UNARY[name](gc, x), backend, GRID)
    assert_alike(found, wanted)


def assert_alike(found: list[Array | None], wanted: list[Any]) -> None:
    """Compare; no gradient is 0."""
    for got, expected in zip(found, wanted, strict=True):
        mine = np.zeros(()) if got is None else got
        value = np.zeros(()) if expected is None else expected.numpy(force=True)
        mine, value = np.broadcast_arrays(mine, value)
        np.testing.assert_allclose(mine, value, rtol=1e-5, atol=1e-30)


FIRST: dict[str, Callable[[Any, Any, Any], Any]] = {
    "xlogy": lambda m, x, y: m.xlogy(x, y),
    "xlog1py": lambda m, x, y: m.special.xlog1py(x, y),
    "pow": lambda m, x, y: m.pow(x, y),
    "kl_div": lambda m, x, y: m.nn.functional.kl_div(x, y, reduction="sum"),
    "huber": lambda m, x, y: m.nn.functional.huber_loss(x, y, reduction="sum", delta=0.7),
    "smooth_l1": lambda m, x, y: m.nn.functional.smooth_l1_loss(x, y, reduction="sum"),
    "trunc": lambda m, x, y: m.div(x, y, rounding_mode="trunc"),
    "floor": lambda m, x, y: m.div(x, y, rounding_mode="floor"),
}


@pytest.mark.parity
@pytest.mark.parametrize("backend", ["dynamic", "numpy", "llvm"])
@pytest.mark.parametrize("name", FIRST)
def test_of_two_operands(name: str, backend: str) -> None:
    oracle = torch()
    a, b = (np.ascontiguousarray(x) for x in np.broadcast_arrays(GRID[:, None], GRID))
    wanted = [oracle.tensor(x, requires_grad=True) for x in (a, b)]
    FIRST[name](oracle, *wanted).sum().backward()

    def program(x: gc.Tensor, y: gc.Tensor) -> list[gc.Tensor | None]:
        return list(gc.autograd.grad(FIRST[name](gc, x, y).sum(), [x, y], allow_unused=True))

    run_it = program if backend == "dynamic" else gc.compile(program, backend=backend)
    found = run_it(gc.tensor(a, requires_grad=True), gc.tensor(b, requires_grad=True))
    assert_alike(
        [None if g is None else g.detach().numpy() for g in found], [x.grad for x in wanted]
    )


@pytest.mark.parametrize("backend", ["dynamic", "numpy", "llvm"])
def test_second_derivatives_of_products_with_logarithms(backend: str) -> None:
    x, y = np.zeros(3, np.float32), np.array([-2.0, 0.5, 4.0], np.float32)
    found = run(gc.xlogy, backend, x, y)
    by_x = [0.0, np.log(0.5), np.log(4)]
    wanted: list[Any] = [by_x, [0.0, 0, 0], 0.75 / y, [0, 0.75 / 0.5, 0.75 / 4]]
    for got, expected in zip(found, wanted, strict=True):
        assert got is not None
        np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("backend", ["dynamic", "numpy", "llvm"])
def test_squares_keep_their_second_derivative_at_zero(backend: str) -> None:
    found = run(gc.pow, backend, np.zeros(2, np.float32), np.array([2.0, 3.0], np.float32))
    assert found[2] is not None
    np.testing.assert_array_equal(found[2], [1.5, 0])


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_roots_by_powers_are_cs(backend: str) -> None:
    x = gc.tensor([-INF, -0.0, 4.0])

    def root(x: gc.Tensor) -> gc.Tensor:
        return gc.pow(x, gc.tensor(0.5))

    for result in (root(x), gc.compile(root, backend=backend)(x)):
        np.testing.assert_array_equal(result.numpy(), [INF, 0.0, 2.0])
        assert not np.signbit(result.numpy()).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sinc_has_exact_derivatives_near_zero(dtype: str) -> None:
    points = np.array([0.0, 1e-30, 1e-3, 0.1, 0.31, 0.33, -0.4], dtype)
    x = gc.tensor(points, requires_grad=True)
    slope = _grad(gc.sinc(x).sum(), x, create_graph=True)
    bend = _grad(slope.sum(), x)
    with mpmath.workdps(40):
        for order, got in ((1, slope), (2, bend)):
            exact = [float(_sinc(mpmath.mpf(float(p)), order)) for p in points]
            eps = float(np.finfo(dtype).eps)
            np.testing.assert_allclose(got.detach().numpy(), exact, rtol=60 * eps, atol=0)


def _sinc(x: Any, order: int) -> Any:
    """The derivative of sin(pi x) / (pi x), by its series."""
    total = mpmath.mpf(0)
    for n in range(1, 40):
        power, factor = 2 * n, mpmath.mpf(1)
        for step in range(order):
            factor *= power - step
        total += (
            (-1) ** n
            * mpmath.pi ** (2 * n)
            / mpmath.factorial(2 * n + 1)
            * factor
            * (x ** (power - order))
        )
    return total


def test_the_normal_distributions_logarithm_bends_above_and_below() -> None:
    points = [-9.0, -3.0, 0.5, 1.0, 1.5, 20.0, 300.0]
    x = gc.tensor(points, dtype=gc.float64, requires_grad=True)
    slope = _grad(gc.special.log_ndtr(x).sum(), x, create_graph=True)
    bend = _grad(slope.sum(), x)
    with mpmath.workdps(60):
        ratios = [mpmath.npdf(p) / mpmath.ncdf(p) for p in points]
        exact = [float(-r * (p + r)) for p, r in zip(points, ratios, strict=True)]
    np.testing.assert_allclose(bend.numpy(), exact, rtol=1e-12, atol=1e-100)


def test_the_squares_of_huber_pass_nan_back() -> None:
    x = gc.tensor([NAN, 1.0], requires_grad=True)
    for loss in (F.huber_loss, F.smooth_l1_loss):
        grad = _grad(loss(x, gc.zeros(2), reduction="sum"), x)
        np.testing.assert_array_equal(grad.numpy(), [NAN, 1.0])


@pytest.mark.parity
@pytest.mark.parametrize("name", ["asin", "acos", "asinh", "acosh", "atanh"])
def test_inverse_functions_on_their_cuts(name: str) -> None:
    z = np.array([-2 + 0j, 2 + 0j, 2j, -2j, 0.5 + 0j])
    theirs = torch().tensor(z, requires_grad=True)
    getattr(torch(), name)(theirs).backward(torch().ones(5, dtype=torch().complex128))
    ours = gc.tensor(z, requires_grad=True)
    getattr(gc, name)(ours).backward(gc.ones(5, dtype=gc.complex128))
    assert ours.grad is not None
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-12)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_the_logarithm_of_a_complex_sum(dtype: str) -> None:
    rng = np.random.default_rng(6)
    a = (rng.normal(size=(6, 1)) * 20 + 1j * rng.normal(size=(6, 1))).astype(dtype)
    b = (rng.normal(size=5) * 20 + 1j * rng.normal(size=5)).astype(dtype)
    check(lambda m, a, b: m.logaddexp(a, b), a, b, loose=20)
    nothing = gc.tensor([complex(-INF, 1.0)])
    assert gc.logaddexp(nothing, nothing).real.item() == -INF
    np.testing.assert_allclose(gc.logaddexp(nothing, gc.tensor([2 + 1j])).numpy(), [2 + 1j])
