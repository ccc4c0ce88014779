"""Functions of numbers against PyTorch: values of every dtype, gradients, wrong arguments."""

import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.both_modes import check_both
from tests.closeness import assert_same
from tests.torch_oracle import check
from tests.unit.frontend.functions.test_pointwise import FLOATS, INTS, rolled, values

UNARY = (
    "asin acos atan sinh cosh asinh acosh atanh arcsin arccos arctan arcsinh arccosh arctanh "
    "exp2 log2 log10 logit erfc erfinv lgamma digamma i0 deg2rad rad2deg sinc frac positive "
    "isposinf isneginf isreal signbit sgn angle nan_to_num negative absolute fix real conj"
).split()
DIFFERENTIABLE = [
    n for n in UNARY if not n.startswith("is") and n not in ("signbit", "real", "sgn")
]
OF_FLOATS = "hypot nextafter logaddexp logaddexp2".split()
OF_INTS = "gcd lcm".split()
OF_REAL = "atan2 arctan2 copysign fmod fmax fmin xlogy float_power ldexp".split()
ALIASES = (
    "subtract multiply divide true_divide not_equal less less_equal greater greater_equal"
).split()
NAMESPACE = "special."


def function(m: Any, name: str) -> Any:
    """A function by its dotted name in either library."""
    for part in name.split("."):
        m = getattr(m, part)
    return m


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bool", *INTS, *FLOATS])
@pytest.mark.parametrize("name", UNARY)
def test_unary_values(name: str, dtype: str) -> None:
    refused = {"frac": ["bool", *INTS], "positive": ["bool"], "negative": ["bool"],
               "absolute": ["bool"], "fix": ["bool"]}  # fmt: skip
    if dtype in refused.get(name, []):
        with pytest.raises(gc.GraphcError, match="unsupported dtype"):
            function(gc, name)(values(dtype))
        return
    if name == "sgn" and dtype in FLOATS:
        x: Any = values(dtype)[:10]  # NaN stays NaN here
    elif name == "sinc" and dtype not in FLOATS:
        pytest.skip("torch's sinc of whole numbers is the rounding of pi")
    elif name == "digamma" and dtype == "bool":
        pytest.skip("torch refuses")
    else:
        x = values(dtype)
    if name == "signbit" and dtype == "bfloat16":
        x = gc.nan_to_num(x)  # conversions lose the sign of NaN
    if name == "sinc":
        x = gc.nan_to_num(x, posinf=0.25, neginf=0.75) * 0.3
    if name == "nan_to_num" and dtype == "bfloat16":
        x = gc.nan_to_num(x, posinf=3.0, neginf=2.0)
    loose = 8.0 if name in ("lgamma", "digamma", "erfinv", "sinc") else 2.0
    check(lambda m, x: function(m, name)(x), x, grads=False, loose=loose)
    check(lambda m, x: function(m, name)(x), x[3], grads=False, loose=loose)
    check(lambda m, x: function(m, name)(x), values(dtype, (2, 0)), grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (2, 0, 3), (2, 3, 1, 2)])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_unary_gradients(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.uniform(0.2, 0.9, shape) + (1.0 if name in ("acosh", "arccosh") else 0.0)
    loose = 1e5 if name == "digamma" else 50  # torch's trigamma has 10 digits
    check(lambda m, x: function(m, name)(x), x, loose=loose)
    check(lambda m, x: function(m, name)(x), -x if name in ODD else x, loose=loose)
    check(lambda m, x: function(m, name)(x), x.astype(np.float32), loose=50)


ODD = "asin atan sinh cosh asinh atanh erfc erfinv sinc frac sgn angle i0 fix".split()


@pytest.mark.parity
@pytest.mark.parametrize("other", ["bool", "uint8", "int64", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("dtype", ["bool", *INTS, *FLOATS])
@pytest.mark.parametrize("name", [*OF_REAL, *OF_INTS, *OF_FLOATS])
def test_binary_values(name: str, dtype: str, other: str) -> None:
    x, y = values(dtype), rolled(values(other), 5)
    whole = not (x.dtype.is_floating_point or y.dtype.is_floating_point)
    both_bool = (dtype, other) == ("bool", "bool")
    refused = (
        (name in OF_FLOATS and whole)
        or (name in OF_INTS and (not whole or both_bool))
        or (name == "fmod" and both_bool)
    )
    if refused:
        with pytest.raises(gc.GraphcError, match="unsupported dtype"):
            function(gc, name)(x, y)
        return
    if name == "fmod" and whole:
        y = gc.where(y == 0, gc.ones_like(y), y)  # torch raises, graphc gives 0
    if name == "nextafter" and "float16" in (gc.promote_types(x.dtype, y.dtype).name):
        pytest.skip("torch has none for 16 bits")
    if name == "ldexp":
        y = gc.clamp(y.to(gc.promote_types(y.dtype, gc.uint8)), -3, 9)
    if name == "float_power":
        y = gc.clamp(y.to(gc.promote_types(y.dtype, gc.uint8)), -3, 3)
    if name == "copysign" and other == "bfloat16":
        y = gc.nan_to_num(y)  # conversions lose the sign of NaN
    loose = 2.0
    check(lambda m, a, b: function(m, name)(a, b), x, y, grads=False, loose=loose)
    check(lambda m, a, b: function(m, name)(a, b), x, y[4], grads=False, loose=loose)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("left", "right"), [((), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0, 3), (1, 3))]
)
@pytest.mark.parametrize("name", [n for n in [*OF_REAL, *OF_FLOATS] if n != "ldexp"])
def test_binary_gradients_broadcast(
    name: str, left: tuple[int, ...], right: tuple[int, ...], rng: np.random.Generator
) -> None:
    a, b = rng.uniform(0.5, 2, left), rng.uniform(0.5, 2, right)
    check(lambda m, a, b: function(m, name)(a, b), a, b, loose=20)
    check(lambda m, a, b: function(m, name)(a, b), a, b.astype(np.float32), loose=1e9)


@pytest.mark.parity
def test_gradients_of_neighbours_of_equal_and_strange_numbers() -> None:
    a = np.array([1.0, 2.0, 3.0, math.nan, 1.0, math.inf, -0.0, 0.0])
    b = np.array([1.0, 3.0, -math.inf, 1.0, math.nan, math.inf, 0.0, 1.0])
    check(lambda m, a, b: m.nextafter(a, b), a, b)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["fmax", "fmin", "maximum", "minimum"])
def test_gradients_of_extrema_with_ties_and_nan(name: str) -> None:
    a = np.array([1.0, 2.0, 3.0, math.nan, 1.0, math.nan, -0.0])
    b = np.array([1.0, 3.0, 2.0, 1.0, math.nan, math.nan, 0.0])
    if name.startswith("f"):
        check(lambda m, a, b: function(m, name)(a, b), a, b)
    else:
        check(lambda m, a, b: function(m, name)(a, b), a[:3], b[:3])


@pytest.mark.parity
@pytest.mark.parametrize("name", ALIASES)
def test_aliases(name: str) -> None:
    check(lambda m, a, b: function(m, name)(a, b), [1.0, 2.0, 3.0], [3.0, 2.0, 0.5])
    check(lambda m, a, b: getattr(a, name)(b), [1.0, 2.0, 3.0], [3.0, 2.0, 0.5])


@pytest.mark.parity
def test_origin_and_corners_of_gradients() -> None:
    zero, one = np.array([0.0, -0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    check(lambda m, a, b: m.atan2(a, b), zero, one)
    check(lambda m, a, b: m.copysign(a, b), zero, -one)
    check(lambda m, x: m.sinc(x), zero)
    check(lambda m, x: m.logit(x), np.array([0.0, 0.25, 1.0, -0.5, 1.5]))
    check(lambda m, x: m.logit(x, 0.3), np.array([0.0, 0.25, 0.3, 1.0, 0.5]))
    check(lambda m, x: m.logit(x, eps=0.1), np.array([0.5, 0.95], np.float32))
    check(lambda m, x: m.nan_to_num(x, 1.5, 7.0, -7.0),
          np.array([math.nan, math.inf, -math.inf, 2.0]))  # fmt: skip
    check(lambda m, x, y: m.xlogy(x, y), np.array([0.0, 0.0, 2.0]), np.array([2.0, 0.5, 0.0]))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_frexp(dtype: str) -> None:
    x = gc.tensor([0.0, -0.0, 1.0, -3.0, 0.3, 1024.0, 6e-5, math.inf, math.nan], dtype=dtype)
    check(lambda m, x: tuple(m.frexp(x)), x, grads=False)
    check(lambda m, x: m.frexp(x).mantissa, x[2:6])
    check(lambda m, x: x.frexp()[1], x)


@pytest.mark.parity
@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 0.75, 1.0, -2.0])
def test_lerp(weight: float, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(3, 1)), rng.normal(size=4)
    check(lambda m, a, b: m.lerp(a, b, weight), a, b)
    check(lambda m, a, b: a.lerp(b, weight), a, b)
    check(lambda m, a, b, w: m.lerp(a, b, w), a, b, np.full((3, 4), weight))


@pytest.mark.parity
@pytest.mark.parametrize("value", [1, 2, -0.5])
def test_addcmul_and_addcdiv(value: float, rng: np.random.Generator) -> None:
    a, b, c = rng.normal(size=(3, 1)), rng.normal(size=4), rng.uniform(1, 2, (3, 4))
    check(lambda m, a, b, c: m.addcmul(a, b, c, value=value), a, b, c)
    check(lambda m, a, b, c: m.addcdiv(a, b, c, value=value), a, b, c, loose=4)
    check(lambda m, a, b, c: a.addcmul(b, c), a, b, c.astype(np.float32), loose=1e9)
    if isinstance(value, int):
        check(lambda m, a, b: m.addcmul(a, b, b, value=value), np.arange(3), np.arange(3))


@pytest.mark.parity
def test_heaviside_rsub_and_limits() -> None:
    x = np.array([-1.5, -0.0, 0.0, 2.0, math.nan])
    check(lambda m, x, y: m.heaviside(x, y), x, np.full(5, 0.25), grads=False)
    check(lambda m, x, y: m.heaviside(x, y), np.arange(-2, 3), np.full(5, 7))
    check(lambda m, x: (m.rsub(x, 3), m.rsub(x, x, alpha=2), m.clamp_min(x, 0.5)), x[:4])
    check(lambda m, x: (m.clamp_max(x, 0.5), m.clip(x, -1, 1), x.clip(max=0.25)), x[:4])
    check(lambda m, x, y: (m.clamp_min(x, y), m.clamp_max(x, y)), x[:4], np.array([[0.5], [-1.0]]))


@pytest.mark.parity
@pytest.mark.parametrize("method", [n for n in UNARY if n not in ("real", "isreal")])
def test_methods_are_the_functions(method: str) -> None:
    x = np.array([0.25, 0.75]) + (1.0 if method in ("acosh", "arccosh") else 0.0)
    check(lambda m, x: getattr(x, method)(), x, grads=False, loose=8)


def test_second_derivatives() -> None:
    inside = gc.tensor([0.3, 0.6], dtype=gc.float64, requires_grad=True)
    for name in "asin acos atan sinh cosh asinh atanh exp2 log2 log10 logit sinc".split():
        one = gc.grad(function(gc, name)(inside).sum(), inside, create_graph=True)[0]
        two = gc.grad(one.sum(), inside)[0].numpy()
        step = 1e-5
        ends = [
            gc.grad(function(gc, name)(x).sum(), x)[0].numpy()
            for x in (
                gc.tensor(inside.detach().numpy() + sign * step).requires_grad_()
                for sign in (1, -1)
            )
        ]
        np.testing.assert_allclose(two, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, err_msg=name)


def test_numpy_oracle_without_torch(rng: np.random.Generator) -> None:
    x, y = rng.uniform(-0.9, 0.9, (3, 4)), rng.uniform(0.1, 2, 4)
    got = check_both(
        lambda a, b: (gc.asin(a), gc.atan2(a, b), gc.hypot(a, b), gc.fmod(a, b), gc.log10(b)), x, y
    )
    wanted = [np.arcsin(x), np.arctan2(x, y), np.hypot(x, y), np.fmod(x, y), np.log10(y)]
    for one, other in zip(got.outputs, wanted, strict=True):
        assert_same(one, other)


def test_native_programs_evaluate_what_has_no_native_code(rng: np.random.Generator) -> None:
    x = rng.uniform(0.1, 0.9, (5, 7)).astype(np.float32)
    with gc.Graph() as graph:
        given = gc.placeholder((5, 7), name="x")
        graph.output(gc.exp(gc.lgamma(given * 2) + gc.erfinv(given)).sum(), "y")
    native = graph.compile().run({"x": x})["y"]
    plain = graph.compile(backend="numpy").run({"x": x})["y"]
    np.testing.assert_allclose(native, plain, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gc.asin("x"), "asin: expected a tensor"),
        (lambda: gc.atan2(gc.ones(2), None), "atan2: expected a tensor"),
        (lambda: gc.hypot(gc.ones(2), gc.ones(3)), "do not broadcast"),
        (lambda: gc.lerp(gc.ones(2), gc.ones(2).double(), 0.5), "one dtype"),
        (lambda: gc.lerp(gc.arange(2), gc.arange(2), 0.5), "lerp: an operand has an unsupported"),
        (lambda: gc.heaviside(gc.ones(2), gc.arange(2)), "one dtype"),
        (lambda: gc.addcmul(gc.arange(2), gc.arange(2), gc.arange(2), value=0.5), "fraction"),
        (lambda: gc.addcdiv(gc.arange(2), gc.arange(2), gc.arange(2)), "unsupported dtype"),
        (lambda: gc.frexp(gc.arange(2)), "unsupported dtype"),
        (lambda: gc.deg2rad(gc.complex(gc.ones(2), gc.ones(2))), "complex numbers are no angles"),
    ],
)
def test_wrong_arguments(call: Any, message: str) -> None:
    with pytest.raises(gc.GraphcError, match=message) as caught:
        call()
    assert "test_mathematics.py" in str(caught.value)
