"""``graphc.special`` against PyTorch and, without it, against mpmath."""

import math
from typing import Any

import numpy as np
import pytest
from mpmath import mp

import graphc as gc
from graphc.errors import ArgumentError, AutogradError
from tests.torch_oracle import check

UNARY = (
    "entr ndtr ndtri log_ndtr erfc erfcx erfinv expit exp2 expm1 log1p gammaln digamma psi i0 i0e "
    "i1 i1e bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0 modified_bessel_i1 "
    "modified_bessel_k0 modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1 "
    "airy_ai spherical_bessel_j0 logit round sinc erf"
).split()
WITHOUT_GRADIENT_IN_TORCH = [n for n in UNARY if "bessel" in n or n == "airy_ai"]
HOSTILE = [0.0, -0.0, 0.25, 0.5, 1.0, -1.0, 2.5, -3.5, 9.0, math.nan, math.inf, -math.inf]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", UNARY)
def test_values(name: str, dtype: str) -> None:
    x = np.array(HOSTILE if dtype != "int32" else [0, 1, 2, 3]).astype(dtype)
    if name == "sinc":
        x = x[np.isfinite(x)][1:] if dtype != "int32" else x[:1]
    if name == "spherical_bessel_j0":
        x = x[np.isfinite(x)]
    if name == "round" and dtype == "int32":
        pytest.skip("torch has none of int32")
    if name == "airy_ai":
        x = x[np.abs(x) < 5]
    loose = 30.0 if dtype == "float32" else 60.0
    if dtype == "float64" and name in WITHOUT_GRADIENT_IN_TORCH:
        loose = 1e7  # torch's have 8 digits
    check(lambda m, x: getattr(m.special, name)(x), x, grads=False, loose=loose)
    check(lambda m, x: getattr(m.special, name)(x), x[:0], grads=False)
    check(lambda m, x: getattr(m.special, name)(x), x[0], grads=False, loose=loose)


@pytest.mark.parity
@pytest.mark.parametrize("name", [n for n in UNARY if n not in WITHOUT_GRADIENT_IN_TORCH])
def test_gradients(name: str, rng: np.random.Generator) -> None:
    x = rng.uniform(0.1, 0.9, (2, 3))
    loose = 1e5 if name in ("digamma", "psi") else 100  # torch's trigamma has 10 digits
    check(lambda m, x: getattr(m.special, name)(x), x, loose=loose)
    check(lambda m, x: getattr(m.special, name)(x), x.astype(np.float32), loose=100)
    if name in ("i0e", "i1e", "i1", "i0", "erfcx", "log_ndtr", "ndtr"):
        check(lambda m, x: getattr(m.special, name)(x), np.array([-0.7, 0.0, 0.7]), loose=100)


@pytest.mark.parametrize("name", WITHOUT_GRADIENT_IN_TORCH)
def test_gradients_that_torch_lacks(name: str) -> None:
    x = gc.tensor([0.3, 1.5, 4.0], dtype=gc.float64, requires_grad=True)
    assert gc.autograd.gradcheck(getattr(gc.special, name), [x])


@pytest.mark.parity
@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_polygamma(n: int, rng: np.random.Generator) -> None:
    x = rng.uniform(0.5, 9, (2, 3))
    check(lambda m, x: m.polygamma(n, x), x, loose=1e5)
    check(lambda m, x: x.polygamma(n), x, loose=1e5)
    check(lambda m, x: m.special.polygamma(n, x), np.arange(1, 4), loose=100)


@pytest.mark.parity
@pytest.mark.parametrize("p", [1, 2, 5])
def test_mvlgamma(p: int) -> None:
    x = np.array([2.5, 3.0, 7.25])
    check(lambda m, x: m.mvlgamma(x, p), x, loose=100)
    check(lambda m, x: m.special.multigammaln(x, p), x, loose=100)
    check(lambda m, x: x.mvlgamma(p), np.array([4, 5]), loose=100)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "zeta", "xlog1py", "xlogy"])
def test_pairs(name: str, rng: np.random.Generator) -> None:
    a, b = rng.uniform(1.2, 4, (3, 1)), rng.uniform(0.5, 3, 4)
    whole = name.startswith("xlog")
    check(lambda m, a, b: getattr(m.special, name)(a, b), a, b, grads=whole, loose=100)
    check(lambda m, b: getattr(m.special, name)(m.ones(4, dtype=m.float64) * 1.5, b), b, loose=100)
    if not name.startswith("gamma"):
        check(lambda m, b: getattr(m.special, name)(2.0, b), b, loose=100)


@pytest.mark.parity
def test_pairs_at_corners() -> None:
    x = np.array([0.0, 0.0, 0.0, 0.0, 2.0, math.nan, 0.0])
    y = np.array([0.0, -1.0, math.nan, math.inf, 0.0, 1.0, -3.0])
    check(lambda m, a, b: m.xlogy(a, b), x, y, grads=False)
    check(lambda m, a, b: m.special.xlog1py(a, b), x, y, grads=False)
    a = np.array([0.0, 1.0, 2.0, -1.0, math.inf, 0.0])
    check(lambda m, a: m.special.gammainc(a, m.ones_like(a)), a, grads=False, loose=8)
    check(lambda m, a: m.igammac(m.ones_like(a), a), a, grads=False, loose=8)


def test_there_is_no_gradient_by_the_order_of_incomplete_gamma_functions() -> None:
    a = gc.tensor([1.5], requires_grad=True)
    for name in ("gammainc", "gammaincc", "zeta"):
        with pytest.raises(AutogradError, match="no gradient by its first argument"):
            getattr(gc.special, name)(a, gc.tensor([2.0])).sum().backward()


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("ndtr", lambda x: mp.erfc(-x / mp.sqrt(2)) / 2),
        ("log_ndtr", lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)),
        ("erfcx", lambda x: mp.exp(x * x) * mp.erfc(x)),
        ("gammaln", mp.loggamma),
        ("psi", mp.digamma),
        ("i1", lambda x: mp.besseli(1, x)),
        ("spherical_bessel_j0", lambda x: mp.sin(x) / x),
    ],
)
def test_mpmath_agrees(name: str, exact: Any) -> None:
    x = np.array([0.125, 0.7, 1.75, 3.3])
    got = getattr(gc.special, name)(gc.tensor(x)).numpy()
    with mp.workprec(120):
        wanted = [float(exact(mp.mpf(float(each)))) for each in x]
    np.testing.assert_allclose(got, wanted, rtol=1e-13)


def test_wrong_arguments() -> None:
    with pytest.raises(ArgumentError, match="0 or more"):
        gc.polygamma(-1, gc.ones(2))
    with pytest.raises(ArgumentError, match="1 or more"):
        gc.mvlgamma(gc.ones(2), 0)
    with pytest.raises(gc.GraphcError, match="expected a tensor"):
        gc.special.entr(1.0)
    with pytest.raises(gc.GraphcError, match="unsupported dtype"):
        gc.special.gammainc(gc.arange(2), gc.arange(2))
