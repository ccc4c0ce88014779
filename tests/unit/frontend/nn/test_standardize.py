"""The gradient of standardized values, against numbers and against its own steps."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.autograd import gradcheck, gradgradcheck
from graphc.frontend.nn.functional.standardize import normalized, standardized


def _samples(*shape: int) -> gc.Tensor:
    return gc.tensor(np.random.default_rng(4).normal(size=shape), requires_grad=True)


@pytest.mark.parametrize("dims", [(1,), (0, 2), (0, 1, 2)])
def test_both_derivatives_are_those_of_differences(dims: tuple[int, ...]) -> None:
    x = _samples(3, 4, 2)
    assert gradcheck(lambda x: standardized(x, dims, 1e-3).values, (x,))
    assert gradgradcheck(lambda x: standardized(x, dims, 1e-3).values, (x,))


def test_it_is_the_gradient_of_the_steps() -> None:
    x = _samples(5, 7)
    grad = gc.tensor(np.random.default_rng(5).normal(size=(5, 7)))
    centered = x - x.mean(1, keepdim=True)
    steps = centered * (centered.square().mean(1, keepdim=True) + 1e-5).rsqrt()
    (want,) = gc.grad(steps, x, grad)
    (got,) = gc.grad(standardized(x, (1,), 1e-5).values, x, grad)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_statistics_have_no_gradient() -> None:
    result = standardized(_samples(3, 4), (1,), 1e-5)
    assert result.values.requires_grad
    assert not result.mean.requires_grad
    assert not result.variance.requires_grad


def test_no_sum_of_backward_waits_for_another() -> None:
    """Mean, variance, and then all sums of the gradient at once."""

    def gradient(x: gc.Tensor, weight: gc.Tensor, grad: gc.Tensor) -> object:
        y = F.batch_norm(x, None, None, weight, training=True)
        return gc.grad(y, (x, weight), grad)

    x, weight = gc.ones(8, 4, 6, requires_grad=True), gc.ones(4, requires_grad=True)
    sums: dict[object, int] = {}
    for node in gc.trace(gradient, x, weight, gc.ones(8, 4, 6)).nodes:
        before = max((sums[each] for each in node.inputs), default=0)
        sums[node] = before + (node.op.name == "sum")
    assert max(sums.values()) == 3


def test_the_gradient_names_the_line_of_forward() -> None:
    x = gc.ones(4, 4, requires_grad=True)
    graph = gc.trace(lambda x: gc.grad(F.layer_norm(x, (4,)).sum(), x), x)
    lines = [line for line in str(graph).splitlines() if "backward" in line]
    assert lines
    assert all("test_standardize.py" in line for line in lines)


@pytest.mark.parametrize("dims", [(0, 2), (2,)])
def test_with_weight_and_bias_both_derivatives_are_those_of_differences(
    dims: tuple[int, ...],
) -> None:
    x, weight, bias = _samples(3, 4, 5), _samples(4, 1), _samples(4, 1)

    def values(x: gc.Tensor, weight: gc.Tensor, bias: gc.Tensor) -> gc.Tensor:
        return normalized(x, weight, bias, dims, 1e-3).values

    assert gradcheck(values, (x, weight, bias))
    assert gradgradcheck(values, (x, weight, bias))


def test_backward_of_weight_and_input_share_their_sums() -> None:
    """Mean, what its rounding lost, and variance; and two sums of the gradient."""

    def gradient(x: gc.Tensor, weight: gc.Tensor, bias: gc.Tensor, grad: gc.Tensor) -> object:
        y = F.batch_norm(x, None, None, weight, bias, training=True)
        return gc.grad(y, (x, weight, bias), grad)

    x = gc.ones(8, 4, 6, requires_grad=True)
    weight, bias = gc.ones(4, requires_grad=True), gc.zeros(4, requires_grad=True)
    graph = gc.trace(gradient, x, weight, bias, gc.ones(8, 4, 6)).lower(to="cse")
    assert sum(node.op.name == "sum" for node in graph.nodes) == 5


NORMS = {
    "batch": lambda x: F.batch_norm(x, None, None, None, None, True),
    "affine batch": lambda x: F.batch_norm(
        x, None, None, gc.ones(x.shape[1]), gc.zeros(x.shape[1]), True
    ),
    "layer": lambda x: F.layer_norm(x, x.shape[1:]),
    "group": lambda x: F.group_norm(x, 2),
    "instance": lambda x: F.instance_norm(x),
}


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("value", [0.1, -7.3e4, 1e-20])
def test_equal_values_become_zeros(name: str, value: float) -> None:
    x = gc.full((7, 4, 3), value)
    for function in (NORMS[name], gc.compile(NORMS[name])):
        assert not function(x).numpy().any()


@pytest.mark.parametrize("name", NORMS)
def test_a_mean_far_from_zero_costs_no_accuracy(name: str) -> None:
    array = np.random.default_rng(6).normal(100, 1, (16, 8, 300)).astype(np.float32)
    exact = NORMS[name](gc.tensor(array.astype(np.float64)))
    for function in (NORMS[name], gc.compile(NORMS[name])):
        off = function(gc.tensor(array)).numpy() - exact.numpy()
        assert np.sqrt(np.mean(off**2)) < 6e-6  # the mean itself has steps of 7.6e-6
