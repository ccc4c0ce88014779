"""The example scripts: one curve dynamically and compiled, and after a stop; pictures; options."""

import importlib.util
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image

import graphc as gc
from graphc.errors import CheckpointError
from graphc.training import Checkpoints, TrainState
from tests.sources import ROOT

EXAMPLES = ROOT / "examples"


def idx_file(array: np.ndarray) -> bytes:
    """An array of bytes in MNIST's format."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def digits(folder: Path, kind: str = "t10k", count: int = 40) -> Path:
    """A folder with images and labels as those of MNIST."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, count, np.uint8)
    images = random.integers(0, 25, (count, 28, 28), np.uint8) * (labels[:, None, None] + 1)
    (folder / f"{kind}-images-idx3-ubyte").write_bytes(idx_file(images.astype(np.uint8)))
    (folder / f"{kind}-labels-idx1-ubyte").write_bytes(idx_file(labels))
    return folder


def photos(folder: Path) -> Path:
    """A folder with images of two classes, of various sizes."""
    random = np.random.default_rng(0)
    for name, color in (("blue", (0, 0, 200)), ("red", (200, 0, 0))):
        (folder / name).mkdir()
        for number in range(10):
            height, width = random.integers(20, 50, 2)
            pixels = random.integers(0, 50, (height, width, 3), np.uint8) + np.array(
                color, np.uint8
            )
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def text(folder: Path) -> Path:
    path = folder / "text.txt"
    path.write_text("she sells sea shells by the sea shore; " * 10)
    return path


def nothing(folder: Path) -> None:
    return None


SMALL: dict[str, tuple[Callable[[Path], Path | None], str]] = {
    "lenet_mnist": (digits, "--batch 8"),
    "lstm_brackets": (nothing, "--texts 40 --length 12 --far 4 --width 8 --batch 8"),
    "char_gpt": (text, "--context 8 --width 16 --heads 2 --layers 1 --batch 8 --sample 5"),
    "resnet_images": (nothing, "--drawings 40 --width 4 --batch 8"),
}


class Example:
    """A script with settings that take a second."""

    def __init__(self, name: str, folder: Path, data: Path | None = None) -> None:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        self.module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        make, options = SMALL[name]
        data = data or make(folder)
        self.options = [*([str(data)] if data else []), *options.split(), "--epochs", "2"]

    def run(self, *options: str | Path) -> TrainState:
        state = self.module.main([*self.options, *map(str, options)])
        assert isinstance(state, TrainState)
        return state


@pytest.fixture(params=SMALL)
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Example:
    return Example(request.param, tmp_path)


class StopsAfterSaving(Checkpoints):
    """A run that is interrupted once it has saved."""

    def save(self, score: Any = None) -> Path:
        super().save(score)
        raise KeyboardInterrupt


def test_a_curve_is_the_same_op_by_op_and_after_a_stop(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matplotlib.use("agg")
    picture, kept, stopped = (tmp_path / name for name in ("curves.png", "kept", "stopped"))
    whole = example.run("--checkpoints", kept, "--plot", picture)
    assert min(whole.values["losses"]) < whole.values["losses"][0]
    assert picture.read_bytes().startswith(b"\x89PNG")

    dynamic = example.run("--dynamic")
    assert dynamic.values.keys() == whole.values.keys()
    for name, curve in whole.values.items():
        assert len(curve) >= 2
        np.testing.assert_allclose(curve, dynamic.values[name], rtol=1e-3, err_msg=name)

    with monkeypatch.context() as patch:
        patch.setattr(example.module, "Checkpoints", StopsAfterSaving)
        with pytest.raises(KeyboardInterrupt):
            example.run("--checkpoints", stopped)
    with pytest.raises(CheckpointError, match="has another dtype"):
        example.run("--checkpoints", stopped, "--resume", "--double")
    for _ in range(2):  # the second time nothing is left to do
        resumed = example.run("--checkpoints", stopped, "--resume")
        assert (resumed.values, resumed.step) == (whole.values, whole.step)
    (last,) = {max(folder.glob("*.safetensors")).name for folder in (kept, stopped)}
    first, second = (gc.load(folder / last)["model"] for folder in (kept, stopped))
    for name, value in first.items():
        assert value.numpy().tobytes() == second[name].numpy().tobytes(), name


def test_in_float64_only_the_last_bits_of_a_curve_differ(example: Example) -> None:
    """What float32 hides: a constant of too few digits, or a rule that is only nearly the same."""
    options = ["--double", "--epochs", "8"]
    compiled, dynamic = example.run(*options), example.run(*options, "--dynamic")
    assert compiled.step == dynamic.step > 30
    for run in (compiled, dynamic):
        assert {p.dtype for p in run.parts["model"].parameters()} == {gc.float64}
    for name, curve in compiled.values.items():
        np.testing.assert_allclose(curve, dynamic.values[name], rtol=1e-12, err_msg=name)


def test_resuming_needs_checkpoints(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        example.run("--resume")
    assert "--resume needs --checkpoints" in capsys.readouterr().err


def test_a_picture_needs_matplotlib_before_the_training(
    example: Example, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match="2"):
        example.run("--plot", "curves.png")
    output = capsys.readouterr()
    assert "--plot needs matplotlib: pip install 'graphc[plots]'" in output.err
    assert not output.out


def test_every_script_is_tested() -> None:
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    assert scripts == {*SMALL, "spirals"}


def test_the_page_runs_scripts_with_options_that_they_have(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "examples.md").read_text()
    commands = re.findall(r"^\$ python examples/(\w+)\.py(.*)$", page, re.MULTILINE)
    assert {script for script, _ in commands} == set(SMALL)
    for number, (script, options) in enumerate(commands):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert Example(script, folder).module.parse(options.split()).epochs > 0


def test_lenet_learns_the_training_images_where_they_are(tmp_path: Path) -> None:
    data = digits(digits(tmp_path, count=10), "train", 24)
    assert Example("lenet_mnist", tmp_path, data).run().step == 2 * (24 // 8)


def test_resnet_learns_photos_in_folders(tmp_path: Path) -> None:
    example = Example("resnet_images", tmp_path, photos(tmp_path))
    run = example.run("--epochs", "4", "--workers", "2")
    assert run.step == 4 * (16 // 8)
    assert run.values["losses"][-1] < run.values["losses"][0]


def test_the_baseline_of_brackets_counts_the_last_one_opened(tmp_path: Path) -> None:
    module = Example("lstm_brackets", tmp_path).module
    texts = ["()()", "([])", "(())", "{(})"]  # in "{(})" the first one closed is another
    numbers = [[(module.OPENING + module.CLOSING).index(sign) for sign in text] for text in texts]
    data = gc.utils.data.TensorDataset(gc.tensor(numbers))
    assert module.baseline(data) == (2 + 1 + 2 + 1) / 8


def test_every_bracket_is_closed_where_it_was_opened(tmp_path: Path) -> None:
    module = Example("lstm_brackets", tmp_path).module
    for text, distances in module.texts(50, 20, seed=1):
        opened: list[tuple[int, int]] = []
        for place, (sign, distance) in enumerate(
            zip(text.tolist(), distances.tolist(), strict=True)
        ):
            if sign < module.KINDS:
                assert distance == 0
                opened.append((place, sign))
            else:
                assert opened.pop() == (place - distance, sign - module.KINDS)
        assert not opened


@pytest.mark.parametrize("name", ["spirals"])
def test_scripts_run_from_a_shell(name: str) -> None:
    losses = []
    for options in ([], ["--dynamic"]):
        command = [sys.executable, str(EXAMPLES / f"{name}.py"), "--epochs", "3", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found = re.search(r"loss ([0-9.]+)", done.stdout)
        assert found, done.stdout
        losses.append(float(found[1]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
