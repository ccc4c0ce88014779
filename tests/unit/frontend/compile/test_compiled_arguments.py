"""Arguments of compiled functions that have gradients, or are parameters."""

from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import RecordingError

EXECUTIONS: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [
    lambda function: function,
    gc.compile,
    gc.compile(backend="numpy"),
]


@pytest.mark.parametrize("execute", EXECUTIONS)
def test_arguments_get_their_gradients(execute: Callable[..., Any]) -> None:
    def loss_of(x: gc.Tensor, scale: float) -> gc.Tensor:
        loss = (x * x * scale).sum()
        loss.backward()
        return loss

    fast = execute(loss_of)
    x = gc.tensor([2.0, 3.0], requires_grad=True)
    for _ in range(4):
        assert fast(x, 1.0).item() == 13
    assert x.grad.tolist() == [16.0, 24.0]
    other = gc.tensor([1.0, 1.0], requires_grad=True)
    fast(other, scale=2.0)
    assert other.grad.tolist() == [4.0, 4.0]
    assert x.grad.tolist() == [16.0, 24.0]


@pytest.mark.parametrize("execute", EXECUTIONS)
def test_a_gradient_that_the_function_clears_first_is_replaced(execute: Callable[..., Any]) -> None:
    def run(pair: dict[str, gc.Tensor]) -> None:
        pair["x"].grad = None
        (pair["x"] * pair["y"]).sum().backward()

    fast = execute(run)
    x = gc.tensor([2.0], requires_grad=True)
    for y in (1.0, 5.0, 7.0):
        fast({"y": gc.tensor([y]), "x": x})
        assert x.grad.tolist() == [y]


@pytest.mark.parametrize("execute", EXECUTIONS)
def test_parameters_as_arguments_are_trained(execute: Callable[..., Any]) -> None:
    first, second = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([first, second], lr=1.0)

    def step(weight: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = (weight * x).sum()
        loss.backward()
        optimizer.step()
        return loss

    fast = execute(step)
    losses = [fast(weight, gc.tensor([2.0])).item() for weight in (first, first, second, first)]
    assert losses == [2.0, -2.0, 2.0, -6.0]
    assert (first.item(), second.item()) == (-5.0, -1.0)


def test_a_tensor_that_is_an_argument_and_trained_inside_is_refused() -> None:
    w = gc.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)

    def step(x: gc.Tensor) -> None:
        (x * 2).sum().backward()
        optimizer.step()
        w.detach() * 2
        (w * 3).sum().backward()

    with pytest.raises(RecordingError, match="argument 'x' is also used"):
        gc.compile(step)(w)


def test_seeding_inside_a_compiled_function_is_refused() -> None:
    def draw() -> gc.Tensor:
        gc.manual_seed(3)
        return gc.rand(2)

    with pytest.raises(RecordingError, match="seeded while recording"):
        gc.compile(draw)()
