"""Complex numbers: parts, conjugates, angles, and gradients through them to real tensors."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import DTypeError
from tests.closeness import assert_same
from tests.torch_oracle import assert_near, check, torch

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


def test_parts_can_be_written() -> None:
    z = gc.tensor([1 + 2j, 3 - 4j])
    z.real = gc.tensor([5.0, 6.0])
    z.imag = 7
    assert z.tolist() == [5 + 7j, 6 + 7j]
    x = gc.tensor([1.0, 2.0])
    x.real = 3
    assert x.tolist() == [3.0, 3.0]
    with pytest.raises(DTypeError):
        x.imag = 1.0

    def written(z: gc.Tensor) -> gc.Tensor:
        w = z.clone()
        w.imag = w.real * 2
        return w

    assert gc.compile(written)(z).tolist() == written(z).tolist() == [5 + 10j, 6 + 12j]


def test_complex_numbers_for_real_tensors() -> None:
    x = gc.zeros(2)
    assert float(gc.tensor(2 + 0j)) == 2.0
    assert int(gc.tensor(2 + 0j)) == 2
    assert gc.masked_fill(x, x == 0, 1 + 0j).tolist() == [1.0, 1.0]
    refused: list[Callable[[], Any]] = [
        lambda: float(gc.tensor(1j)),
        lambda: int(gc.tensor(1j)),
        lambda: gc.masked_fill(x, x == 0, 1j),
        lambda: x.__setitem__(0, 1j),
    ]
    for call in refused:
        with pytest.raises(DTypeError, match="complex number"):
            call()
    with pytest.raises(DTypeError, match="take a real part"):
        gc.max(gc.tensor([1j]))


@pytest.mark.parity
def test_evenly_spaced() -> None:
    theirs = torch()
    for ours, other in (
        (gc.linspace(0, 1j, 5), theirs.linspace(0, 1j, 5)),
        (gc.logspace(0, 1j, 3), theirs.logspace(0, 1j, 3)),
        (gc.linspace(0, 1 + 1j, 4, dtype=gc.complex128),
         theirs.linspace(0, 1 + 1j, 4, dtype=theirs.complex128)),
    ):  # fmt: skip
        assert_near(ours.numpy(), other.numpy())
