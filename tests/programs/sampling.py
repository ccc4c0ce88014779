"""Programs that draw random numbers, with an oracle from Python integers.

Each keeps a variable that counts its draws, from which the oracle knows where the sequence stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from tests.op_oracles import random_bits
from tests.programs.base import SEED, Array, normal, program


def _no_draws() -> dict[str, Array]:
    return {"draws": np.zeros((), np.float32)}


def _bits(state: dict[str, Array], *shape: int) -> Array:
    drawn = random_bits(np.array([SEED, int(state["draws"])]), call=0, shape=shape)
    state["draws"] = state["draws"] + 1
    return drawn.view(np.uint32)


def _uniform(state: dict[str, Array], *shape: int) -> Array:
    return (_bits(state, *shape) >> 8) / 2.0**24


def _normal(state: dict[str, Array], *shape: int) -> Array:
    """Box and Muller's two formulas, from numpy's logarithm and cosine."""
    first, second = _bits(state, *shape), _bits(state, *shape)
    radius = np.sqrt(-2 * np.log((first + 0.5) / 2.0**32))
    return radius * np.cos(2 * np.pi * (second / 2.0**32))


def _count(state: dict[str, Any], draws: int) -> None:
    with gc.no_grad():
        state["draws"].add_(draws)


def _dropout(state: dict[str, Array], x: Array) -> tuple[Array, Array]:
    kept = _uniform(state, *x.shape) < 0.75
    other = _uniform(state, *x.shape) < 0.75
    return np.where(kept, x / 0.75, 0), np.where(other, np.exp(x), 0) / 0.75


@program(normal((5, 29)), _dropout, variables=_no_draws)
def dropout_by_hand(state: dict[str, Any], x: Any) -> Any:
    kept = gc.rand(x.shape) < 0.75
    other = gc.rand(x.shape) < 0.75
    _count(state, 2)
    return gc.where(kept, x / 0.75, 0.0), x.exp() * other / 0.75


def _noise(state: dict[str, Array], x: Array) -> list[Array]:
    noisy = x + 0.1 * _normal(state, *x.shape)
    wide = _normal(state, 3, 67)
    whole = (_bits(state, 50).astype(np.int64) * 13 >> 32) - 6
    return [noisy, wide, whole, (_uniform(state, 4) < 0.3) * 1.0, noisy.sum(0)]


@program(normal((4, 9)), _noise, variables=_no_draws, absolute=2e-6)
def random_numbers(state: dict[str, Any], x: Any) -> Any:
    noisy = x + 0.1 * gc.randn(x.shape)
    wide = gc.randn(3, 67)
    whole = gc.randint(-6, 7, (50,))
    coins = gc.bernoulli(gc.full((4,), 0.3))
    _count(state, 6)
    return [noisy, wide, whole, coins, noisy.sum(0)]
