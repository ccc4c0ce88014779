"""In graphc: the same step dynamically, as a compiled function and as a session."""

from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Run
from benchmarks.images.problem import MOMENTUM, RATE, Problem
from benchmarks.mlp.by_graphc import Static
from graphc import nn, optim


def _step(problem: Problem) -> Callable[[Any, Any], Any]:
    """The training step as ordinary code; parameters and an optimizer of its own each time."""
    parameters = [nn.Parameter(gc.tensor(values)) for values in problem.parameters]
    optimizer = optim.SGD(parameters, lr=RATE, momentum=MOMENTUM)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(problem.network(F, list(parameters), x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def dynamic(problem: Problem) -> Run:
    """Op by op."""
    step, x, y = _step(problem), gc.tensor(problem.x), gc.tensor(problem.y)
    return lambda: step(x, y).numpy()


def compiled(problem: Problem) -> Run:
    """The function, by ``gc.compile``."""
    step, x, y = gc.compile(_step(problem)), gc.tensor(problem.x), gc.tensor(problem.y)
    return lambda: step(x, y).numpy()


def session(problem: Problem) -> Static:
    """The graph, written by hand; fed with arrays."""
    step = _step(problem)
    with gc.Graph() as graph:
        x = gc.placeholder(problem.x.shape, gc.float32, name="x")
        y = gc.placeholder(problem.y.shape, gc.int64, name="y")
        loss = step(x, y)
    return Static(graph.compile(outputs=loss), {"x": problem.x, "y": problem.y})
