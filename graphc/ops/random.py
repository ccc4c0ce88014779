"""Pseudo-random bits as a pure function of seed, call and element (Philox4x32-10).

Element ``i`` of call ``c`` under seed ``s`` is the same on every backend, for any thread count,
fusion or schedule. Blocks are laid out so that 16 neighbours come from one word of 16 blocks:
block ``(i // 64) * 16 + i % 16``, word ``(i // 16) % 4``.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.dims import Shape
from graphc.dtypes import DType, int32, int64
from graphc.errors import DTypeError, ShapeError
from graphc.opdef import OpDef, Trait
from graphc.ops.infer import FLOAT, broadcast_types, require_category, require_same_dtype
from graphc.storage import Array
from graphc.types import TensorType

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)


def philox_block(counter: list[Array], key: tuple[int, int]) -> list[Array]:
    """Four words of 32 random bits for each counter.

    Args:
        counter: four uint64 arrays that hold 32-bit words.
        key: two 32-bit words.

    Returns:
        Four uint64 arrays that hold 32-bit words.
    """
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            (p1 >> half) ^ c1 ^ np.uint64(k0), p1 & low,
            (p0 >> half) ^ c3 ^ np.uint64(k1), p0 & low,
        )  # fmt: skip
        k0, k1 = (k0 + KEY_STEPS[0]) & 0xFFFFFFFF, (k1 + KEY_STEPS[1]) & 0xFFFFFFFF
    return [c0, c1, c2, c3]


def _infer_random_bits(state: TensorType, *, call: int, shape: Shape) -> TensorType:
    if state.dtype is not int64 or state.shape != (2,):
        raise ShapeError("random_bits: the state must be i64[2]", got=str(state))
    return TensorType(shape, int32)


def _eval_random_bits(state: Array, *, call: int, shape: tuple[int, ...]) -> Array:
    seed, offset = int(state[0]) & (2**64 - 1), (int(state[1]) + call) & (2**64 - 1)
    count = math.prod(shape)
    block = np.arange(-(-count // 64) * 16, dtype=np.uint64)
    counter = [
        block & np.uint64(0xFFFFFFFF),
        block >> np.uint64(32),
        np.full_like(block, offset & 0xFFFFFFFF),
        np.full_like(block, offset >> 32),
    ]
    words = philox_block(counter, (seed & 0xFFFFFFFF, seed >> 32))
    by_group = np.stack(words).reshape(4, -1, 16).transpose(1, 0, 2)
    return by_group.reshape(-1)[:count].astype(np.uint32).view(np.int32).reshape(shape)


random_bits = OpDef("random_bits", _infer_random_bits, _eval_random_bits, traits=Trait.RANDOM)
"""``random_bits(state, call=, shape=)``: 32 random bits per element, as int32.

``state`` is int64 ``[seed, offset]``; ``call`` numbers the calls that share one state value.
"""


def _infer_normal(a: TensorType, b: TensorType, *, dtype: DType) -> TensorType:
    if require_same_dtype("normal", (a, b)) is not int32:
        raise DTypeError("normal: it makes numbers from int32 bits", got=a.dtype.name)
    result = broadcast_types("normal", (a, b), dtype)
    require_category("normal", (result,), FLOAT)
    return result


LOG_TERMS = tuple(2.0 / (2 * k + 1) for k in range(17))
"""ln(m) = s * sum(LOG_TERMS[k] * s^(2k)) with s = (m-1)/(m+1); enough for m in [1, 2)."""

COS_TERMS = tuple((-1.0) ** k * (2 * math.pi) ** (2 * k) / math.factorial(2 * k) for k in range(14))
"""cos(2 pi y) = sum(COS_TERMS[k] * y^(2k)) for 0 <= y <= 1/4."""


def _horner(terms: tuple[float, ...], z: Any) -> Any:
    total = np.full_like(z, terms[-1])
    for term in reversed(terms[:-1]):
        total = total * z + term
    return total


def _eval_normal(a: Array, b: Array, *, dtype: DType) -> Array:
    """Box-Muller in float64 with additions, products, quotients and roots only.

    These are exactly rounded everywhere, so every backend can give the same bits.
    """
    first = ((a.astype(np.int64) & 0xFFFFFFFF).astype(np.float64) + 0.5) * 2.0**-32
    second = (b.astype(np.int64) & 0xFFFFFFFF).astype(np.float64) * 2.0**-32
    bits = first.view(np.int64)
    exponent = ((bits >> 52) - 1023).astype(np.float64)
    mantissa = ((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    log_first = exponent * math.log(2.0) + s * _horner(LOG_TERMS, s * s)
    radius = np.sqrt(-2.0 * log_first)
    away = np.abs(second - 0.5)
    folded = np.where(away > 0.25, 0.5 - away, away)
    cosine = _horner(COS_TERMS, folded * folded)
    signed = np.where(away > 0.25, cosine, -cosine)
    return np.asarray(radius * signed, dtype=dtype.numpy, order="C")


normal_from_bits = OpDef(
    "normal_from_bits", _infer_normal, _eval_normal, traits=Trait.ELEMENTWISE | Trait.COSTLY
)
"""``normal_from_bits(a, b, dtype=)``: standard normal numbers from two int32 of random bits."""
