"""Train in processes that are killed again and again; run as a script, it prints what happened.

One process imports and compiles everything once and forks a child for each try, which is how 50 of
them fit into a few seconds. The child goes on from the newest checkpoint, saves after every step,
and says what it is about to do by bytes in a pipe. The parent waits for some number of these, then
for a random moment longer, and kills it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.training import Checkpoints, EarlyStopping, Mean, TrainState
from graphc.utils.data import DataLoader, TensorDataset

STARTED, STEPPED, SAVING, SAVED, DONE = b"r", b"t", b"s", b"d", b"."
NEVER = 10**9


@dataclass(frozen=True)
class Way:
    """How the training runs."""

    compiled: bool
    workers: int


@dataclass
class Outcome:
    """What happened: how many processes were killed, and how many of them while they saved."""

    kills: int = 0
    while_saving: int = 0
    leftovers: int = 0
    steps: int = 0


def train(
    folder: Path, steps: int, way: Way, save_each: bool, tell: Callable[[bytes], Any]
) -> None:
    """One process: from the newest checkpoint to the end."""
    gc.manual_seed(1)
    random.seed(2)
    np.random.seed(3)  # noqa: NPY002 - the global generator is what is tested
    data = TensorDataset(gc.randn(40, 6), gc.randint(0, 3, (40,)))
    model = nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)
    )
    average = optim.swa_utils.AveragedModel(model)
    optimizer = optim.AdamW(model.parameters(), lr=0.05, amsgrad=True)
    schedule = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=7, T_mult=2)
    loader = DataLoader(data, batch_size=8, shuffle=True, num_workers=way.workers)
    loss_mean, stopping = Mean(), EarlyStopping(patience=10**9)
    noise = gc.Generator().manual_seed(4)
    state = TrainState(
        model=model, average=average, optimizer=optimizer, schedule=schedule, loader=loader,
        loss_mean=loss_mean, stopping=stopping, noise=noise,
    )  # fmt: skip
    state.values["losses"] = []
    checkpoints = Checkpoints(folder, state, keep_last=2, keep_best=1, resume=True)
    tell(STARTED)

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x + 0.1 * gc.randn(8, 6, generator=noise)), y)
        loss.backward()
        optimizer.step()
        average.update_parameters(model)
        loss_mean.update(loss)
        return loss

    run = gc.compile(step) if way.compiled else step
    while state.step < steps:
        for x, y in loader:
            shift = random.random() + np.random.random()  # noqa: NPY002 - as above
            loss = run(x + 0.01 * shift, y).item()
            schedule.step()
            state.step += 1
            state.values["losses"].append(loss)
            stopping.update(loss)
            tell(STEPPED)
            if save_each or state.step == steps:
                tell(SAVING)
                checkpoints.save(score=loss)
                tell(SAVED)
            if state.step == steps:
                break
        else:
            state.epoch += 1
            loss_mean.reset()
    tell(DONE)


def killed_often(folder: Path, way: Way, kills: int, seed: int) -> Outcome:
    """Kill that many processes, then let one go on for a while and end."""
    chance = random.Random(seed)
    outcome = Outcome()
    for _ in range(kills):
        events = chance.choice([0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 10])  # after 3 and 6 it saves
        delay = chance.choice([0.0, chance.uniform(0, 0.004)])
        told = _try(folder, NEVER, way, wait=events, delay=delay)
        outcome.kills += 1
        outcome.while_saving += told.endswith(SAVING)
        outcome.leftovers += any(path.suffix == ".tmp" for path in folder.glob(".*"))
    outcome.steps = 5 + max(int(path.stem.split("-")[1]) for path in folder.glob("step-*"))
    _try(folder, outcome.steps, way)
    return outcome


def _try(
    folder: Path, steps: int, way: Way, save_each: bool = True, wait: int | None = None,
    delay: float = 0.0,
) -> bytes:  # fmt: skip
    """Train in a child, and kill it after some events if told to; what it told."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            train(folder, steps, way, save_each, lambda event: os.write(writer, event))
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    told = b""
    while wait is None or len(told) < wait:
        event = os.read(reader, 1)
        if not event:
            break
        told += event
    if wait is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    while event := os.read(reader, 4096):
        told += event
    os.close(reader)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != (0 if wait is None else -signal.SIGKILL):
        raise SystemExit(f"the training ended with {code} after {told!r}")
    return told


def main() -> None:
    """Train with kills, then once in peace to the same number of steps."""
    folder, compiled, workers, kills, seed = json.loads(sys.argv[1])
    way = Way(compiled, workers)
    train(Path(folder, "first"), 2, way, False, lambda event: None)  # children find it compiled
    outcome = killed_often(Path(folder, "killed"), way, kills, seed)
    _try(Path(folder, "calm"), outcome.steps, way, save_each=False)
    sys.stdout.write(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
