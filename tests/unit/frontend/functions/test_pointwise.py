"""Pointwise functions against PyTorch and numpy, in both modes."""

import math
import operator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.both_modes import check_both
from tests.closeness import assert_same
from tests.torch_oracle import check

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTS = ["uint8", "int8", "int16", "int32", "int64"]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -3.5, 3.0, 100.0, math.nan, math.inf, -math.inf]

UNARY = (
    "exp expm1 log log1p sqrt rsqrt sin cos tan tanh sigmoid erf reciprocal square neg abs floor "
    "ceil trunc round isnan isinf isfinite relu logical_not"
).split()
BINARY = "add sub mul div floor_divide remainder pow maximum minimum eq ne lt le gt ge".split()


def values(dtype: str, shape: tuple[int, ...] = (13,)) -> gc.Tensor:
    """Hostile values of one dtype."""
    if dtype == "bool":
        source: Any = [i % 3 == 0 for i in range(13)]
    elif dtype in INTS:
        source = [0, 1, 2, 3, 5, 7, 11, 100, 4, 9, 6, 127, 8]
        source = [v if dtype == "uint8" or i % 2 else -v for i, v in enumerate(source)]
    else:
        source = SPECIAL
    return gc.tensor(np.resize(np.array(source), shape), dtype=dtype)


def rolled(x: gc.Tensor, by: int) -> gc.Tensor:
    """The same values in other places."""
    return gc.tensor(np.roll(x.numpy(), by))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bool", *INTS, *FLOATS])
@pytest.mark.parametrize("name", UNARY)
def test_unary_values(name: str, dtype: str) -> None:
    if dtype == "bool" and name in "neg abs floor ceil trunc round relu".split():
        with pytest.raises(gc.GraphcError):
            getattr(gc, name)(values(dtype))
        return
    check(lambda m, x: getattr(m, name)(x), values(dtype), grads=False)
    check(lambda m, x: getattr(m, name)(x), values(dtype)[3], grads=False)
    check(lambda m, x: getattr(m, name)(x), values(dtype, (2, 0)), grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (2, 0, 3), (2, 3, 1, 2)])
@pytest.mark.parametrize("name", [n for n in UNARY if not n.startswith(("is", "logical"))])
def test_unary_gradients(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.uniform(0.2, 0.9, shape)
    check(lambda m, x: getattr(m, name)(x), x, loose=10)
    check(lambda m, x: getattr(m, name)(x), x.astype(np.float32), loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("other", ["bool", "uint8", "int64", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("dtype", ["bool", *INTS, *FLOATS])
@pytest.mark.parametrize("name", BINARY)
def test_binary_values(name: str, dtype: str, other: str) -> None:
    if name == "sub" and "bool" in (dtype, other):
        with pytest.raises(gc.GraphcError, match="bools cannot be subtracted"):
            gc.sub(values(dtype), values(other))
        return
    if (dtype, other) == ("bool", "bool") and name in "floor_divide remainder pow".split():
        with pytest.raises(gc.GraphcError):
            getattr(gc, name)(values(dtype), values(other))
        return
    x, y = values(dtype), rolled(values(other), 5)
    if name in ("floor_divide", "remainder") and not (
        x.dtype.is_floating_point or y.dtype.is_floating_point
    ):
        y = gc.where(y == 0, gc.ones_like(y), y)  # torch raises, graphc gives 0
    if name == "pow" and not (x.dtype.is_floating_point or y.dtype.is_floating_point):
        y = y % 4 if other != "bool" else y  # torch refuses negative powers of integers
    check(lambda m, a, b: getattr(m, name)(a, b), x, y, grads=False)
    check(lambda m, a, b: getattr(m, name)(a, b), x, y[4], grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("scalar", [True, 2, -1, 1.5, -0.5, 0.0, math.nan])
@pytest.mark.parametrize("dtype", ["bool", *INTS, *FLOATS])
@pytest.mark.parametrize(
    "op",
    [operator.add, operator.mul, operator.truediv, operator.lt, operator.ge, operator.eq],
    ids=lambda op: op.__name__,
)
def test_scalars_and_reflected_operators(op: Any, dtype: str, scalar: float) -> None:
    check(lambda m, x: op(x, scalar), values(dtype), grads=False)
    check(lambda m, x: op(scalar, x), values(dtype), grads=False)
    check(lambda m, x: op(x, scalar), values(dtype)[3], grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("scalar", [2, 3, 1.5])
@pytest.mark.parametrize("dtype", ["int16", "int64", "float32"])
@pytest.mark.parametrize(
    "op",
    [operator.sub, operator.floordiv, operator.mod, operator.pow],
    ids=lambda op: op.__name__,
)
def test_more_operators(op: Any, dtype: str, scalar: float) -> None:
    x = gc.tensor([1, 2, 3, 5, 8], dtype=dtype)
    check(lambda m, x: op(x, scalar), x, grads=False)
    check(lambda m, x: op(scalar, x), x, grads=False)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("left", "right"),
    [((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0, 3), (1, 3)), ((4, 1, 2), (3, 1))],
)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "maximum", "minimum"])
def test_binary_gradients_broadcast(
    name: str, left: tuple[int, ...], right: tuple[int, ...], rng: np.random.Generator
) -> None:
    a, b = rng.uniform(0.5, 2, left), rng.uniform(0.5, 2, right)
    check(lambda m, a, b: getattr(m, name)(a, b), a, b, loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -0.5, 2.5, -2])
def test_powers(exponent: float, rng: np.random.Generator) -> None:
    x = rng.uniform(0.5, 2, (3, 2))
    check(lambda m, x: m.pow(x, exponent), x, loose=10)
    check(lambda m, x: exponent**x, np.abs(x), loose=10) if exponent > 0 else None


@pytest.mark.parity
@pytest.mark.parametrize("mode", [None, "floor", "trunc"])
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_div_rounding(mode: str | None, dtype: str) -> None:
    a = gc.tensor([7, -7, 7, -7, 6, -6, 0], dtype=dtype)
    b = gc.tensor([2, 2, -2, -2, 3, 3, 5], dtype=dtype)
    check(lambda m, a, b: m.div(a, b, rounding_mode=mode), a, b, grads=False)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
@pytest.mark.parametrize("dtype", ["bool", *INTS])
def test_bits(name: str, dtype: str) -> None:
    x = values(dtype)
    check(lambda m, x, y: getattr(m, name)(x, y), x, rolled(x, 3))
    check(lambda m, x: m.bitwise_not(x), x)
    check(lambda m, x, y: (x & y, x | y, x ^ y, ~x), x, rolled(x, 3))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", INTS)
def test_shifts(dtype: str) -> None:
    x = values(dtype)
    check(lambda m, x: (x << 2, x >> 1, 3 << (x & 3), 77 >> (x & 3)), x)


@pytest.mark.parity
@pytest.mark.parametrize(("low", "high"), [(-1, 1), (None, 0.5), (0.5, None), (2.0, -2.0)])
@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "bfloat16"])
def test_clamp(low: Any, high: Any, dtype: str) -> None:
    check(lambda m, x: m.clamp(x, low, high), values(dtype), grads=False)
    check(lambda m, x: x.clamp(min=low, max=high), gc.tensor([-3, -1, 0, 0.5, 1, 2], dtype=dtype))


@pytest.mark.parity
def test_clamp_by_tensors(rng: np.random.Generator) -> None:
    x, low, high = rng.normal(size=(4, 3)), rng.normal(size=3) - 1, rng.normal(size=(4, 1)) + 1
    check(lambda m, x, low, high: m.clamp(x, low, high), x, low, high)


@pytest.mark.parity
def test_where_and_masked_fill(rng: np.random.Generator) -> None:
    a, b, c = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(3, 1))
    check(lambda m, a, b, c: m.where(c > 0, a, b), a, b, c)
    check(lambda m, a, c: m.where(c > 0, a, 2), a, c)
    check(lambda m, a, c: m.masked_fill(a, c > 0, -1.5), a, c)
    check(lambda m, a, b: m.where(a > b, 1, 0.5), a, b)


@pytest.mark.parity
@pytest.mark.parametrize("decimals", [0, 2, -1])
def test_round_decimals(decimals: int) -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, 12.345, -98.765])
    check(lambda m, x: m.round(x, decimals=decimals), x, loose=4)


@pytest.mark.parity
def test_alpha() -> None:
    check(lambda m, x: m.add(x, x, alpha=3), np.ones(3))
    check(lambda m, x: m.sub(x, 2, alpha=0.5), np.ones(3))
    check(lambda m, x: m.add(x, x, alpha=3), np.arange(3))


def test_numpy_oracle_without_torch(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4)).astype(np.float32)
    y = rng.normal(size=(4,)).astype(np.float32)
    got = check_both(lambda a, b: (a + b, a * b, a - b, a / b, gc.exp(a)), x, y)
    wanted = [x + y, x * y, x - y, x / y, np.exp(x)]
    for one, other in zip(got.outputs, wanted, strict=True):
        assert_same(one, other)


def test_noncontiguous_operands_give_contiguous_results(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 6))
    got = check_both(lambda a: (a.T + 1, a[::2, ::-3] * 2, gc.exp(a.T)), x)
    for one, other in zip(got.outputs, [x.T + 1, x[::2, ::-3] * 2, np.exp(x.T)], strict=True):
        assert_same(one, np.ascontiguousarray(other))
        assert one.flags.c_contiguous


def test_a_branch_that_is_not_taken_gives_no_gradient() -> None:
    """Where chooses after both sides are computed; a dead NaN must not leak."""
    got = check_both(lambda x: gc.where(x > 0, gc.sqrt(gc.where(x > 0, x, 1.0)), x), [4.0, -1.0])
    assert_same(got.outputs[0], np.array([2.0, -1.0], np.float32))
    assert np.isfinite(np.asarray(got.grads[0])).all()
