"""Programs that reduce: sums of odd sizes, softmax, norms, extrema, losses."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from tests.programs.base import Array, both, integers, normal, positive, program

DIMS = [0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2)]


def _softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@program(normal((7, 33)), _softmax, ulps=8)
def softmax_by_hand(x: Any) -> Any:
    e = (x - x.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


@program(
    normal((5, 17, 3)),
    lambda x: [
        part for axis in range(3)
        for part in (_softmax(x, axis), np.log(_softmax(x, axis)), np.log(np.exp(x).sum(axis)))
    ],
    ulps=10, absolute=1e-6,
)  # fmt: skip
def softmax_family(x: Any) -> Any:
    return [
        part for dim in range(3)
        for part in (x.softmax(dim), x.log_softmax(dim), x.logsumexp(dim))
    ]  # fmt: skip


def _layer_norm(x: Array, weight: Array, bias: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * weight + bias


@program(normal((17, 65), (65,), (65,)), _layer_norm, ulps=8, absolute=4e-6)
def layer_norm_by_hand(x: Any, weight: Any, bias: Any) -> Any:
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred * centred).mean(-1, keepdim=True)
    return centred * (variance + 1e-5).rsqrt() * weight + bias


@program(
    normal((3, 17, 65)),
    lambda x: [x.sum(d, keepdims=k) for d in DIMS for k in (False, True)],
    absolute=3e-4,
)
def sums(x: Any) -> Any:
    return [x.sum(d, keepdim=k) for d in DIMS for k in (False, True)]


@program(
    normal((1, 1000), (1000, 1), (1, 1), (1000,)),
    lambda a, b, c, d: [a.sum(0), a.sum(1), b.sum(0), b.sum(1), c.sum(), d.sum(), (d * d).mean()],
    absolute=2e-4,
)
def thin_sums(a: Any, b: Any, c: Any, d: Any) -> Any:
    return [a.sum(0), a.sum(1), b.sum(0), b.sum(1), c.sum(), d.sum(), (d * d).mean()]


@program(
    normal((3, 17, 65)),
    lambda x: [
        part for d in (0, 1, 2, (0, 2))
        for part in (x.mean(d), x.var(d, ddof=1), x.std(d, ddof=1), (x.var(d), x.std(d)))
    ],
    ulps=8, absolute=2e-6,
)  # fmt: skip
def moments(x: Any) -> Any:
    return [
        part for d in (0, 1, 2, (0, 2))
        for part in (
            x.mean(d), x.var(d), x.std(d), (x.var(d, correction=0), x.std(d, unbiased=False)),
        )
    ]  # fmt: skip


@program(
    lambda rng: (np.round(rng.standard_normal((9, 17, 3)) * 2).astype(np.float32),),
    lambda x: [
        part for d in range(3) for part in (x.max(d), x.min(d), x.argmax(d), x.argmin(d))
    ] + [x.max(), x.min(), x.argmax(), x.argmin(), x.max((0, 2))],
    ulps=0, special=True, signed_zero=False,
)  # fmt: skip
def extrema(x: Any) -> Any:
    """Which of 0.0 and -0.0 is the largest depends on the order in numpy too."""
    by_dim = [
        part for d in range(3) for part in (x.amax(d), x.amin(d), x.argmax(d), x.argmin(d))
    ]  # fmt: skip
    return [*by_dim, x.max(), x.min(), x.argmax(), x.argmin(), x.amax((0, 2))]


@program(
    integers((65, 3), low=-9, high=9),
    lambda x: [x.sum(0), x.max(1), x.argmax(0), x.argmin(1), x.min(), (x != 0).any(0), x.all(1),
               x[:5].prod(0)],
)  # fmt: skip
def whole_number_reductions(x: Any) -> Any:
    return [x.sum(0), x.amax(1), x.argmax(0), x.argmin(1), x.min(), (x != 0).any(0), x.all(1),
            x[:5].prod(0)]  # fmt: skip


@program(
    positive((6, 17)),
    lambda x: [x.prod(0), x.prod(1), x.prod(), np.sqrt((x * x).sum(1))],
    ulps=60,
)
def products_and_norm(x: Any) -> Any:
    return [x.prod(0), x.prod(1), x.prod(), x.norm(dim=1)]


@program(
    lambda rng: ((rng.standard_normal((2, 384, 513)) + 1000).astype(np.float32),),
    lambda x: (x.mean((1, 2)), x.sum((0, 1)), x.var((1, 2))),
    ulps=24, absolute=1e-4,
)  # fmt: skip
def large_plane(x: Any) -> Any:
    """Adding 200,000 numbers one by one in float32 would be off by hundreds of units here."""
    return x.mean((1, 2)), x.sum((0, 1)), x.var((1, 2), correction=0)


def _cross_entropy(x: Array, target: Array) -> tuple[Array, Array]:
    rows = np.arange(len(x))
    gradient = _softmax(x)
    loss = -np.log(gradient[rows, target]).mean()
    gradient[rows, target] -= 1
    return loss, gradient / len(x)


@program(
    both(normal((17, 10)), integers((17,), low=0, high=10)), _cross_entropy, ulps=8, absolute=3e-7
)
def cross_entropy_by_hand(x: Any, target: Any) -> Any:
    x.requires_grad_()
    log_probabilities = x - x.logsumexp(1, keepdim=True)
    loss = -log_probabilities.gather(1, target.unsqueeze(1)).mean()
    (gradient,) = gc.grad(loss, x)
    return loss.detach(), gradient


@program(
    normal((7, 33)),
    lambda x: (x.sum(1), np.exp(x), (x - x.mean(1, keepdims=True)) ** 2, x.max(0)),
    ulps=6, absolute=3e-6,
)  # fmt: skip
def several_results_of_one_kernel(x: Any) -> Any:
    centred = x - x.mean(1, keepdim=True)
    return x.sum(1), x.exp(), centred * centred, x.amax(0)
