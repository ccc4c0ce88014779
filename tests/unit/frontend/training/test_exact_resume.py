"""A run that is stopped and goes on ends bit for bit where an uninterrupted one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.frontend.saving.load import load
from graphc.training import Checkpoints, Mean, TrainState
from graphc.utils.data import DataLoader, TensorDataset
from tests import killed_training
from tests.unit.frontend.saving.values import same


def content(folder: Path, step: int) -> Any:
    """What a checkpoint has of the run; which other files were kept is another matter."""
    found = load(folder / f"step-{step:010d}.safetensors")
    del found["training"]["kept"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compiled", "workers", "kills"), [(False, 0, 50), (True, 0, 50), (True, 2, 20)],
    ids=["dynamic", "compiled", "loader with workers"],
)  # fmt: skip
def test_a_process_that_is_killed_again_and_again(
    compiled: bool, workers: int, kills: int, tmp_path: Path
) -> None:
    job = json.dumps([str(tmp_path), compiled, workers, kills, 1 + compiled])
    done = subprocess.run(
        [sys.executable, killed_training.__file__, job], capture_output=True, text=True,
        timeout=240, env={**os.environ, "GRAPHC_CHECK": "0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["kills"] == kills
    assert outcome["while_saving"] >= kills / 5, outcome
    step = outcome["steps"]
    killed, calm = content(tmp_path / "killed", step), content(tmp_path / "calm", step)
    assert calm["training"]["step"] == step
    assert len(calm["training"]["values"]["losses"]) == step
    assert same(killed, calm)
    names = sorted(path.name for path in (tmp_path / "killed").iterdir())
    assert f"step-{step:010d}.safetensors" in names
    assert len(names) in (2, 3), "the last two and the best, and nothing half written"


@pytest.mark.parametrize("kind", ["Adam", "SGD", "Adagrad", "NAdam", "Adafactor", "Muon", "Rprop"])
@pytest.mark.parametrize("compiled", [False, True], ids=["dynamic", "compiled"])
def test_every_step_of_a_run_can_be_the_last_before_a_stop(
    kind: str, compiled: bool, tmp_path: Path
) -> None:
    steps = 7

    def run(stops: list[int], folder: Path) -> Any:
        for stop in stops:
            gc.manual_seed(5)
            model = nn.Sequential(nn.Linear(3, 4, bias=kind != "Muon"), nn.Dropout(0.5))
            optimizer = getattr(optim, kind)(model.parameters(), lr=0.1)
            schedule = optim.lr_scheduler.MultiStepLR(optimizer, [2, 2, 5], gamma=0.5)
            loader = DataLoader(TensorDataset(gc.randn(6, 3)), batch_size=2, shuffle=True)
            state = TrainState(model=model, optimizer=optimizer, schedule=schedule, loader=loader)
            checkpoints = Checkpoints(folder, state, resume=True)

            def step(x: gc.Tensor, model: Any = model, optimizer: Any = optimizer) -> gc.Tensor:
                optimizer.zero_grad()
                loss = F.mse_loss(model(x), x.sum(1, keepdim=True).expand(-1, 4))
                loss.backward()
                optimizer.step()
                return loss

            call = gc.compile(step) if compiled else step
            while state.step < stop:
                for (x,) in loader:
                    state.values["loss"] = call(x).item()
                    schedule.step()
                    state.step += 1
                    if state.step == stop:
                        break
            checkpoints.save()
        return content(folder, steps)

    expected = run([steps], tmp_path / "calm")
    for stop in range(1, steps):
        assert same(run([stop, steps], tmp_path / f"at{stop}"), expected), stop
    assert same(run(list(range(1, steps + 1)), tmp_path / "each"), expected)


@pytest.mark.parametrize("compiled", [False, True], ids=["dynamic", "compiled"])
def test_going_back_within_one_process_repeats_what_followed(
    compiled: bool, tmp_path: Path
) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    optimizer = optim.RAdam(model.parameters(), lr=0.1)
    mean = Mean()
    loader = DataLoader(TensorDataset(gc.randn(12, 3)), batch_size=4, shuffle=True)
    state = TrainState(model=model, optimizer=optimizer, loader=loader, mean=mean)
    checkpoints = Checkpoints(tmp_path, state, keep_last=9)

    def step(x: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        mean.update(loss)
        return loss

    call = gc.compile(step) if compiled else step

    found: list[tuple[float, float]] = []
    for back in (0, 4, 7, 1):
        if back:
            checkpoints.load(tmp_path / f"step-{back:010d}.safetensors")
        while state.step < 9:
            for (x,) in loader:
                loss = call(x).item()
                here = (loss, mean.compute())
                state.step += 1
                if back:
                    assert here == found[state.step - 1]
                else:
                    found.append(here)
                    checkpoints.save()
    assert len(found) == len(set(found)) == 9
