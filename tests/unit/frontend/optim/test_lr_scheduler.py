"""Schedules against PyTorch's."""

import math
from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, RecordingError
from graphc.optim import lr_scheduler

SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "step": lambda s, o: s.StepLR(o, step_size=3, gamma=0.5),
    "exponential": lambda s, o: s.ExponentialLR(o, gamma=0.9),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, T_max=5, eta_min=0.01),
    "cosine_1": lambda s, o: s.CosineAnnealingLR(o, T_max=1),
    "lambda": lambda s, o: s.LambdaLR(o, lambda epoch: 1 / (epoch + 1)),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda epoch: epoch, lambda epoch: 2.0]),
}


def ours() -> optim.SGD:
    groups = [{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 1.0}]
    return optim.SGD(groups, lr=0.1)


def rates(optimizer: Any) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


@pytest.mark.parity
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(name: str) -> None:
    torch = pytest.importorskip("torch")
    parameters = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    a = ours()
    b = torch.optim.SGD([{"params": parameters[:1]}, {"params": parameters[1:], "lr": 1.0}], lr=0.1)
    s = SCHEDULES[name](lr_scheduler, a)
    t = SCHEDULES[name](torch.optim.lr_scheduler, b)
    for _ in range(14):
        assert s.get_last_lr() == rates(a)
        assert rates(a) == pytest.approx(rates(b), rel=1e-9, abs=1e-12)
        b.step()
        s.step()
        t.step()


def test_cosine_by_formula() -> None:
    optimizer = ours()
    schedule = lr_scheduler.CosineAnnealingLR(optimizer, T_max=4, eta_min=0.02)
    for epoch in range(13):
        expected = 0.02 + (0.1 - 0.02) * (1 + math.cos(math.pi * epoch / 4)) / 2
        assert rates(optimizer)[0] == pytest.approx(expected, rel=1e-9)
        schedule.step()


def test_schedules_combine() -> None:
    optimizer = ours()
    first = lr_scheduler.ExponentialLR(optimizer, 0.5)
    second = lr_scheduler.StepLR(optimizer, 2, 0.1)
    for _ in range(2):
        first.step()
        second.step()
    assert rates(optimizer)[1] == pytest.approx(0.5**2 * 0.1)


def test_state_goes_on() -> None:
    optimizer = ours()
    schedule = lr_scheduler.StepLR(optimizer, 2)
    schedule.step()
    state, options = schedule.state_dict(), optimizer.state_dict()
    assert "optimizer" not in state
    other = ours()
    other.load_state_dict(options)
    again = lr_scheduler.StepLR(other, 99)
    again.load_state_dict(state)
    again.step()
    schedule.step()
    assert rates(other) == rates(optimizer)
    lambdas = lr_scheduler.LambdaLR(ours(), lambda epoch: 1.0)
    assert set(lambdas.state_dict()) == {"last_epoch", "base_lrs", "_last_lr"}


def test_going_on_needs_start_values() -> None:
    with pytest.raises(ArgumentError, match="initial_lr"):
        lr_scheduler.ExponentialLR(ours(), 0.5, last_epoch=3)
    with pytest.raises(ArgumentError, match="LambdaLR"):
        lr_scheduler.LambdaLR(ours(), [lambda epoch: 1.0])
    schedule = lr_scheduler.ExponentialLR(ours(), 0.5)
    with gc.Graph(), pytest.raises(RecordingError, match="after the compiled step"):
        schedule.step()
