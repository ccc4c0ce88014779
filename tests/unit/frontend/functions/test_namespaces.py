"""graphc.linalg, fft, special, random and autograd."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError, LinAlgError, ShapeError

X = np.array([[3.0, -4.0, 0.0], [1.0, 2.0, -2.0]], np.float32)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 0.5, math.inf, -math.inf])
@pytest.mark.parametrize("dim", [None, 0, 1, -1, (0, 1)])
def test_vector_norm(order: float, dim: int | tuple[int, ...] | None) -> None:
    flat = X.reshape(-1) if dim in (None, (0, 1)) else X
    axis = None if dim in (None, (0, 1)) else dim
    want = np.linalg.norm(flat.astype(np.float64), order, axis)  # type: ignore[call-overload]
    got = gc.linalg.vector_norm(gc.tensor(X), order, dim)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8])
def test_matrix_power(n: int) -> None:
    a = np.random.default_rng(n).normal(size=(2, 3, 3))
    got = gc.linalg.matrix_power(gc.tensor(a), n)
    np.testing.assert_allclose(got.numpy(), np.linalg.matrix_power(a, n), rtol=1e-12, atol=1e-12)


def test_matrix_power_refuses() -> None:
    with pytest.raises(ShapeError, match="square"):
        gc.linalg.matrix_power(gc.ones(2, 3), 2)
    with pytest.raises(LinAlgError, match="singular"):
        gc.linalg.matrix_power(gc.ones(2, 2), -1)


@pytest.mark.parametrize("sizes", [(2, 3), (2, 3, 4), (10, 1, 10, 1, 10), (5, 4, 3, 2, 1, 6)])
def test_multi_dot(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(sizes))
    if len(sizes) < 3:
        with pytest.raises(ShapeError, match="two or more"):
            gc.linalg.multi_dot([gc.ones(*sizes)])
        return
    chain = [rng.normal(size=pair) for pair in itertools.pairwise(sizes)]
    got = gc.linalg.multi_dot([gc.tensor(x) for x in chain])
    np.testing.assert_allclose(got.numpy(), np.linalg.multi_dot(chain), rtol=1e-12)


def test_multi_dot_of_vectors() -> None:
    row, matrix, column = gc.ones(2), gc.ones(2, 3), gc.ones(3)
    assert gc.linalg.multi_dot([row, matrix, column]).item() == 6.0
    assert gc.linalg.vecdot(matrix, column).tolist() == [3.0, 3.0]


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_and_shifts(n: int) -> None:
    np.testing.assert_allclose(gc.fft.fftfreq(n, 0.5).numpy(), np.fft.fftfreq(n, 0.5), rtol=1e-6)
    np.testing.assert_allclose(gc.fft.rfftfreq(n).numpy(), np.fft.rfftfreq(n), rtol=1e-6)
    grid = np.arange(n * 3.0).reshape(n, 3)
    for dim in (None, 0, (0, 1)):
        shifted = gc.fft.fftshift(gc.tensor(grid), dim)
        np.testing.assert_array_equal(shifted.numpy(), np.fft.fftshift(grid, dim))
        np.testing.assert_array_equal(gc.fft.ifftshift(shifted, dim).numpy(), grid)


def test_special_and_random_are_the_same_functions() -> None:
    assert gc.special.expit is gc.sigmoid
    assert gc.random.manual_seed is gc.manual_seed


def test_gradcheck_finds_a_wrong_gradient() -> None:
    x = gc.tensor([0.5, -1.5], dtype=gc.float64, requires_grad=True)
    assert gc.autograd.gradcheck(lambda x: (x.sin() * x, x.exp()), [x])
    wrong = lambda x: x * x.detach()  # noqa: E731 - the point is the short form
    assert not gc.autograd.gradcheck(wrong, [x], raise_exception=False)
    with pytest.raises(AutogradError, match="is wrong"):
        gc.autograd.gradcheck(wrong, [x])
    with pytest.raises(AutogradError, match="float64"):
        gc.autograd.gradcheck(wrong, [x.float()])


def test_backward_of_several_tensors() -> None:
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    shared = x * x
    gc.autograd.backward([shared.sum(), shared], [None, gc.tensor([1.0, 10.0])])
    assert x.grad is not None
    assert x.grad.tolist() == [4.0, 44.0]
