"""Complex numbers: parts, conjugates, angles, and gradients through them to real tensors."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import DTypeError
from tests.closeness import assert_same
from tests.torch_oracle import check

PARTS = [0.0, -0.0, 1.0, -2.5, math.inf, math.nan]

THROUGH: dict[str, Callable[..., Any]] = {
    "abs": lambda m, z: m.abs(z),
    "angle": lambda m, z: m.angle(z),
    "real": lambda m, z: m.real(z),
    "imag": lambda m, z: z.imag,
    "conj": lambda m, z: (m.conj(z * z) * (1 + 1j)).real,
    "product": lambda m, z: (z * z * (1 + 2j)).imag,
    "quotient": lambda m, z: (1 / z - z / (z + 3j)).real,
    "sgn": lambda m, z: m.real(m.sgn(z)),
    "sum": lambda m, z: (z.sum() * z).abs(),
    "where": lambda m, z: m.where(m.real(z) > 0, z, z * 1j).abs(),
    "matmul": lambda m, z: (z @ z.mT).abs(),
}


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", THROUGH)
def test_gradients_of_real_tensors(name: str, dtype: str, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 3)).astype(dtype), rng.normal(size=(2, 3)).astype(dtype)
    check(lambda m, a, b: THROUGH[name](m, m.complex(a, b)), a, b, loose=50)
    check(lambda m, a, b: THROUGH[name](m, m.polar(a, b)), np.abs(a), b, loose=200)


FUNCTIONS = (
    "exp expm1 log log1p sqrt rsqrt sin cos tan tanh asin acos atan sinh cosh asinh acosh atanh "
    "square reciprocal sinc"
).split()


def seen(z: Any) -> Any:
    """Real numbers that show both parts."""
    return z.real + z.imag * 2


@pytest.mark.parity
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_complex_numbers(name: str, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    check(lambda m, a, b: seen(getattr(m, name)(m.complex(a, b))), a, b, loose=1000)


@pytest.mark.parity
@pytest.mark.parametrize("exponent", [2, 2.5, -1, 0.5, 1j])
def test_complex_powers(exponent: complex, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    check(lambda m, a, b: seen(m.pow(m.complex(a, b), m.complex(b, a))), a, b, loose=1000)
    check(lambda m, a, b: seen(m.complex(a, b) ** exponent), a, b, loose=1000)
    check(lambda m, a, b: seen(2.5 ** m.complex(a, b)), a, b, loose=1000)


@pytest.mark.parity
def test_gradients_at_zero() -> None:
    zero = np.zeros(2)
    check(lambda m, a, b: m.complex(a, b).abs(), zero, zero)
    check(lambda m, a, b: m.complex(a, b).abs(), zero, np.array([1.0, -1.0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_agrees(dtype: Any) -> None:
    real, imag = (grid.ravel().astype(dtype) for grid in np.meshgrid(PARTS, PARTS))
    ours = gc.complex(gc.tensor(real), gc.tensor(imag))
    theirs = np.empty(real.shape, np.result_type(dtype, np.complex64))
    theirs.real, theirs.imag = real, imag
    assert_same(ours.numpy(), theirs)
    assert_same(gc.real(ours).numpy(), real)
    assert_same(ours.imag.numpy(), imag)
    assert_same(gc.conj(ours).numpy(), np.conj(theirs))
    assert_same(ours.abs().numpy(), np.abs(theirs), ulps=1)
    assert_same(gc.angle(ours).numpy(), np.angle(theirs), ulps=2)
    assert_same(gc.isnan(ours).numpy(), np.isnan(theirs))
    assert_same(gc.isinf(ours).numpy(), np.isinf(theirs))
    assert_same(gc.isfinite(ours).numpy(), np.isfinite(theirs))
    assert_same(gc.isreal(ours).numpy(), imag == 0)
    largest = np.finfo(dtype).max
    assert_same(gc.nan_to_num(ours).numpy().imag, np.nan_to_num(imag, posinf=largest))


def test_real_tensors() -> None:
    x = gc.tensor([-1.0, 0.0, 2.0])
    assert gc.real(x) is x
    assert gc.conj(x) is x
    np.testing.assert_allclose(gc.angle(x).numpy(), [math.pi, 0, 0], rtol=1e-6)
    with pytest.raises(DTypeError, match="no imaginary part"):
        gc.imag(x)
    with pytest.raises(DTypeError, match="one dtype"):
        gc.complex(x, x.double())
    with pytest.raises(DTypeError, match="float32 or float64"):
        gc.complex(x.half(), x.half())
    with pytest.raises(DTypeError, match="complex"):
        gc.complex(x, x) < gc.complex(x, x)  # noqa: B015 - the error is what is tested
