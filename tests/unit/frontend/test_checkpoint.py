"""Checkpoints come back as they were, or not at all."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, CheckpointError
from graphc.frontend.base import concrete
from graphc.frontend.checkpoint import load, save

DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"


def same(a: Any, b: Any) -> bool:
    """Equal values of equal types, tensors bit for bit."""
    if isinstance(a, gc.Tensor):
        return (
            isinstance(b, gc.Tensor)
            and a.type == b.type
            and a.detach().numpy().tobytes() == b.detach().numpy().tobytes()
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    return bool(a == b)


@pytest.mark.parametrize("name", DTYPES.split())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_tensors_of_every_dtype_and_shape(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    dtype = getattr(gc, name)
    values = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype.numpy)
    save({"x": concrete(values)}, tmp_path / "c")
    assert same(load(tmp_path / "c"), {"x": concrete(values)})


def test_nesting_and_special_values(tmp_path: Path) -> None:
    nan = concrete(np.array([np.nan, -0.0, np.inf], np.float32))
    value = {
        "list": [1, 2.5, "text", None, True, [], {}],
        "tuple": (1, (nan, "a.b")),
        3: {"x": float("nan"), "y": -float("inf"), "z": -0.0, "big": 10**30},
        "a": {"b": nan},
        "a.b": concrete(np.array(1)),
        "__metadata__": nan,
        "unicode ✓": "\x00\n",
    }
    save(value, tmp_path / "c")
    assert same(load(tmp_path / "c"), value)


@pytest.mark.parametrize("value", [1, None, "x", [], {}, 2.0])
def test_top_level_values(value: Any, tmp_path: Path) -> None:
    save(value, tmp_path / "c")
    assert same(load(tmp_path / "c"), value)


def test_views_are_stored_as_they_look(tmp_path: Path) -> None:
    base = np.arange(12.0).reshape(3, 4)
    save([concrete(base.T), concrete(base[::2, ::-1])], tmp_path / "c")
    first, second = load(tmp_path / "c")
    np.testing.assert_array_equal(first.numpy(), base.T)
    np.testing.assert_array_equal(second.numpy(), base[::2, ::-1])


def test_loaded_tensors_own_their_memory(tmp_path: Path) -> None:
    save(concrete(np.zeros(3)), tmp_path / "c")
    first = load(tmp_path / "c")
    first.fill_(1.0)
    assert load(tmp_path / "c").tolist() == [0.0, 0.0, 0.0]


def test_training_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    def make() -> tuple[nn.Module, optim.Optimizer]:
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 1))
        return model, optim.Adam(model.parameters(), lr=0.1, amsgrad=True)

    def train(model: nn.Module, optimizer: optim.Optimizer, steps: int) -> list[float]:
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    gc.manual_seed(1)
    x = gc.randn(8, 3)
    model, optimizer = make()
    train(model, optimizer, 3)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "rng": gc.get_rng_state(),
    }
    save(state, tmp_path / "c")
    expected = train(model, optimizer, 3)
    model, optimizer = make()
    loaded = load(tmp_path / "c")
    model.load_state_dict(loaded["model"])
    optimizer.load_state_dict(loaded["optimizer"])
    gc.set_rng_state(loaded["rng"])
    assert train(model, optimizer, 3) == expected


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    value = {"w": concrete(np.arange(5.0)), "lr": 0.1}
    save(value, tmp_path / "c")
    data = (tmp_path / "c").read_bytes()
    damaged = tmp_path / "d"
    noticed = 0
    for at in range(len(data)):
        for flip in (1, 0x80):
            damaged.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
            try:
                assert same(load(damaged), value)
            except CheckpointError:
                noticed += 1
    assert noticed > 1.8 * len(data)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    save({"w": concrete(np.arange(5.0))}, tmp_path / "c")
    data = (tmp_path / "c").read_bytes()
    for length in range(len(data)):
        (tmp_path / "d").write_bytes(data[:length])
        with pytest.raises(CheckpointError):
            load(tmp_path / "d")


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(3)}, tmp_path / "plain")
    save_file({"w": np.zeros(3)}, tmp_path / "other", {"format": "pt"})
    (tmp_path / "text").write_text("hello, this is no checkpoint at all")
    (tmp_path / "folder").mkdir()
    for name in ("plain", "other", "text", "folder", "missing"):
        with pytest.raises(CheckpointError):
            load(tmp_path / name)


def test_another_version_is_refused_by_name(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    metadata = {"format": "graphc checkpoint", "version": "2", "structure": "1", "sha256": ""}
    save_file({}, tmp_path / "new", metadata)
    with pytest.raises(CheckpointError, match="version '2'"):
        load(tmp_path / "new")


def test_a_wrong_structure_with_a_right_checksum_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    for structure in ('{"tensor": "absent", "dtype": "float32", "shape": [1]}', '{"set": []}', "]"):
        digest = hashlib.sha256(structure.encode()).hexdigest()
        metadata = {
            "format": "graphc checkpoint", "version": "1", "structure": structure, "sha256": digest,
        }  # fmt: skip
        save_file({}, tmp_path / "c", metadata)
        with pytest.raises(CheckpointError):
            load(tmp_path / "c")


@pytest.mark.parametrize("value", [{1, 2}, object(), b"x", {"model": nn.Identity()}, {(1, 2): 3}])
def test_what_cannot_be_stored_raises_and_writes_nothing(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError):
        save(value, tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(1, tmp_path / "c")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save(2, tmp_path / "c")
    monkeypatch.undo()
    assert load(tmp_path / "c") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_other_tools_can_read_the_tensors(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    model = nn.Linear(2, 3)
    save({"model": model.state_dict()}, tmp_path / "c")
    found = load_file(tmp_path / "c")
    assert sorted(found) == ["model.bias", "model.weight"]
    np.testing.assert_array_equal(found["model.weight"], model.weight.detach().numpy())


def test_the_header_is_json_with_a_checksum(tmp_path: Path) -> None:
    save({"x": 1}, tmp_path / "c")
    data = (tmp_path / "c").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["__metadata__"]["format"] == "graphc checkpoint"
    assert len(header["__metadata__"]["sha256"]) == 64
