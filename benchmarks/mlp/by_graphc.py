"""In graphc: ordinary code, which runs dynamically and compiles."""

from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from benchmarks.mlp.problem import BETA1, BETA2, EPS, RATE, Problem
from graphc import nn, optim


def _model(problem: Problem) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight in problem.weights:
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        assert layer.bias is not None
        with gc.no_grad():
            layer.weight.copy_(gc.tensor(weight))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def training_step(problem: Problem) -> Callable[[Any, Any], Any]:
    """The training step as ordinary code; a model and an optimizer of its own each time."""
    model = _model(problem)
    optimizer = optim.Adam(model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def forward(problem: Problem) -> Callable[[Any], Any]:
    """The forward run, without gradients."""
    model = _model(problem)

    def scores(x: Any) -> Any:
        with gc.no_grad():
            return model(x)

    return scores
