"""Custom functions inside the transforms: their own backward counts at every level."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.func import grad, jacrev, jvp, vmap


class Tripled(gc.autograd.Function):
    """``x * scale`` whose gradient is said to be three times that, so that it can be told."""

    @staticmethod
    def forward(ctx: Any, x: gc.Tensor, scale: gc.Tensor, power: int) -> gc.Tensor:
        ctx.save_for_backward(x, scale)
        ctx.power = power
        return x**power * scale

    @staticmethod
    def backward(ctx: Any, g: gc.Tensor) -> Any:
        x, scale = ctx.saved_tensors
        to_x = 3 * ctx.power * x ** (ctx.power - 1) * scale * g
        return to_x, 5 * x**ctx.power * g, None


class TwoResults(gc.autograd.Function):
    """Two outputs, one of them without a gradient, with a separate ``setup_context``."""

    @staticmethod
    def forward(x: gc.Tensor) -> Any:
        return x.exp(), (x > 0).float(), "a label"

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output[0])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, first: gc.Tensor, *others: Any) -> Any:
        (result,) = ctx.saved_tensors
        return 7 * result * first


def _sum(x: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
    return Tripled.apply(x.sin(), w, 2).sum()


def _by_hand(x: Any, w: Any) -> Any:
    return 3 * 2 * np.sin(x) * np.cos(x) * w


XS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
W = np.float32([1.0, -2.0, 0.5])

EXPECTED: dict[str, tuple[Callable[..., Any], Any]] = {
    "inside": (lambda x, w: vmap(grad(_sum), in_dims=(0, None))(x, w), _by_hand(XS, W)),
    "around": (lambda x, w: grad(lambda a: vmap(_sum, (0, None))(a, w).sum())(x), _by_hand(XS, W)),
    "around, shared": (lambda x, w: grad(lambda b: vmap(_sum, (0, None))(x, b).sum())(w),
                       (5 * np.sin(XS) ** 2).sum(0)),
    "around, captured": (lambda x, w: grad(lambda b: vmap(lambda a: _sum(a, b))(x).sum())(w),
                         (5 * np.sin(XS) ** 2).sum(0)),
    "around two maps": (
        lambda x, w: grad(
            lambda a: vmap(vmap(lambda e: Tripled.apply(e, w[0], 2)))(a).sum())(x),
        6 * XS * W[0]),
    "both": (lambda x, w: grad(lambda a: vmap(grad(_sum), (0, None))(a, w).sum())(x),
             3 * 2 * np.cos(2 * XS) * W),
    "no gradient": (lambda x, w: vmap(_sum, (0, None))(x, w), (np.sin(XS) ** 2 * W).sum(1)),
    "jacobian": (lambda x, w: jacrev(lambda a: Tripled.apply(a, w, 1))(x[0]), np.diag(3 * W)),
    "tangent": (lambda x, w: jvp(lambda a: Tripled.apply(a, w, 1), (x[0],), (gc.ones(3),))[1],
                3 * W),
    "two results": (lambda x, w: grad(lambda a: vmap(lambda b: TwoResults.apply(b)[0])(a).sum())(x),
                    7 * np.exp(XS)),
    "not differentiable": (
        lambda x, w: grad(lambda a: vmap(
            lambda b: TwoResults.apply(b)[1] * TwoResults.apply(b)[0])(a).sum())(x),
        7 * np.exp(XS) * (XS > 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("compiled", [False, True], ids=["dynamic", "compiled"])
def test_the_users_gradient_counts(name: str, compiled: bool) -> None:
    program, expected = EXPECTED[name]
    run = gc.compile(program) if compiled else program
    found = run(gc.tensor(XS), gc.tensor(W))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=2e-5, atol=2e-5)
