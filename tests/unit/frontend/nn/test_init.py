"""Start values have the documented distributions, and repeat by seed."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, ShapeError

SHAPE = (300, 200)  # fan in 200, fan out 300

UNIFORM: dict[str, tuple[Callable[[Any], Any], float]] = {
    "uniform": (lambda t: nn.init.uniform_(t, -2.0, 2.0), 2.0),
    "xavier": (lambda t: nn.init.xavier_uniform_(t, gain=2.0), 2 * math.sqrt(6 / 500)),
    "kaiming": (lambda t: nn.init.kaiming_uniform_(t), math.sqrt(6 / 200)),
    "kaiming_out": (
        lambda t: nn.init.kaiming_uniform_(t, a=1.0, mode="fan_out"), math.sqrt(3 / 300)
    ),
    "linear_layer": (lambda t: t.copy_(nn.Linear(200, 300).weight.detach()), 1 / math.sqrt(200)),
}  # fmt: skip

NORMAL: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "normal": (lambda t: nn.init.normal_(t, 1.0, 3.0), 1.0, 3.0),
    "xavier": (lambda t: nn.init.xavier_normal_(t), 0.0, math.sqrt(2 / 500)),
    "kaiming": (
        lambda t: nn.init.kaiming_normal_(t, nonlinearity="relu"), 0.0, math.sqrt(2 / 200)
    ),
    "embedding_layer": (lambda t: t.copy_(nn.Embedding(*SHAPE).weight.detach()), 0.0, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform(name: str) -> None:
    gc.manual_seed(7)
    fill, bound = UNIFORM[name]
    tensor = gc.zeros(*SHAPE)
    fill(tensor)
    values = tensor.numpy()
    assert np.abs(values).max() <= bound
    assert np.abs(values).max() > 0.999 * bound
    assert values.mean() == pytest.approx(0, abs=0.02 * bound)
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("name", NORMAL)
def test_normal(name: str) -> None:
    gc.manual_seed(7)
    fill, mean, std = NORMAL[name]
    tensor = gc.zeros(*SHAPE)
    fill(tensor)
    values = tensor.numpy()
    assert values.mean() == pytest.approx(mean, abs=0.02 * std)
    assert values.std() == pytest.approx(std, rel=0.02)
    assert ((values - mean) ** 4).mean() / std**4 == pytest.approx(3, rel=0.1)


def test_truncated_normal() -> None:
    from scipy.stats import truncnorm

    gc.manual_seed(7)
    tensor = nn.init.trunc_normal_(gc.zeros(*SHAPE), mean=0.5, std=2.0, a=-1.0, b=1.5)
    values = tensor.numpy()
    expected = truncnorm(-0.75, 0.5, loc=0.5, scale=2.0)
    assert -1 <= values.min() < -0.99
    assert 1.49 < values.max() <= 1.5
    assert values.mean() == pytest.approx(expected.mean(), abs=0.01)
    assert values.std() == pytest.approx(expected.std(), rel=0.01)
    with pytest.raises(ArgumentError):
        nn.init.trunc_normal_(tensor, a=1.0, b=1.0)


def test_constants_are_returned_and_keep_parameters() -> None:
    parameter = nn.Parameter(gc.zeros(2, 2))
    assert nn.init.ones_(parameter) is parameter
    assert parameter.tolist() == [[1, 1], [1, 1]]
    assert nn.init.zeros_(parameter).tolist() == [[0, 0], [0, 0]]
    assert nn.init.constant_(parameter, 0.5).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert parameter.requires_grad
    assert parameter.is_leaf


def test_generators_and_seeds_repeat() -> None:
    def draw() -> list[Any]:
        source = gc.Generator().manual_seed(5)
        return nn.init.normal_(gc.zeros(3), generator=source).tolist()

    assert draw() == draw()
    gc.manual_seed(2)
    first = nn.Linear(3, 3).weight.tolist()
    gc.manual_seed(2)
    assert nn.Linear(3, 3).weight.tolist() == first


def test_wrong_arguments_raise() -> None:
    with pytest.raises(ShapeError, match="fan"):
        nn.init.xavier_uniform_(gc.zeros(3))
    with pytest.raises(ArgumentError, match="mode"):
        nn.init.kaiming_normal_(gc.zeros(3, 3), mode="fan")
    with pytest.raises(ArgumentError, match="nonlinearity"):
        nn.init.calculate_gain("swish")


@pytest.mark.parity
@pytest.mark.parametrize(
    "name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
)
def test_gains_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3), rel=1e-15
    )


def test_layers_without_inputs_can_be_made() -> None:
    assert nn.Linear(0, 2)(gc.zeros(3, 0)).shape == (3, 2)
