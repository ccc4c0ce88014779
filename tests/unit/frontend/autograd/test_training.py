"""Custom functions and hooks in models that learn: dynamic, compiled, and PyTorch's."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.nn import functional
from tests.closeness import assert_same
from tests.torch_oracle import torch

RNG = np.random.default_rng(11)
X, TARGET = RNG.normal(size=(8, 5)), RNG.normal(size=(8, 3))
START = [RNG.normal(size=(4, 5)) / 2, RNG.normal(size=4) / 2, RNG.normal(size=(3, 4)) / 2]


def linear(m: Any) -> Any:
    class Linear(m.autograd.Function):
        """The layer that PyTorch's notes on extending autograd take for an example."""

        @staticmethod
        def forward(input: Any, weight: Any, bias: Any) -> Any:
            output = input.mm(weight.t())
            return output if bias is None else output + bias

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            input, weight, bias = ctx.saved_tensors
            grad_input = grad_weight = grad_bias = None
            if ctx.needs_input_grad[0]:
                grad_input = grad_output.mm(weight)
            if ctx.needs_input_grad[1]:
                grad_weight = grad_output.t().mm(input)
            if bias is not None and ctx.needs_input_grad[2]:
                grad_bias = grad_output.sum(0)
            return grad_input, grad_weight, grad_bias

    return Linear


def straight_through(m: Any) -> Any:
    class Rounded(m.autograd.Function):
        """A step whose gradient pretends that it was none."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return (x * 4).round() / 4

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad

    return Rounded


class Learner:
    """A small model of custom functions, its optimizer and one step of learning."""

    def __init__(self, m: Any, mse_loss: Any) -> None:
        self.m, self.mse_loss = m, mse_loss
        self.parameters = [m.nn.Parameter(m.tensor(each)) for each in START]
        self.optimizer = m.optim.Adam(self.parameters, lr=0.05)
        self.parameters[0].register_hook(lambda g: g.clamp(-0.05, 0.05))

    def step(self, x: Any, target: Any) -> Any:
        first, bias, second = self.parameters
        self.optimizer.zero_grad()
        hidden = linear(self.m).apply(x, first, bias)
        hidden.register_hook(lambda g: g * 2)
        rounded = straight_through(self.m).apply(hidden.tanh())
        loss = self.mse_loss(linear(self.m).apply(rounded, second, None), target)
        penalty = self.m.autograd.grad(loss, second, create_graph=True)[0]
        (loss + 0.01 * (penalty * penalty).sum()).backward()
        self.optimizer.step()
        return loss


def learn(steps: int, backend: str | None) -> tuple[list[float], list[Any]]:
    learner = Learner(gc, functional.mse_loss)
    step = learner.step if backend is None else gc.compile(learner.step, backend=backend)
    x, target = gc.tensor(X), gc.tensor(TARGET)
    losses = [step(x, target).item() for _ in range(steps)]
    return losses, [p.detach().numpy() for p in learner.parameters]


@pytest.mark.parity
@pytest.mark.parametrize("backend", [None, "numpy", "llvm"])
def test_learns_as_pytorch_does(backend: str | None) -> None:
    losses, parameters = learn(6, backend)
    peer = Learner(torch(), torch().nn.functional.mse_loss)
    x, target = torch().tensor(X), torch().tensor(TARGET)
    np.testing.assert_allclose(losses, [peer.step(x, target).item() for _ in range(6)], rtol=1e-9)
    for ours, theirs in zip(parameters, peer.parameters, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-8)
    assert losses[-1] < losses[0]


def test_numpy_programs_learn_bit_for_bit_as_dynamic_ones() -> None:
    losses, parameters = learn(4, None)
    compiled_losses, compiled = learn(4, "numpy")
    assert losses == compiled_losses
    for one, other in zip(compiled, parameters, strict=True):
        assert_same(one, other, what="parameter")


def test_a_hook_that_is_added_later_is_in_the_next_run() -> None:
    learner = Learner(gc, functional.mse_loss)
    step = gc.compile(learner.step)
    x, target = gc.tensor(X), gc.tensor(TARGET)
    step(x, target)
    step(x, target)
    before = learner.parameters[2].tolist()
    handle = learner.parameters[2].register_hook(lambda g: g * 0)
    learner.optimizer = gc.optim.SGD(learner.parameters, lr=0.1)
    step(x, target)
    assert learner.parameters[2].tolist() == before
    handle.remove()
    step(x, target)
    assert learner.parameters[2].tolist() != before
