"""States of optimizers, schedules and modules come back from a file and go on bit for bit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.frontend.saving.load import load
from graphc.frontend.saving.save import save
from graphc.optim import lr_scheduler, swa_utils
from tests.unit.frontend.optim.test_lr_scheduler import SCHEDULES
from tests.unit.frontend.saving.values import bits, same

OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {"betas": (0.8, 0.9)}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adagrad", {}),
    ("Adadelta", {}),
    ("Adamax", {}),
    ("NAdam", {"decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("ASGD", {}),
    ("Rprop", {}),
    ("Adafactor", {}),
    ("Muon", {}),
    ("LBFGS", {"max_iter": 4}),
    ("LBFGS", {"max_iter": 3, "line_search_fn": "strong_wolfe", "history_size": 3}),
]


def make(kind: str, options: dict[str, Any], dtype: gc.DType) -> tuple[Any, Any, Any]:
    starts = [np.linspace(-1, 1, 6).reshape(2, 3), np.linspace(1, 2, 12).reshape(3, 4)]
    params = [nn.Parameter(gc.tensor(start, dtype=dtype)) for start in starts]
    optimizer = getattr(optim, kind)(params, lr=0.1, **options)

    def closure() -> gc.Tensor:
        optimizer.zero_grad()
        loss = ((params[0] @ params[1] - 0.5) ** 2).sum()
        loss.backward()
        return loss

    return params, optimizer, closure


@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_optimizers(kind: str, options: dict[str, Any], dtype: gc.DType, tmp_path: Path) -> None:
    params, optimizer, closure = make(kind, options, dtype)
    for _ in range(4):
        optimizer.step(closure)
    state = optimizer.state_dict()
    save({"params": params, "optimizer": state}, tmp_path / "c")
    found = load(tmp_path / "c")
    assert same(found["optimizer"], state)
    others, other, other_closure = make(kind, options, dtype)
    for param, value in zip(others, found["params"], strict=True):
        param.data.copy_(value)
    other.load_state_dict(found["optimizer"])
    for _ in range(4):
        loss, again = optimizer.step(closure), other.step(other_closure)
        assert bits(loss) == bits(again)
    assert list(map(bits, params)) == list(map(bits, others))


def pair(name: str) -> tuple[Any, Any]:
    groups = [{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 1.0}]
    optimizer = optim.SGD(groups, lr=0.1, momentum=0.9)
    return optimizer, SCHEDULES[name](lr_scheduler, optimizer)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str, tmp_path: Path) -> None:
    def rates(optimizer: Any, schedule: Any, count: int) -> list[Any]:
        found = []
        for _ in range(count):
            schedule.step()
            found.append([(g["lr"], g["momentum"]) for g in optimizer.param_groups])
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer, schedule = pair(name)
        for count in (0, 6, 13):
            rates(optimizer, schedule, count)
            state = [optimizer.state_dict(), schedule.state_dict()]
            save(state, tmp_path / "c")
            other, again = pair(name)
            found = load(tmp_path / "c")
            assert same(found, state)
            other.load_state_dict(found[0])
            again.load_state_dict(found[1])
            assert rates(other, again, 20) == rates(optimizer, schedule, 20)
            if name.startswith("one_cycle"):
                break  # it has an end


def test_plateaus_and_averages(tmp_path: Path) -> None:
    def build() -> tuple[Any, Any, Any, Any]:
        model = nn.Linear(2, 1)
        optimizer = optim.SGD(model.parameters(), lr=1.0)
        plateau = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, mode="max")
        return model, optimizer, plateau, swa_utils.AveragedModel(model)

    model, optimizer, plateau, average = build()
    for score in (1.0, 0.5, 0.25, float("-inf")):
        plateau.step(score)
        average.update_parameters(model)
        nn.init.normal_(model.weight)
    names = ("model", "optimizer", "plateau", "average")
    parts = dict(zip(names, (model, optimizer, plateau, average), strict=True))
    save({name: part.state_dict() for name, part in parts.items()}, tmp_path / "c")
    others = dict(zip(names, build(), strict=True))
    for name, state in load(tmp_path / "c").items():
        others[name].load_state_dict(state)
    for name, part in parts.items():
        assert same(others[name].state_dict(), part.state_dict()), name
    for each in (plateau, others["plateau"]):
        each.step(0.1)
        each.step(0.1)
    assert others["optimizer"].param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    assert others["average"].n_averaged.item() == 4


def test_partial_loading_reports_what_is_missing_and_unexpected(tmp_path: Path) -> None:
    old = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    save(old.state_dict(), tmp_path / "c")
    new = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2, bias=False), nn.Linear(2, 1))
    report = new.load_state_dict(load(tmp_path / "c"), strict=False)
    assert report.missing_keys == ["3.weight", "3.bias"]
    assert report.unexpected_keys == ["2.bias"]
    assert bits(new[0].weight) == bits(old[0].weight)
    with pytest.raises(RuntimeError):
        new.load_state_dict(load(tmp_path / "c"))
