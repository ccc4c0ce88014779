"""A compiled step follows what schedules do to its optimizer without a new trace."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.optim import lr_scheduler as s
from graphc.optim.swa_utils import SWALR

SCHEDULES: dict[str, Callable[[Any], Any]] = {
    "lambda": lambda o: s.LambdaLR(o, lambda epoch: 1 / (epoch + 1)),
    "one cycle": lambda o: s.OneCycleLR(o, 0.2, total_steps=8),
    "cyclic": lambda o: s.CyclicLR(o, 0.01, 0.2, step_size_up=3),
    "restarts": lambda o: s.CosineAnnealingWarmRestarts(o, 3),
    "sequence": lambda o: s.SequentialLR(o, [s.LinearLR(o), s.ExponentialLR(o, 0.5)], [4]),
    "chain": lambda o: s.ChainedScheduler([s.ExponentialLR(o, 0.9), s.StepLR(o, 2)]),
    "plateau": lambda o: s.ReduceLROnPlateau(o, patience=0, factor=0.5, threshold=0.5),
    "averaging": lambda o: SWALR(o, 0.05, 3),
}
RULES: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda groups: optim.SGD(groups, lr=0.1, momentum=0.9),
    "NAdam": lambda groups: optim.NAdam(groups, lr=0.1),
    "tensor": lambda groups: optim.AdamW(groups, lr=gc.tensor(0.1)),
}


class Job:
    """Two groups that learn by a schedule."""

    def __init__(self, rule: str, schedule: str) -> None:
        gc.manual_seed(1)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        groups = [
            {"params": self.net[0].parameters()},
            {"params": self.net[2].parameters(), "weight_decay": 0.1},
        ]
        self.optimizer = RULES[rule](groups)
        self.schedule = SCHEDULES[schedule](self.optimizer)
        self.traces = 0

    def step(self, x: Any) -> Any:
        self.traces += 1
        self.optimizer.zero_grad()
        loss = (self.net(x) - 1).square().mean()
        loss.backward()
        self.optimizer.step()
        return loss

    def train(self, step: Any) -> list[Any]:
        x = gc.tensor(np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3))
        seen = []
        for _ in range(7):
            loss = step(x).item()
            self.schedule.step(*[loss] * isinstance(self.schedule, s.ReduceLROnPlateau))
            seen.append(loss)
        return [*seen, *(value for p in self.net.parameters() for value in p.flatten().tolist())]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules(schedule: str, rule: str) -> None:
    dynamic, static = Job(rule, schedule), Job(rule, schedule)
    expected = dynamic.train(dynamic.step)
    got = static.train(gc.compile(static.step))
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5)
    assert static.traces == 1


@pytest.mark.parametrize("rule", RULES)
def test_gradients_of_several_batches(rule: str) -> None:
    def train(compiled: bool) -> list[Any]:
        job = Job(rule, "lambda")

        def learn(x: Any) -> Any:
            loss = (job.net(x) - 1).square().mean() / 3
            loss.backward()
            return loss

        def move() -> None:
            job.optimizer.step()
            job.optimizer.zero_grad()

        if compiled:
            learn, move = gc.compile(learn), gc.compile(move)
        seen = []
        for number in range(9):
            x = np.sin(np.arange(12, dtype=np.float32).reshape(4, 3) + number)
            seen.append(learn(gc.tensor(x)).item())
            if number % 3 == 2:
                move()
                job.schedule.step()
        assert all(p.grad is None for p in job.net.parameters())
        return [*seen, *(value for p in job.net.parameters() for value in p.flatten().tolist())]

    np.testing.assert_allclose(train(True), train(False), rtol=2e-4, atol=2e-5)
