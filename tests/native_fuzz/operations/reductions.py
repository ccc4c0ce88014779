"""Steps that reduce dims, and normalizations over dims."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import graphc.nn.functional as F
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.program import Spread, Step
from tests.programs.base import Array


def reduction(b: Builder) -> Step | None:
    """Some dims become one element each, or go."""
    at = b.pick(lambda one: bool(one.shape))
    if at is None:
        return None
    x = b[at]
    rank = len(x.shape)
    dims = [d for d in range(rank) if b.chance(0.5)] or [b.below(rank)]
    dim, keep = tuple(dims), b.chance(0.5)
    text = f"{dim}{' keep' * keep}"
    count = math.prod(x.shape[d] for d in dim)
    names = ["sum", "sum", "sum"]
    if x.kind == "f":
        names += ["mean", "mean", "var", "logsumexp", "norm"]
    if count and x.kind != "b":
        names += ["amax", "amin"] if x.exact or not b.smooth else []
        names += ["argmax", "argmin"] if x.exact else []
    if x.exact:
        names += ["any", "all"]
    # factors that underflow hide an infinity or not, by their order
    if x.kind == "i" or (x.kind == "f" and not b.smooth and not b.special):
        names.append("prod")
    name = b.choose(names)
    if name in ("any", "all"):
        return Step(name + text, (at,), lambda v: getattr(v != 0, name)(dim, keepdim=keep), True)
    if name in ("argmax", "argmin"):
        return Step(f"{name}{dim[0]}", (at,), lambda v: getattr(v, name)(dim[0], keepdim=keep),
                    True)  # fmt: skip
    if name in ("amax", "amin"):
        return Step(name + text, (at,), lambda v: getattr(v, name)(dim, keepdim=keep), x.exact)
    if name == "prod":
        return Step(f"prod{dim[0]}", (at,), lambda v: v.prod(dim[0], keepdim=keep), x.kind != "f",
                    lambda operands, result: np.sqrt(count) * np.abs(result))  # fmt: skip
    apply: Callable[[Any], Any] = {
        "sum": lambda v: v.sum(dim, keepdim=keep),
        "mean": lambda v: v.mean(dim, keepdim=keep),
        "var": lambda v: v.var(dim, correction=0, keepdim=keep),
        "logsumexp": lambda v: v.logsumexp(dim, keepdim=keep),
        "norm": lambda v: ((v * v).sum(dim, keepdim=keep) + 0.25).sqrt(),
    }[name]
    exact = name == "sum" and x.kind != "f"
    return Step(name + text, (at,), apply, exact, over(dim, keep, name))


def over(dim: tuple[int, ...], keep: bool, name: str) -> Spread:
    """In proportion to the sum of magnitudes, and to the root of their number."""

    def spread(operands: Sequence[Array], result: Array) -> Array:
        x = np.where(np.isfinite(operands[0]), np.abs(operands[0]), 0)
        count = math.prod(x.shape[d] for d in dim)
        if name in ("sum", "mean"):
            total = x.sum(dim, keepdims=keep) * np.sqrt(count)
            return np.asarray(total if name == "sum" else total / max(count, 1))
        largest = x.max(dim, keepdims=keep, initial=1.0)
        return np.asarray(np.sqrt(count) * (largest**2 if name == "var" else largest))

    return spread


def normalization(b: Builder) -> Step | None:
    """Softmax and its like over one dim, layer norm over the last ones."""
    at = b.pick(lambda one: one.kind == "f" and bool(one.shape) and one.size > 0)
    if at is None:
        return None
    shape = b[at].shape
    dim = b.below(len(shape))
    count = math.sqrt(shape[dim])
    name = b.choose(["softmax", "log_softmax", "layer_norm", "standardize"])
    if name == "layer_norm":
        last = shape[dim:]
        return Step(f"layer_norm{last}", (at,), lambda x: F.layer_norm(x, last, eps=0.1), False,
                    scaled(math.sqrt(math.prod(last))))  # fmt: skip
    if name == "standardize":
        return Step(f"standardize{dim}", (at,), lambda x: _standardized(x, dim), False,
                    scaled(count))  # fmt: skip
    return Step(f"{name}{dim}", (at,), lambda x: getattr(x, name)(dim), False, scaled(count))


def scaled(factor: float) -> Spread:
    """In proportion to the largest value involved."""

    def spread(operands: Sequence[Array], result: Array) -> float:
        finite = np.abs(operands[0])[np.isfinite(operands[0])]
        return factor * (1.0 + float(finite.max(initial=0.0)))

    return spread


def _standardized(x: Any, dim: int) -> Any:
    centred = x - x.mean(dim, keepdim=True)
    return centred / ((centred * centred).mean(dim, keepdim=True) + 0.5).sqrt()
