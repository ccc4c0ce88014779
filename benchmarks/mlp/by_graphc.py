"""In graphc: the same step dynamically, as a compiled function and as a session."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Run
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


@dataclass(frozen=True)
class Static:
    """A session and what it is fed with."""

    session: Any
    feed: dict[str, Any]

    def run(self) -> Any:
        """One run; the output as an array."""
        return self.session.run(self.feed)

    def profile(self) -> Any:
        """Times of the steps."""
        return self.session.profile(self.feed)


def training_dynamic(problem: Problem) -> Run:
    """Op by op."""
    step, x, y = _step(problem), gc.tensor(problem.x), gc.tensor(problem.y)
    return lambda: step(x, y).numpy()


def training_compiled(problem: Problem) -> Run:
    """The function, by ``gc.compile``."""
    step, x, y = gc.compile(_step(problem)), gc.tensor(problem.x), gc.tensor(problem.y)
    return lambda: step(x, y).numpy()


def training_session(problem: Problem) -> Static:
    """The graph, written by hand; fed with arrays."""
    step = _step(problem)
    with gc.Graph() as graph:
        x = gc.placeholder(problem.x.shape, gc.float32, name="x")
        y = gc.placeholder(problem.y.shape, gc.int64, name="y")
        loss = step(x, y)
    return Static(graph.compile(outputs=loss), {"x": problem.x, "y": problem.y})


def forward_dynamic(problem: Problem) -> Run:
    """Op by op."""
    forward, x = _forward(problem), gc.tensor(problem.x)
    return lambda: forward(x).numpy()


def forward_compiled(problem: Problem) -> Run:
    """The function, by ``gc.compile``."""
    forward, x = gc.compile(_forward(problem)), gc.tensor(problem.x)
    return lambda: forward(x).numpy()


def forward_session(problem: Problem) -> Static:
    """The graph, written by hand; fed with arrays."""
    forward = _forward(problem)
    with gc.Graph() as graph:
        result = forward(gc.placeholder(problem.x.shape, gc.float32, name="x"))
    return Static(graph.compile(outputs=result), {"x": problem.x})
