"""In graphc: ordinary code, which runs dynamically and compiles."""

from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from benchmarks.images.problem import MOMENTUM, RATE, Problem
from graphc import nn, optim


def training_step(problem: Problem) -> Callable[[Any, Any], Any]:
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
