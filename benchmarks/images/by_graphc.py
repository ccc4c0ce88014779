"""In graphc: the same step dynamically, as a compiled function and as a session."""

from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Run
from benchmarks.images.problem import MOMENTUM, RATE, Problem
from benchmarks.ways import Static, compiled, dynamic, static
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


def training_dynamic(problem: Problem) -> Run:
    """Op by op."""
    return dynamic(_step(problem), x=problem.x, y=problem.y)


def training_compiled(problem: Problem) -> Run:
    """The function, by ``gc.compile``."""
    return compiled(_step(problem), x=problem.x, y=problem.y)


def training_session(problem: Problem) -> Static:
    """The graph, written by hand; fed with arrays."""
    return static(_step(problem), x=problem.x, y=problem.y)
