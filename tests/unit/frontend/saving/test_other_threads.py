"""Saving while other threads train: whole steps in the file, or an error and the old file."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import graphc as gc
from graphc import nn
from graphc.errors import CheckpointError
from graphc.frontend.saving import save as saving
from graphc.runtime.sessions.locks import reading


@contextmanager
def running(step: Any) -> Iterator[None]:
    """Let another thread take steps, one after the other."""
    stop = threading.Event()

    def train() -> None:
        while not stop.is_set():
            step()

    thread = threading.Thread(target=train)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_checkpoint_has_whole_steps_of_compiled_programs(tmp_path: Path) -> None:
    large, small = nn.Parameter(gc.zeros(400, 500)), nn.Buffer(gc.zeros(()))

    @gc.compile
    def step() -> None:
        with gc.no_grad():
            large.add_(1)
            small.add_(1)

    step()
    with running(step):
        for _ in range(30):
            gc.save({"a": small, "parts": [(large,), {"t": large.t()}]}, tmp_path / "run")
            found = gc.load(tmp_path / "run")
            values = [found["a"], found["parts"][0][0].min(), found["parts"][0][0].max()]
            assert values[0] == values[1] == values[2]
            assert found["parts"][1]["t"].min() == found["parts"][1]["t"].max() == values[0]


def test_a_tensor_that_changes_anyway_is_an_error_and_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = gc.ones(3)
    gc.save({"weight": weight}, tmp_path / "run")
    write = saving.write

    def slow(*args: Any) -> None:
        write(*args)
        weight.add_(1)  # as a thread that trains op by op does

    monkeypatch.setattr(saving, "write", slow)
    with pytest.raises(CheckpointError, match="changed while it was saved") as caught:
        gc.save({"weight": weight}, tmp_path / "run")
    assert __file__ in str(caught.value)
    assert gc.load(tmp_path / "run")["weight"].tolist() == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    with pytest.raises(CheckpointError, match="changed while it was saved"):
        gc.save([weight], io.BytesIO())


def test_tensors_of_no_session_get_no_locks() -> None:
    """They would tie sessions together that have nothing in common."""
    model, other = nn.Linear(2, 2), nn.Linear(2, 2)
    run = gc.compile(lambda x: model.weight.detach().mul_(x))
    run(gc.tensor(2.0))
    versions = [each.weight.storage.version for each in (model, other)]
    assert len(reading(versions).groups) == 1
    assert not reading(versions[1:]).groups
    gc.save([model.state_dict(), other.state_dict()], io.BytesIO())
    assert not reading(versions[1:]).groups


def test_structures_that_are_no_trees_end(tmp_path: Path) -> None:
    shared = {"weight": gc.ones(2)}
    gc.save([shared, shared], tmp_path / "twice")
    assert gc.load(tmp_path / "twice")[1]["weight"].tolist() == [1, 1]
    endless: list[Any] = [gc.ones(1)]
    endless.append(endless)
    with pytest.raises(gc.errors.ArgumentError, match="contains itself"):
        gc.save(endless, tmp_path / "endless")
    assert [path.name for path in tmp_path.iterdir()] == ["twice"]
