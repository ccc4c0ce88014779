"""Schedules against PyTorch's over 50 steps, and their checkpoints."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, RecordingError
from graphc.optim import lr_scheduler, swa_utils

Made = Callable[[Any, Any], Any]


class Halving:
    """A function with state."""

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def __call__(self, epoch: float) -> float:
        return float(self.rate**epoch)


def sequence(s: Any, o: Any) -> Any:
    parts = [
        s.LinearLR(o, 0.1, total_iters=4), s.ConstantLR(o, 0.5, total_iters=3),
        s.StepLR(o, 2, 0.5), s.MultiStepLR(o, [2, 3], 0.5), s.ExponentialLR(o, 0.9),
        s.CosineAnnealingLR(o, 5, 0.01), s.PolynomialLR(o, 6, 2.0),
        s.CosineAnnealingWarmRestarts(o, 3), s.LambdaLR(o, lambda epoch: 1 / (epoch + 1)),
    ]  # fmt: skip
    return s.SequentialLR(o, parts, [4, 8, 12, 17, 21, 28, 35, 42])


def nested(s: Any, o: Any) -> Any:
    first = s.SequentialLR(o, [s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.8)], [5])
    return s.ChainedScheduler([first, s.StepLR(o, 7, 0.5), s.LinearLR(o, 0.5, 0.9, 10)])


SCHEDULES: dict[str, Made] = {
    "step": lambda s, o: s.StepLR(o, step_size=3, gamma=0.5),
    "multi_step": lambda s, o: s.MultiStepLR(o, [3, 7, 7, 20], gamma=0.5),
    "constant": lambda s, o: s.ConstantLR(o, 0.25, total_iters=6),
    "constant_default": lambda s, o: s.ConstantLR(o),
    "linear": lambda s, o: s.LinearLR(o, 0.2, 0.7, total_iters=8),
    "linear_default": lambda s, o: s.LinearLR(o),
    "exponential": lambda s, o: s.ExponentialLR(o, gamma=0.9),
    "polynomial": lambda s, o: s.PolynomialLR(o, 12, 2.0),
    "polynomial_default": lambda s, o: s.PolynomialLR(o),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, T_max=5, eta_min=0.01),
    "cosine_1": lambda s, o: s.CosineAnnealingLR(o, T_max=1),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "restarts_longer": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, eta_min=0.01),
    "lambda": lambda s, o: s.LambdaLR(o, lambda epoch: 1 / (epoch + 1)),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda epoch: epoch, Halving()]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95),
    "multiplicatives": lambda s, o: s.MultiplicativeLR(o, [Halving(0.99), lambda epoch: 0.9]),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=4),
    "cyclic_half": lambda s, o: s.CyclicLR(
        o, [0.01, 0.1], [0.1, 1.0], 4, 7, "triangular2", base_momentum=0.3
    ),
    "cyclic_exp": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 5, mode="exp_range", gamma=0.95, cycle_momentum=False
    ),
    "cyclic_own": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 5, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations"
    ),
    "cyclic_object": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 5, scale_fn=Halving()),
    "one_cycle": lambda s, o: s.OneCycleLR(o, 1.0, total_steps=50),
    "one_cycle_linear": lambda s, o: s.OneCycleLR(
        o, [1.0, 0.5], epochs=10, steps_per_epoch=5, anneal_strategy="linear", pct_start=0.5
    ),
    "one_cycle_three": lambda s, o: s.OneCycleLR(
        o, 1.0, 60, three_phase=True, div_factor=10.0, final_div_factor=100.0, max_momentum=0.9
    ),
    "sequential": sequence,
    "chained": lambda s, o: s.ChainedScheduler([s.ExponentialLR(o, 0.9), s.ConstantLR(o, 0.1, 9)]),
    "nested": nested,
}
RULES: dict[str, Made] = {
    "sgd": lambda module, groups: module.SGD(groups, lr=0.1, momentum=0.9),
    "adam": lambda module, groups: module.Adam(groups, lr=0.1),
}


def ours(rule: str = "sgd") -> Any:
    groups = [{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 1.0}]
    return RULES[rule](optim, groups)


def theirs(rule: str = "sgd") -> Any:
    torch = pytest.importorskip("torch")
    first, second = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    optimizer = RULES[rule](torch.optim, [{"params": [first]}, {"params": [second], "lr": 1.0}])
    return torch.optim.lr_scheduler, optimizer


def rates(optimizer: Any) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def momentums(optimizer: Any) -> list[float]:
    return [
        group["betas"][0] if "betas" in group else group["momentum"]
        for group in optimizer.param_groups
    ]


def assert_same(a: Any, b: Any) -> None:
    assert rates(a) == pytest.approx(rates(b), rel=1e-9, abs=1e-12)
    assert momentums(a) == pytest.approx(momentums(b), rel=1e-9, abs=1e-12)


@pytest.fixture(autouse=True)
def _quiet_torch() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(epoch parameter|lr_scheduler.step).*")
        yield


@pytest.mark.parity
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", SCHEDULES)
def test_fifty_steps(name: str, rule: str) -> None:
    module, b = theirs(rule)
    a = ours(rule)
    s, t = SCHEDULES[name](lr_scheduler, a), SCHEDULES[name](module, b)
    for _ in range(50):
        assert s.get_last_lr() == rates(a)
        assert_same(a, b)
        b.step()
        s.step()
        t.step()
    assert_same(a, b)


@pytest.mark.parity
@pytest.mark.parametrize("name", SCHEDULES)
def test_state_goes_on_here_and_in_pytorch(name: str) -> None:
    module, b = theirs()
    a, c = ours(), ours()
    s, t, u = (
        SCHEDULES[name](*each) for each in ((lr_scheduler, a), (module, b), (lr_scheduler, c))
    )
    for _ in range(5):
        s.step()
    state, groups = s.state_dict(), a.state_dict()["param_groups"]
    assert "optimizer" not in state
    t.load_state_dict(dict(state))
    b.load_state_dict({"state": {}, "param_groups": groups})
    for _ in range(4):
        b.step()
        s.step()
        t.step()
    assert_same(a, b)
    u.load_state_dict(t.state_dict())
    c.load_state_dict({"state": {}, "param_groups": b.state_dict()["param_groups"]})
    for _ in range(6):
        b.step()
        t.step()
        u.step()
    assert_same(c, b)


@pytest.mark.parity
@pytest.mark.parametrize("name", [
    name for name in SCHEDULES
    if not any(part in name for part in ("cycl", "sequential", "chained", "nested"))
])  # fmt: skip
def test_steps_to_any_epoch(name: str) -> None:
    module, b = theirs()
    a = ours()
    s, t = SCHEDULES[name](lr_scheduler, a), SCHEDULES[name](module, b)
    b.step()
    for epoch in (1, 2, 5, 11, 3, 30):
        s.step(epoch)
        t.step(epoch)
        assert_same(a, b)
    for part in (0.5, 3.25, 17.75) if name.startswith("restarts") else ():
        s.step(part)
        t.step(part)
        assert_same(a, b)


PLATEAUS: dict[str, dict[str, Any]] = {
    "default": {}, "patient": {"patience": 3, "cooldown": 2},
    "max": {"mode": "max", "patience": 2, "factor": 0.5},
    "abs": {"threshold_mode": "abs", "threshold": 0.1, "patience": 1},
    "max_abs": {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 1},
    "least": {"patience": 0, "min_lr": [0.01, 0.5], "factor": 0.7},
    "small": {"patience": 0, "eps": 0.05, "min_lr": 0.02},
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", PLATEAUS)
def test_plateau(name: str) -> None:
    module, b = theirs()
    a = ours()
    s = lr_scheduler.ReduceLROnPlateau(a, **PLATEAUS[name])
    t = module.ReduceLROnPlateau(b, **PLATEAUS[name])
    for epoch in range(50):
        metric = math.sin(epoch * 0.3) + 2 / (epoch + 1) if epoch != 9 else math.nan
        s.step(gc.tensor(metric, dtype=gc.float64))
        t.step(metric)
        assert rates(a) == pytest.approx(rates(b), rel=1e-12)
        assert s.get_last_lr() == rates(a)
        if epoch == 20:
            saved = s.state_dict()
            s = lr_scheduler.ReduceLROnPlateau(a)
            s.load_state_dict(saved)
            assert saved.keys() == t.state_dict().keys()
    assert (s.best, s.in_cooldown) == (t.best, t.in_cooldown)


def test_plateau_of_groups_that_were_added() -> None:
    optimizer = ours()
    free = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    fixed = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.0])
    optimizer.add_param_group({"params": [nn.Parameter([1.0])], "lr": 4.0})
    for _ in range(2):
        free.step(1.0)
    assert rates(optimizer) == [0.05, 0.5, 2.0]
    fixed.step(1.0)
    with pytest.raises(ArgumentError, match="min_lr"):
        fixed.step(1.0)


SWA: dict[str, dict[str, Any]] = {
    "cos": {"swa_lr": 0.05}, "line": {"swa_lr": 0.05, "anneal_strategy": "linear"},
    "at once": {"swa_lr": [0.05, 0.2], "anneal_epochs": 0},
    "short": {"swa_lr": 0.5, "anneal_epochs": 3},
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", SWA)
def test_averaging_rates(name: str) -> None:
    torch = pytest.importorskip("torch")
    _, b = theirs()
    a = ours()
    s = swa_utils.SWALR(a, **SWA[name])
    t = torch.optim.swa_utils.SWALR(b, **SWA[name])
    for _ in range(50):
        assert_same(a, b)
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


@pytest.mark.parametrize("name", SCHEDULES)
def test_state_survives_a_file(name: str, tmp_path: Any) -> None:
    optimizer, other = ours(), ours()
    schedule, again = (SCHEDULES[name](lr_scheduler, each) for each in (optimizer, other))
    for _ in range(5):
        schedule.step()
    gc.save({"s": schedule.state_dict(), "o": optimizer.state_dict()}, tmp_path / "file")
    loaded = gc.load(tmp_path / "file")
    other.load_state_dict(loaded["o"])
    again.load_state_dict(loaded["s"])
    for _ in range(9):
        schedule.step()
        again.step()
        assert rates(other) == rates(optimizer)
        assert momentums(other) == momentums(optimizer)


def test_functions_with_state_are_saved() -> None:
    schedule = lr_scheduler.LambdaLR(ours(), [Halving(0.3), lambda epoch: 1.0])
    state = schedule.state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.3}, None]
    own = Halving(0.7)
    lr_scheduler.LambdaLR(ours(), [own, lambda epoch: 1.0]).load_state_dict(state)
    assert own.rate == 0.3
    cycle = lr_scheduler.CyclicLR(ours(), 0.1, 0.2, 3, scale_fn=Halving(0.3))
    own = Halving(0.7)
    lr_scheduler.CyclicLR(ours(), 0.1, 0.2, 3, scale_fn=own).load_state_dict(cycle.state_dict())
    assert own.rate == 0.3


def test_a_rate_that_is_a_tensor_keeps_its_memory() -> None:
    rate = gc.tensor(0.5)
    optimizer = optim.SGD([nn.Parameter([1.0])], lr=rate)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert (rate.item(), schedule.get_last_lr()) == (0.25, [0.25])


def test_a_schedule_of_ones_own() -> None:
    class Own(lr_scheduler.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base / (self.last_epoch + 1) for base in self.base_lrs]

    optimizer = ours()
    schedule = Own(optimizer)
    schedule.step()
    assert rates(optimizer) == [0.05, 0.5]
    with pytest.raises(NotImplementedError, match="get_lr"):
        lr_scheduler.LRScheduler(optimizer)


def test_wrong_arguments_raise() -> None:
    o, s = ours(), lr_scheduler
    plain = optim.Adagrad([nn.Parameter([1.0])])
    plateau, part = s.ReduceLROnPlateau(o), s.StepLR(o, 2)
    for make in (
        lambda: s.ExponentialLR(o, 0.5, last_epoch=3) and s.ExponentialLR(ours(), 0.5, 3),
        lambda: s.StepLR([0.1], 3), lambda: s.LambdaLR(o, [lambda epoch: 1.0]),
        lambda: s.LambdaLR(o, 0.5), lambda: s.MultiplicativeLR(o, [0.5, 0.5]),
        lambda: s.ConstantLR(o, 1.5), lambda: s.LinearLR(o, 0.0), lambda: s.LinearLR(o, 1.0, 2.0),
        lambda: s.CosineAnnealingWarmRestarts(o, 0), lambda: s.CosineAnnealingWarmRestarts(o, 1, 0),
        lambda: s.CosineAnnealingWarmRestarts(o, 3).step(-1),
        lambda: s.CyclicLR(o, 0.1, 0.2, mode="square"), lambda: s.CyclicLR(o, [0.1], 0.2),
        lambda: s.CyclicLR(plain, 0.1, 0.2), lambda: s.OneCycleLR(plain, 0.1, 10),
        lambda: s.OneCycleLR(o, 0.1), lambda: s.OneCycleLR(o, 0.1, 0),
        lambda: s.OneCycleLR(o, 0.1, epochs=3), lambda: s.OneCycleLR(o, 0.1, 5, pct_start=1.5),
        lambda: s.OneCycleLR(o, 0.1, 5, anneal_strategy="sine"),
        lambda: [s.OneCycleLR(o, 0.1, 1).step() for _ in range(3)] and s.OneCycleLR(o, [1.0], 3),
        lambda: s.SequentialLR(o, [part], [1]), lambda: s.SequentialLR(o, [], []),
        lambda: s.SequentialLR(o, [part, plateau], [1]), lambda: s.SequentialLR(plain, [part], []),
        lambda: s.ChainedScheduler([]), lambda: s.ChainedScheduler([plateau]),
        lambda: s.ChainedScheduler([part], plain), lambda: s.ReduceLROnPlateau(o, "low"),
        lambda: s.ReduceLROnPlateau(o, factor=1.0), lambda: s.ReduceLROnPlateau(o, min_lr=[0.1]),
        lambda: s.ReduceLROnPlateau(o, threshold_mode="square"), lambda: s.ReduceLROnPlateau(3),
        lambda: swa_utils.SWALR(o, 0.1, -1), lambda: swa_utils.SWALR(o, 0.1, 1, "sine"),
    ):  # fmt: skip
        with pytest.raises(ArgumentError):
            make()


def test_more_steps_than_were_announced() -> None:
    schedule = lr_scheduler.OneCycleLR(ours(), 1.0, total_steps=2)
    schedule.step()
    schedule.step()
    with pytest.raises(ArgumentError, match="announced"):
        schedule.step()


@pytest.mark.parametrize("pct_start", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("total", [1, 2, 10])
def test_a_cycle_may_have_phases_without_steps(total: int, pct_start: float) -> None:
    optimizer = ours()
    schedule = lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=total, pct_start=pct_start)
    rates = [schedule.get_last_lr()[0]]
    for _ in range(total):
        schedule.step()
        rates.append(schedule.get_last_lr()[0])
    assert all(0 < rate <= 1 for rate in rates)
    if (total, pct_start) == (10, 0.1):  # the rise ends where it begins: at the top
        assert rates[0] == 1
        assert rates[9] == pytest.approx(1 / 25 / 1e4)


def test_steps_cannot_be_recorded() -> None:
    o = ours()
    parts = lr_scheduler.ExponentialLR(o, 0.5), lr_scheduler.StepLR(o, 2)
    restarts = lr_scheduler.CosineAnnealingWarmRestarts(o, 3)
    schedules = (
        *parts, restarts, lr_scheduler.ChainedScheduler(parts),
        lr_scheduler.SequentialLR(o, [*parts], [1]),
    )  # fmt: skip
    plateau = lr_scheduler.ReduceLROnPlateau(o)
    with gc.Graph():
        for schedule in schedules:
            with pytest.raises(RecordingError, match="after the compiled step"):
                schedule.step()
        with pytest.raises(RecordingError, match="after the compiled step"):
            plateau.step(1.0)
