"""Activation functions against PyTorch and against formulas, in both executions."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, ShapeError
from tests.both_modes import check_both
from tests.torch_oracle import check

INF = math.inf
VALUES = np.array(
    [-90.0, -7.0, -6.0, -3.0, -1.5, -1.0, -0.5, -0.25, -0.0, 0.0, 0.25, 0.5, 1.0, 1.5, 3.0, 6.0,
     7.0, 90.0]
)  # fmt: skip

CASES: dict[str, Callable[..., Any]] = {
    "relu": lambda f, x: f.relu(x),
    "relu6": lambda f, x: f.relu6(x),
    "leaky_relu": lambda f, x: f.leaky_relu(x, 0.2),
    "hardtanh": lambda f, x: f.hardtanh(x),
    "hardtanh limits": lambda f, x: f.hardtanh(x, -0.5, max_val=3),
    "hardsigmoid": lambda f, x: f.hardsigmoid(x),
    "hardswish": lambda f, x: f.hardswish(x),
    "threshold": lambda f, x: f.threshold(x, 0.5, -2.0),
    "hardshrink": lambda f, x: f.hardshrink(x),
    "hardshrink lambd": lambda f, x: f.hardshrink(x, lambd=1.5),
    "softshrink": lambda f, x: f.softshrink(x),
    "softshrink 0": lambda f, x: f.softshrink(x, 0.0),
    "rrelu": lambda f, x: f.rrelu(x),
    "elu": lambda f, x: f.elu(x),
    "elu alpha": lambda f, x: f.elu(x, alpha=0.3),
    "celu": lambda f, x: f.celu(x, 1.7),
    "selu": lambda f, x: f.selu(x),
    "silu": lambda f, x: f.silu(x),
    "mish": lambda f, x: f.mish(x),
    "softplus": lambda f, x: f.softplus(x, beta=2, threshold=5),
    "logsigmoid": lambda f, x: f.logsigmoid(x),
    "softsign": lambda f, x: f.softsign(x),
    "tanhshrink": lambda f, x: f.tanhshrink(x),
    "gelu": lambda f, x: f.gelu(x),
    "gelu tanh": lambda f, x: f.gelu(x, approximate="tanh"),
    "glu": lambda f, x: f.glu(x),
    "glu dim": lambda f, x: f.glu(x, dim=0),
    "softmin": lambda f, x: f.softmin(x, dim=-1),
}


FLOAT32_CONSTANTS = {"hardsigmoid", "celu"}
"""PyTorch's float64 gradients of these multiply by a quotient that was rounded to float32."""


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


@pytest.mark.parity
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_torch(name: str, dtype: Any, rng: np.random.Generator) -> None:
    function = CASES[name]
    many = [VALUES, rng.normal(size=(2, 4, 6)), np.zeros((2, 0)), rng.normal(size=(4, 2))[::-1]]
    if "glu" not in name:
        many += [np.array(0.3), np.array([2.0])]
    for x in many:
        loose = 1e8 if dtype is np.float64 and name in FLOAT32_CONSTANTS else 4
        check(lambda m, x: function(_functional(m), x), x.astype(dtype), loose=loose)


NOT_FINITE_DIFFERS = {"mish", "gelu", "gelu tanh", "glu", "glu dim", "silu", "softmin"}


@pytest.mark.parity
@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_FINITE_DIFFERS])
def test_values_that_are_not_finite(name: str) -> None:
    x = np.array([math.nan, INF, -INF, 1e30, -1e30])
    check(lambda m, x: CASES[name](_functional(m), x), x, grads=False)


@pytest.mark.parametrize("name", [name for name in CASES if "glu" not in name])
def test_gradients_of_large_values_are_finite(name: str) -> None:
    outcome = check_both(lambda x: CASES[name](F, x), np.array([-800.0, 800.0, 0.0]))
    grad = outcome.grads[0]
    assert grad is not None
    assert np.isfinite(grad).all()


@pytest.mark.parametrize("name", CASES)
def test_second_derivatives(name: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 4)) + 0.037  # no kink is nearer than a step
    leaf = gc.tensor(x, requires_grad=True)

    def gradient(x: gc.Tensor) -> gc.Tensor:
        out = CASES[name](F, x)
        weights = gc.tensor(np.linspace(-1, 1, out.numel()).reshape(out.shape))
        return gc.grad((out * weights).sum(), x, create_graph=True)[0]

    assert gc.autograd.gradcheck(gradient, [leaf])


@pytest.mark.parity
def test_prelu(rng: np.random.Generator) -> None:
    for shape, weights in (
        ((2, 3, 4), (3,)), ((2, 3), (3,)), ((2, 3, 4), (1,)), ((5,), (1,)), ((), (1,)),
        ((2, 3), ()), ((0, 3, 2), (3,)),
    ):  # fmt: skip
        check(
            lambda m, x, w: _functional(m).prelu(x, w), rng.normal(size=shape),
            rng.normal(size=weights), loose=4,
        )  # fmt: skip


def test_prelu_of_infinity_has_a_finite_weight_gradient() -> None:
    x, w = gc.tensor([INF, -1.0]), gc.tensor([0.5], requires_grad=True)
    F.prelu(x, w).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [-1]


def test_in_place_forms_write_their_input() -> None:
    for name in (
        "relu", "hardtanh", "leaky_relu", "rrelu", "elu", "celu", "selu",
    ):  # fmt: skip
        x = gc.tensor([-2.0, 0.5])
        expected = getattr(F, name)(x).tolist()
        assert getattr(F, f"{name}_")(x) is x
        assert x.tolist() == expected
    x = gc.tensor([-2.0, 0.5])
    assert F.threshold_(x, 0.0, 7.0) is x
    assert x.tolist() == [7, 0.5]
    for name in ("relu6", "hardsigmoid", "hardswish", "silu", "mish"):
        x = gc.tensor([-2.0, 0.5])
        expected = getattr(F, name)(x).tolist()
        assert getattr(F, name)(x, inplace=True) is x
        assert x.tolist() == expected


def test_rrelu_draws_slopes_while_training() -> None:
    gc.manual_seed(0)
    x = gc.tensor(np.full(4000, -2.0, np.float32), requires_grad=True)
    out = F.rrelu(x, 0.1, 0.3, training=True)
    slopes = out.detach().numpy() / -2
    assert 0.1 <= slopes.min() < 0.105
    assert 0.295 < slopes.max() <= 0.3
    assert slopes.mean() == pytest.approx(0.2, abs=0.005)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slopes, rtol=1e-6)
    assert F.rrelu(gc.tensor([3.0]), training=True).tolist() == [3]


def test_gumbel_softmax_draws_each_class_with_its_probability() -> None:
    gc.manual_seed(random.Random(1).randrange(1000))
    p = np.array([0.1, 0.2, 0.7])
    logits = gc.tensor(np.log(p)).expand(20000, 3)
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True)
    np.testing.assert_allclose(hard.numpy().sum(-1), 1, atol=1e-12)
    np.testing.assert_allclose(hard.numpy().mean(0), p, atol=0.015)
    soft = F.gumbel_softmax(logits, tau=0.5)
    np.testing.assert_allclose(soft.numpy().sum(-1), 1, atol=1e-12)
    np.testing.assert_allclose(
        (soft.numpy().argmax(-1)[:, None] == np.arange(3)).mean(0), p, atol=0.015
    )


def test_hard_gumbel_softmax_has_the_soft_ones_gradient() -> None:
    x = gc.tensor([0.3, 0.1, -0.5], requires_grad=True)
    weights = gc.tensor([1.0, 2.0, 4.0])
    grads = []
    for hard in (False, True):
        gc.manual_seed(5)
        (grad,) = gc.grad((F.gumbel_softmax(x, hard=hard, dim=0) * weights).sum(), x)
        grads.append(grad.tolist())
    assert grads[0] == grads[1]
    assert any(grads[0])


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda x: F.hardtanh(x, 1, -1), ArgumentError, "min_val"),
        (lambda x: F.softshrink(x, -1.0), ArgumentError, "lambd"),
        (lambda x: F.celu(x, 0), ArgumentError, "alpha"),
        (lambda x: F.rrelu(x, 0.5, 0.1), ArgumentError, "lower"),
        (lambda x: F.gumbel_softmax(x, tau=0), ArgumentError, "tau"),
        (lambda x: F.gelu(x, approximate="erf"), ArgumentError, "approximation"),
        (lambda x: F.glu(x), ShapeError, "even"),
        (lambda x: F.glu(gc.tensor(1.0)), ShapeError, "even"),
        (lambda x: F.prelu(x, gc.ones(2)), ShapeError, "number of weights"),
        (lambda x: F.prelu(x, gc.ones(1, 1)), ShapeError, "one dim"),
        (lambda x: F.softmin(x), ArgumentError, "dim"),
    ],
)
def test_wrong_arguments(call: Callable[[gc.Tensor], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call(gc.ones(2, 3))
