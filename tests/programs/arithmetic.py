"""Programs of elementwise operations, dtypes and casts."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from scipy import special

import graphc as gc
from tests.programs.base import Array, both, integers, normal, positive, program

ROUNDS = 50


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _chain(x: Array, y: Array) -> Array:
    return np.tanh(2 * x + 1) * _sigmoid(y) - np.exp(-np.abs(x))


@program(normal((5, 13), (5, 13)), _chain, absolute=3e-7, special=True)
def chain(x: Any, y: Any) -> Any:
    return (x * 2 + 1).tanh() * y.sigmoid() - (-x.abs()).exp()


@program(normal(*[(37,)] * 41), lambda *xs: sum(x * n for n, x in enumerate(xs)), absolute=4e-4)
def many_operands(*xs: Any) -> Any:
    total = xs[0] * 0
    for number, x in enumerate(xs):
        total = total + x * number
    return total


def _long_chain(x: Array, y: Array) -> Array:
    for _ in range(ROUNDS):
        x = np.sin(x * 0.5 + y)
    return x


@program(normal((129,), (129,)), _long_chain, absolute=1e-6)
def long_chain(x: Any, y: Any) -> Any:
    for _ in range(ROUNDS):
        x = (x * 0.5 + y).sin()
    return x


@program(
    normal((4, 1, 3), (5, 1), (3,), ()),
    lambda a, b, c, d: (a + b * c - d, (a - d) * 2, b + d),
    absolute=2e-6,
    special=True,
)
def broadcasts(a: Any, b: Any, c: Any, d: Any) -> Any:
    return a + b * c - d, (a - d) * 2, b + d


@program(normal((), ()), lambda x, y: (x * y + 3, np.exp(x), x > y), absolute=1e-6, special=True)
def scalars(x: Any, y: Any) -> Any:
    return x * y + 3, x.exp(), x > y


@program(
    normal((0, 3), (3,)),
    lambda x, y: (x + y, x.sum(0), x.sum(), x.prod(1), np.concatenate([x, x]), x.T @ x),
)
def empty(x: Any, y: Any) -> Any:
    return x + y, x.sum(0), x.sum(), x.prod(1), gc.cat([x, x]), x.T @ x


def _reuse(x: Array) -> Array:
    e = np.exp(x)
    return e * e + e / (e + 1) - e, (e + 1) * (e + 1)


@program(normal((3, 17)), _reuse, ulps=8, absolute=2e-6, special=True)
def reuse(x: Any) -> Any:
    e = x.exp()
    return e * e + e / (e + 1) - e, (x.exp() + 1) * (e + 1)


@program(
    lambda rng: (rng.integers(-9, 9, (6, 11)).astype(np.float32) / 2, normal((11,))(rng)[0]),
    lambda x, y: [
        np.maximum(x, y), np.minimum(x, y), np.clip(x, -1, 2), np.sign(x), np.floor(x), np.ceil(x),
        np.rint(x), np.trunc(x), np.maximum(x, 0), -x, np.abs(x), x < y, x == x, x != y,
        np.isnan(x), np.isinf(y), np.isfinite(x),
    ],
    ulps=0,
    special=True,
)  # fmt: skip
def piecewise(x: Any, y: Any) -> Any:
    return [
        gc.maximum(x, y), gc.minimum(x, y), x.clamp(-1, 2), x.sign(), x.floor(), x.ceil(),
        x.round(), x.trunc(), x.relu(), -x, x.abs(), x < y, x == x, x != y,
        x.isnan(), y.isinf(), x.isfinite(),
    ]  # fmt: skip


def _transcendental(x: Array, y: Array) -> list[Array]:
    return [
        np.exp(x), np.expm1(x), np.log(y), np.log1p(y), np.sqrt(y), 1 / np.sqrt(y), np.sin(x),
        np.cos(x), np.tan(x), np.tanh(x), _sigmoid(x), special.erf(x), np.power(y, x),
    ]  # fmt: skip


@program(both(normal((9, 15)), positive((9, 15))), _transcendental, ulps=5, special=True)
def transcendental(x: Any, y: Any) -> Any:
    return [
        x.exp(), x.expm1(), y.log(), y.log1p(), y.sqrt(), y.rsqrt(), x.sin(),
        x.cos(), x.tan(), x.tanh(), x.sigmoid(), x.erf(), y ** x,
    ]  # fmt: skip


def _whole_numbers(a: Array, b: Array) -> list[Array]:
    one, none = np.int32(1), np.int32(0)
    divisor = np.where(b == 0, one, b)
    return [
        a + b, a - b, a * b, np.where(b == 0, none, a // divisor),
        np.where(b == 0, none, a % divisor), a & b, a | b, a ^ b, ~a, a << (b & 7), a >> (b & 7),
        abs(a), np.sign(a), np.maximum(a, b), a < b, a * 3 - 1,
    ]  # fmt: skip


@program(integers((7, 9), (7, 9), low=-20, high=20, dtype=np.int32), _whole_numbers)
def whole_numbers(a: Any, b: Any) -> Any:
    return [
        a + b, a - b, a * b, a // b,
        a % b, a & b, a | b, a ^ b, ~a, a << (b & 7), a >> (b & 7),
        a.abs(), a.sign(), gc.maximum(a, b), a < b, a * 3 - 1,
    ]  # fmt: skip


@program(
    integers((8, 5), (8, 5), low=0, high=2, dtype=np.bool_),
    lambda a, b: [
        a & b, a | b, a ^ b, ~a, np.logical_and(a, ~b), np.where(a, b, ~b), a.sum(0), a.any(1),
        a.all(0), a == b, a.astype(np.float32) * 2, a.argmax(1), (a | b).sum(),
    ],
)  # fmt: skip
def truths(a: Any, b: Any) -> Any:
    return [
        a & b, a | b, a ^ b, ~a, gc.logical_and(a, ~b), gc.where(a, b, ~b), a.sum(0), a.any(1),
        a.all(0), a == b, a.float() * 2, a.int().argmax(1), (a | b).sum(),
    ]  # fmt: skip


def _promotion(i8: Array, u8: Array, i32: Array, f: Array, b: Array) -> list[Array]:
    return [
        i8.astype(np.int32) + i32, u8.astype(np.int16) * i8, i8 + np.int8(3), i32 * 1.5, b * f,
        i32 / 4, np.exp(i8 / 1.0), np.power(np.abs(i8) + 1.0, 0.5), np.log(u8 + 1.0),
        b.astype(np.int64) + 1, i32 + f, i8.sum(dtype=np.int64), u8.astype(np.float64).mean(),
    ]  # fmt: skip


@program(
    both(
        integers((2, 21), low=-10, high=10, dtype=np.int8),
        integers((2, 21), low=0, high=9, dtype=np.uint8),
        integers((2, 21), dtype=np.int32),
        normal((2, 21)),
        integers((2, 21), low=0, high=2, dtype=np.bool_),
    ),
    _promotion,
    ulps=5,
)
def promotion(i8: Any, u8: Any, i32: Any, f: Any, b: Any) -> Any:
    return [
        i8 + i32, u8 * i8, i8 + 3, i32 * 1.5, b * f,
        i32 / 4, i8.exp(), (i8.abs() + 1) ** 0.5, (u8 + 1).log(),
        b + 1, i32 + f, i8.sum(), u8.float().mean(),
    ]  # fmt: skip


def _saturated(x: Array, dtype: Any) -> Array:
    info = np.iinfo(dtype)
    flat = [
        0 if np.isnan(v) else info.max if v >= info.max else info.min if v <= info.min else int(v)
        for v in x.ravel().tolist()
    ]
    return np.array(flat, dtype).reshape(x.shape)


@program(
    lambda rng: (
        np.array(
            [[0.5, -0.5, 1.5, -1.99, 127.9, -128.9], [1e10, -1e10, np.inf, -np.inf, np.nan, 0]],
            np.float32,
        ),
        (rng.standard_normal((2, 6)) * 300).astype(np.float32),
    ),
    lambda x, y: [
        _saturated(v, of) for v in (x, y)
        for of in (np.int8, np.uint8, np.int16, np.int32, np.int64)
    ] + [x != 0, y.astype(np.float16), y.astype(ml_dtypes.bfloat16)],
)  # fmt: skip
def casts(x: Any, y: Any) -> Any:
    wanted = (gc.int8, gc.uint8, gc.int16, gc.int32, gc.int64)
    cast = [v.to(of) for v in (x, y) for of in wanted]
    return [*cast, x.bool(), y.half(), y.bfloat16()]


def _half_chain(x: Array, y: Array) -> tuple[Array, Array]:
    return np.tanh(x * y + 0.5), (x * 2 - y).sum(1)


@program(normal((4, 31), (4, 31), dtype=np.float16), _half_chain, result="float16", absolute=2e-2)
def half_precision(x: Any, y: Any) -> Any:
    return (x * y + 0.5).tanh(), (x * 2 - y).sum(1)


@program(
    normal((4, 31), (4, 31), dtype=ml_dtypes.bfloat16), _half_chain, result="bfloat16",
    absolute=2e-1,
)  # fmt: skip
def brain_precision(x: Any, y: Any) -> Any:
    return (x * y + 0.5).tanh(), (x * 2 - y).sum(1)


@program(
    normal((4, 31), (4, 31), dtype=np.float64),
    lambda x, y: (np.tanh(x * y + 0.5), (x * 2 - y).sum(1), np.exp(x) / (1 + y * y)),
    result="float64",
    absolute=1e-14,
)
def double_precision(x: Any, y: Any) -> Any:
    return (x * y + 0.5).tanh(), (x * 2 - y).sum(1), x.exp() / (1 + y * y)
