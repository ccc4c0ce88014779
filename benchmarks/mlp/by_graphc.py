"""In graphc: the same step dynamically, as a compiled function and as a session."""

from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Run
from benchmarks.mlp.problem import BETA1, BETA2, EPS, RATE, Problem
from benchmarks.ways import Static, compiled, dynamic, static
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


def _step(problem: Problem) -> Callable[[Any, Any], Any]:
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


def _forward(problem: Problem) -> Callable[[Any], Any]:
    model = _model(problem)

    def forward(x: Any) -> Any:
        with gc.no_grad():
            return model(x)

    return forward


def training_dynamic(problem: Problem) -> Run:
    """Op by op."""
    return dynamic(_step(problem), x=problem.x, y=problem.y)


def training_compiled(problem: Problem) -> Run:
    """The function, by ``gc.compile``."""
    return compiled(_step(problem), x=problem.x, y=problem.y)


def training_session(problem: Problem) -> Static:
    """The graph, written by hand; fed with arrays."""
    return static(_step(problem), x=problem.x, y=problem.y)


def forward_dynamic(problem: Problem) -> Run:
    """Op by op."""
    return dynamic(_forward(problem), x=problem.x)


def forward_compiled(problem: Problem) -> Run:
    """The function, by ``gc.compile``."""
    return compiled(_forward(problem), x=problem.x)


def forward_session(problem: Problem) -> Static:
    """The graph, written by hand; fed with arrays."""
    return static(_forward(problem), x=problem.x)
