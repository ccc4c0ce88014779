"""What is logged is what TensorBoard's own reader finds, and what PyTorch's writer writes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, DependencyError, SymbolicValueError
from graphc.utils.tensorboard import SummaryWriter
from tests.test_names import absent
from tests.torch_oracle import torch


def events(folder: Path) -> list[Any]:
    """All events in a folder, without the first one of each file, which says its version."""
    loader = import_module("tensorboard.backend.event_processing.event_file_loader")
    found = []
    for path in sorted(folder.rglob("events*")):
        found += [*loader.LegacyEventFileLoader(str(path)).Load()][1:]
    return found


def written(folder: Path, write: Callable[[SummaryWriter], Any]) -> Any:
    """The one value of the one event that this writes."""
    with SummaryWriter(folder) as writer:
        write(writer)
    (event,) = events(folder)
    (value,) = event.summary.value
    return value


@pytest.mark.parametrize(
    "number", [0.5, 1, np.float32(0.5), gc.tensor(2.0), gc.tensor([[3]]), gc.tensor(1.5).bfloat16()]
)
def test_numbers(number: Any, tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("train/loss", number, 7, walltime=12.5)
    (event,) = events(tmp_path)
    assert (event.step, event.wall_time) == (7, 12.5)
    (value,) = event.summary.value
    assert (value.tag, value.simple_value) == ("train/loss", float(number))


def test_what_is_no_number(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.raises(ArgumentError, match="one number"):
        writer.add_scalar("loss", gc.ones(2))
    with gc.Graph(), SummaryWriter(tmp_path) as writer, pytest.raises(SymbolicValueError):
        writer.add_scalar("loss", gc.placeholder(()))


def test_several_curves_are_several_runs(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("part/loss", {"train": 1.0, "test": gc.tensor(2.0)}, 3)
    found = {}
    for folder in ("part_loss_train", "part_loss_test"):
        (event,) = events(tmp_path / folder)
        found[folder] = (
            event.step,
            event.summary.value[0].tag,
            event.summary.value[0].simple_value,
        )
    assert found == {
        "part_loss_train": (3, "part/loss", 1.0), "part_loss_test": (3, "part/loss", 2.0),
    }  # fmt: skip


def test_histograms_hold_every_finite_number(tmp_path: Path, rng: np.random.Generator) -> None:
    numbers = rng.standard_normal(500) * 10.0 ** rng.integers(-9, 9, 500)
    given = np.concatenate([numbers, [np.nan, np.inf, 0.0]])
    value = written(tmp_path, lambda writer: writer.add_histogram("w", gc.tensor(given)))
    histogram = value.histo
    assert histogram.num == 501
    assert (histogram.min, histogram.max) == (numbers.min(), numbers.max())
    assert histogram.sum == pytest.approx(numbers.sum())
    assert len(histogram.bucket) == len(histogram.bucket_limit)
    limits = np.array(histogram.bucket_limit)
    finite = np.append(numbers, 0.0)
    for count, low, high in zip(histogram.bucket[1:], limits[:-1], limits[1:], strict=True):
        assert count == ((finite >= low) & (finite < high)).sum()
    assert sum(histogram.bucket) == 501


def test_nothing_finite(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.raises(ArgumentError, match="no finite"):
        writer.add_histogram("w", gc.full((3,), float("nan")))


def test_images(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (4, 5, 3)).astype(np.uint8)
    value = written(
        tmp_path, lambda writer: writer.add_image("i", gc.tensor(pixels.transpose(2, 0, 1)))
    )
    assert (value.image.height, value.image.width, value.image.colorspace) == (4, 5, 3)
    image = import_module("PIL.Image").open(io.BytesIO(value.image.encoded_image_string))
    np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(
    ("shape", "form"), [((2, 3), "CHW"), ((3, 2, 2), "HWC"), ((2, 2, 2), "XYZ"), ((3, 3, 3), "CHH")]
)
def test_wrong_images(shape: tuple[int, ...], form: str, tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.raises(ArgumentError, match="'i'"):
        writer.add_image("i", gc.zeros(shape), dataformats=form)


def test_a_writer_that_was_closed_begins_a_new_file(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, filename_suffix=".a")
    writer.add_scalar("x", 1)
    writer.flush()
    assert len(events(tmp_path)) == 1
    writer.close()
    writer.add_scalar("x", 2)
    writer.close()
    assert len(events(tmp_path)) == 2
    assert writer.get_logdir() == str(tmp_path)


def test_the_folder_has_the_time_and_the_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="-lr0.1") as writer:
        assert writer.log_dir.startswith("runs/")
        assert writer.log_dir.endswith("-lr0.1")
    assert Path(writer.log_dir).is_dir()


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(DependencyError, match="not installed") as raised:
        SummaryWriter(tmp_path)
    assert "graphc[tensorboard]" in str(raised.value)


WEIGHTS = np.linspace(-3, 5, 97).astype(np.float32) ** 3

CALLS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("scalar", lambda w, of: w.add_scalar("a/b", of(np.float32(0.1)), 3, 2.0)),
    ("scalars", lambda w, of: w.add_scalars("a/b", {"x": of(np.array([1.0])), "y": 2}, 3, 2.0)),
    ("histogram", lambda w, of: w.add_histogram("h", of(WEIGHTS), 4, walltime=2.0)),
    ("one value", lambda w, of: w.add_histogram("h", of(np.zeros(3)), 4, walltime=2.0)),
    ("positive", lambda w, of: w.add_histogram("h", of(np.ones(3)), 4, walltime=2.0)),
    ("whole numbers", lambda w, of: w.add_histogram("h", of(np.arange(9)), 4, "auto", 2.0)),
    ("own bins", lambda w, of: w.add_histogram("h", of(WEIGHTS), 4, [-1, 0, 9, 20.0], 2.0)),
    ("text", lambda w, of: w.add_text("t", "**bold** \u2713", 5, 2.0)),
    ("image", lambda w, of: w.add_image("i", of(np.linspace(0, 1, 24).reshape(3, 2, 4)), 6, 2.0)),
    ("grey", lambda w, of: w.add_image("i", of(np.eye(5)), 6, 2.0, "HW")),
    ("rows first", lambda w, of: w.add_image("i", of(np.ones((4, 2, 1))), 6, 2.0, "HWC")),
    ("bytes", lambda w, of: w.add_image("i", of(np.full((3, 2, 2), 7, np.uint8)), 6, 2.0)),
]


@pytest.mark.parity
@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_pytorch_writes_the_same(
    name: str, call: Callable[[Any, Any], Any], tmp_path: Path
) -> None:
    theirs_of = torch().from_numpy
    theirs = import_module("torch.utils.tensorboard").SummaryWriter(tmp_path / "theirs")
    call(theirs, lambda array: theirs_of(np.asarray(array)))
    theirs.close()
    with SummaryWriter(tmp_path / "ours") as ours:
        call(ours, lambda array: gc.from_numpy(np.asarray(array)))
    found, expected = (events(tmp_path / folder) for folder in ("ours", "theirs"))
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        if name in ("image", "grey", "rows first", "bytes"):
            _same_pixels(one.summary.value[0].image, other.summary.value[0].image)
        assert one.SerializeToString() == other.SerializeToString()


def _same_pixels(one: Any, other: Any) -> None:
    """PNG may be compressed in several ways; grey images have three channels in PyTorch."""
    shapes = []
    for image in (one, other):
        opened = import_module("PIL.Image").open(io.BytesIO(image.encoded_image_string))
        shapes.append(np.asarray(opened.convert("RGB")))
        image.ClearField("encoded_image_string")
        image.ClearField("colorspace")
    np.testing.assert_array_equal(*shapes)


@pytest.mark.parity
def test_the_methods_of_pytorch_s_writer_are_there_or_explained() -> None:
    torch()
    theirs = import_module("torch.utils.tensorboard").SummaryWriter
    missing = {name for name in dir(theirs) if name[0] != "_" and not hasattr(SummaryWriter, name)}
    assert missing == set(absent("torch.utils.tensorboard.SummaryWriter"))


@pytest.mark.parity
def test_a_run_that_goes_on_hides_what_was_written_later(tmp_path: Path) -> None:
    torch()
    theirs = import_module("torch.utils.tensorboard").SummaryWriter(
        tmp_path / "theirs", purge_step=5
    )
    theirs.close()
    SummaryWriter(tmp_path / "ours", purge_step=5).close()
    found, expected = (events(tmp_path / folder) for folder in ("ours", "theirs"))
    for event in (*found, *expected):
        event.ClearField("wall_time")
    assert found == expected
    assert len(found) == 2


def test_a_model_s_weights_and_gradients(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    model(gc.ones(4, 3)).sum().backward()
    with SummaryWriter(tmp_path) as writer:
        for name, parameter in model.named_parameters():
            writer.add_histogram(name, parameter, 1)
            writer.add_histogram(f"{name}.grad", parameter.grad, 1)
    tags = [event.summary.value[0].tag for event in events(tmp_path)]
    assert tags == ["weight", "weight.grad", "bias", "bias.grad"]
