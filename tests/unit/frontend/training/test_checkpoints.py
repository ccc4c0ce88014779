"""Which checkpoints are kept, and which one a run goes on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, ArgumentTypeError, CheckpointError
from graphc.training import Accuracy, Checkpoints, CheckpointWarning, EarlyStopping, TrainState


class Counter:
    """The smallest thing with a state."""

    def __init__(self) -> None:
        self.count = 0

    def state_dict(self) -> dict[str, int]:
        return {"count": self.count}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.count = state_dict["count"]


def counting(folder: Path, **options: Any) -> tuple[Counter, TrainState, Checkpoints]:
    counter = Counter()
    state = TrainState(counter=counter)
    return counter, state, Checkpoints(folder, state, **options)


def go(folder: Path, scores: list[Any], **options: Any) -> Checkpoints:
    counter, state, checkpoints = counting(folder, resume=True, **options)
    for score in scores:
        state.step += 1
        counter.count += 10
        checkpoints.save(score)
    return checkpoints


def steps(checkpoints: Checkpoints) -> list[int]:
    """The steps of the files that are there; the same as those that it names."""
    found = sorted(checkpoints.folder.glob("*.safetensors"))
    assert found == checkpoints.paths
    return [int(path.stem.split("-")[1]) for path in found]


@pytest.mark.parametrize(
    ("options", "scores", "kept", "best"),
    [
        ({}, [None] * 5, [4, 5], None),
        ({"keep_last": 1}, [None] * 5, [5], None),
        ({"keep_last": 4}, [None] * 3, [1, 2, 3], None),
        ({}, [3, 1, 2, 4, 5], [2, 4, 5], 2),
        ({"mode": "max"}, [3, 1, 2, 4, 0], [4, 5], 4),
        ({"keep_best": 2, "keep_last": 1}, [1, 2, 3, 4, 5], [1, 2, 5], 1),
        ({"keep_best": 0}, [1, 2, 3, 4], [3, 4], 3),
        ({}, [1, 1, 1, 1], [1, 3, 4], 1),
        ({}, [float("nan"), 2, float("nan"), float("nan")], [2, 3, 4], 2),
        ({}, [float("nan")] * 4, [3, 4], None),
        ({}, [2, -float("inf"), 3, 4], [2, 3, 4], 2),
        ({}, [np.float32(2), gc.tensor(1.0), None, 3], [2, 3, 4], 2),
    ],
)
def test_the_last_and_the_best_are_kept(
    options: dict[str, Any], scores: list[Any], kept: list[int], best: int | None, tmp_path: Path
) -> None:
    checkpoints = go(tmp_path, scores, **options)
    assert steps(checkpoints) == kept
    assert checkpoints.latest == checkpoints.paths[-1]
    found = checkpoints.best
    assert (found and int(found.stem.split("-")[1])) == best


def test_scores_are_known_after_going_on(tmp_path: Path) -> None:
    go(tmp_path, [3, 1, 2])
    checkpoints = go(tmp_path, [4, 5, 6])
    assert steps(checkpoints) == [2, 5, 6]
    assert checkpoints.best == tmp_path / "step-0000000002.safetensors"


def test_a_run_goes_on_from_the_newest(tmp_path: Path) -> None:
    counter, state, checkpoints = counting(tmp_path)
    assert checkpoints.resumed is checkpoints.latest is checkpoints.best is None
    state.step, state.epoch, counter.count = 7, 2, 5
    state.values = {"losses": [0.5, 0.25], "name": "a"}
    path = checkpoints.save()
    counter, state, checkpoints = counting(tmp_path, resume=True)
    assert checkpoints.resumed == path
    assert (state.step, state.epoch, counter.count) == (7, 2, 5)
    assert state.values == {"losses": [0.5, 0.25], "name": "a"}


def test_a_folder_of_another_run_is_not_taken_over_by_chance(tmp_path: Path) -> None:
    go(tmp_path, [None])
    with pytest.raises(CheckpointError, match="another run"):
        counting(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign"])
def test_a_damaged_newest_file_is_passed_over_with_a_warning(damage: str, tmp_path: Path) -> None:
    checkpoints = go(tmp_path, [3, 1, 2, 4, 5])
    newest = checkpoints.paths[-1]
    data = newest.read_bytes()
    newest.write_bytes(
        {"cut": data[:-1], "flip": data[:-9] + b"X" + data[-8:], "empty": b"", "foreign": b"PK"}[
            damage
        ]
    )
    with pytest.warns(CheckpointWarning, match="passed over") as noted:
        counter, state, checkpoints = counting(tmp_path, resume=True)
    assert noted[0].filename == __file__
    assert (state.step, counter.count) == (4, 40)
    assert [int(path.stem[5:]) for path in checkpoints.paths] == [2, 4]
    state.step = 5
    checkpoints.save(0.5)
    assert steps(checkpoints) == [4, 5]
    assert checkpoints.best == newest
    counting(tmp_path, resume=True)


@pytest.mark.parametrize("trouble", ["version", "rights"])
def test_a_newest_file_that_is_whole_is_never_passed_over(
    trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "version":
        monkeypatch.setattr("graphc.frontend.saving.save.VERSION", 2)
    newest = go(tmp_path, [1, 2]).paths[-1]
    if trouble == "rights":  # which the super-user always has
        newest.unlink()
        newest.mkdir()
    with pytest.raises(CheckpointError, match=r"version|cannot be read"):
        counting(tmp_path, resume=True)


def test_files_of_later_steps_are_not_removed(tmp_path: Path) -> None:
    checkpoints = go(tmp_path, [None] * 6, keep_last=3)
    for path in checkpoints.paths[1:]:
        path.write_bytes(b"")
    with pytest.warns(CheckpointWarning):
        _, state, checkpoints = counting(tmp_path, resume=True)
    checkpoints.save()
    assert len(list(tmp_path.iterdir())) == 3
    state.step = 7
    checkpoints.save()
    assert steps(checkpoints) == [4, 7]


def test_a_run_of_which_nothing_can_be_read_is_not_begun_anew(tmp_path: Path) -> None:
    for path in go(tmp_path, [1, 2]).paths:
        path.write_bytes(b"")
    with (
        pytest.warns(CheckpointWarning),
        pytest.raises(CheckpointError, match="none of the files"),
    ):
        counting(tmp_path, resume=True)


def test_other_files_are_left_alone_and_leftovers_removed(tmp_path: Path) -> None:
    for name in (
        "notes.txt",
        "step-x.safetensors",
        "step-1.safetensors.bak",
        "weights.safetensors",
    ):
        (tmp_path / name).write_text("mine")
    leftover = tmp_path / ".step-0000000003.safetensors.123.abcd.tmp"
    leftover.touch()
    checkpoints = go(tmp_path, [1, 2, 3, 4])
    assert not leftover.exists()
    assert len(list(tmp_path.iterdir())) == 4 + len(checkpoints.paths)


def test_the_same_step_may_be_saved_again(tmp_path: Path) -> None:
    counter, _, checkpoints = counting(tmp_path)
    for counter.count in (1, 2):
        checkpoints.save()
    assert steps(checkpoints) == [0]
    counter.count = 3
    checkpoints.load()
    assert counter.count == 2


def test_steps_that_go_backward_are_refused(tmp_path: Path) -> None:
    _, state, checkpoints = counting(tmp_path)
    state.step = 2
    checkpoints.save()
    state.step = 1
    with pytest.raises(ArgumentError, match="upward"):
        checkpoints.save()
    assert steps(checkpoints) == [2]


def test_a_save_that_fails_changes_nothing(tmp_path: Path) -> None:
    _, state, checkpoints = counting(tmp_path, keep_last=1)
    checkpoints.save()
    state.step, state.values = 1, {"bad": object()}
    with pytest.raises(ArgumentError, match=r"training\.values\.bad"):
        checkpoints.save(1.0)
    assert steps(checkpoints) == [0]
    assert checkpoints.best is None


def test_the_best_weights_can_be_loaded_at_the_end(tmp_path: Path) -> None:
    counter, state, checkpoints = counting(tmp_path)
    for score in (2, 1, 3, 4):
        state.step += 1
        counter.count = score
        checkpoints.save(score)
    checkpoints.load(checkpoints.best)
    assert counter.count == 1
    assert gc.load(checkpoints.paths[0])["counter"] == {"count": 1}


def test_loading_before_saving(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nothing was saved"):
        counting(tmp_path)[2].load()


@pytest.mark.parametrize("options", [{"keep_last": 0}, {"keep_best": -1}, {"mode": "best"}])
def test_wrong_options(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError):
        counting(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("part", [1, None, {}, nn.Linear, object(), lambda: 1])
def test_parts_need_a_state(part: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="model has no state"):
        TrainState(model=part)


def test_other_parts_or_no_run_at_all(tmp_path: Path) -> None:
    path = go(tmp_path, [None]).paths[0]
    with pytest.raises(CheckpointError, match="other parts") as raised:
        TrainState(model=nn.Identity(), counter=Counter()).load_state_dict(gc.load(path))
    assert "counter, model" in str(raised.value)
    with pytest.raises(CheckpointError, match="not the state of a training run"):
        TrainState().load_state_dict({"model": {}})
    with pytest.raises(ArgumentTypeError, match="training"):
        TrainState(training=Counter())


def test_a_model_that_does_not_fit_is_an_error_not_a_damage(tmp_path: Path) -> None:
    Checkpoints(tmp_path, TrainState(model=nn.Linear(2, 3))).save()
    with pytest.raises(CheckpointError, match="size mismatch"):
        Checkpoints(tmp_path, TrainState(model=nn.Linear(2, 4)), resume=True)


@pytest.mark.parametrize("dtype", [gc.float32, gc.float16])
def test_a_run_does_not_go_on_with_another_dtype(dtype: gc.DType, tmp_path: Path) -> None:
    """A module by itself converts what it loads; as a run, it would go on as another one."""
    Checkpoints(tmp_path, TrainState(count=Counter(), net=nn.Linear(2, 3).double())).save()
    count, net = Counter(), nn.Linear(2, 3).to(dtype)
    count.count, before = 5, net.weight.tolist()
    with pytest.raises(CheckpointError, match=r"net\.weight has another dtype") as raised:
        Checkpoints(tmp_path, TrainState(count=count, net=net), resume=True)
    assert f"got: float64\n  expected: {dtype.name}" in str(raised.value)
    assert (count.count, net.weight.tolist()) == (5, before)  # nothing is taken over in part
    Checkpoints(tmp_path, TrainState(count=count, net=net.double()), resume=True)
    assert (count.count, net.weight.dtype) == (0, gc.float64)


def test_all_kinds_of_parts(tmp_path: Path) -> None:
    def make() -> TrainState:
        model = nn.Linear(2, 2)
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return TrainState(
            model=model, optimizer=optimizer, accuracy=Accuracy(), stopping=EarlyStopping(),
            schedule=optim.lr_scheduler.ReduceLROnPlateau(optimizer), noise=gc.Generator(),
        )  # fmt: skip

    first, second = make(), make()
    first.parts["accuracy"].update(gc.tensor([1, 0]), gc.tensor([1, 1]))
    first.parts["stopping"].update(0.5)
    first.parts["noise"].manual_seed(3)
    gc.save(first.state_dict(), tmp_path / "c")
    numbers = [gc.rand(2).tolist(), np.random.rand()]  # noqa: NPY002 - global, as scripts use it
    second.load_state_dict(gc.load(tmp_path / "c"))
    assert numbers == [gc.rand(2).tolist(), np.random.rand()]  # noqa: NPY002 - as above
    assert second.parts["accuracy"].compute() == 0.5
    assert second.parts["stopping"].best == 0.5
    assert second.parts["noise"].initial_seed() == 3
    assert second.parts["model"].weight.tolist() == first.parts["model"].weight.tolist()
