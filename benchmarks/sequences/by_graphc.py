"""In graphc: ordinary code, which runs dynamically and compiles."""

from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from benchmarks.sequences.problem import BETA1, BETA2, CLASSES, EPS, RATE, Problem
from graphc import nn, optim


class _Model(nn.Module):
    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, hidden)
        self.head = nn.Linear(hidden, CLASSES)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(x)[0]).reshape(-1, CLASSES)


def training_step(problem: Problem) -> Callable[[Any, Any], Any]:
    """The training step as ordinary code; a model and an optimizer of its own each time."""
    model = _Model(problem.x.shape[2], problem.hidden)
    with gc.no_grad():
        for name, parameter in model.named_parameters():
            if name in problem.weights:
                parameter.copy_(gc.tensor(problem.weights[name]))
            else:
                parameter.zero_()
    optimizer = optim.Adam(model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step
