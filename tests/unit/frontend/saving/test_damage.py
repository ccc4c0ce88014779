"""A damaged file is noticed, wherever the damage is."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.errors import CheckpointError, DamagedCheckpointError
from graphc.frontend.saving.load import load
from graphc.frontend.saving.save import save
from graphc.frontend.saving.tensor_file import write

VALUE = {
    "w": gc.arange(5.0), "n": [gc.tensor(3), gc.ones(2).bfloat16()], "lr": 0.1, "name": "adam",
    "z": gc.tensor([1 + 2j], dtype=gc.complex128), "bytes": b"abc", "empty": gc.ones(0),
}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    save(VALUE, tmp_path / "c")
    return (tmp_path / "c").read_bytes()


def refused(data: bytes) -> None:
    with pytest.raises(DamagedCheckpointError):
        load(io.BytesIO(data))


def test_every_flipped_bit(data: bytes) -> None:
    for at in range(len(data)):
        for bit in range(8):
            refused(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])


def test_damage_in_mapped_files(data: bytes, tmp_path: Path) -> None:
    for at in range(0, len(data), 7):
        (tmp_path / "c").write_bytes(data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
        with pytest.raises(DamagedCheckpointError):
            load(tmp_path / "c", mmap=True)


def test_every_truncation_and_what_follows_the_end(data: bytes) -> None:
    for length in range(len(data)):
        refused(data[:length])
    refused(data + b"\0")
    refused(data + data)


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b" ", b"A"])
@pytest.mark.parametrize("size", [1, 7, 64, 512])
def test_lost_blocks(data: bytes, fill: bytes, size: int) -> None:
    for start in range(0, len(data), max(1, size // 2)):
        lost = data[:start] + (fill * size)[: len(data) - start] + data[start + size :]
        if lost != data:
            refused(lost)


def test_swapped_blocks(data: bytes) -> None:
    for size in (8, 32):
        for start in range(0, len(data) - 2 * size, size):
            middle, end = start + size, start + 2 * size
            swapped = data[:start] + data[middle:end] + data[start:middle] + data[end:]
            if swapped.replace(b" ", b"") != data.replace(b" ", b""):  # blanks may stand elsewhere
                refused(swapped)


def edited(data: bytes, **metadata: str | None) -> bytes:
    """The file with other metadata, and a header of the right length."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] |= metadata
    header["__metadata__"] = {k: v for k, v in header["__metadata__"].items() if v is not None}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def test_a_checkpoint_without_some_of_its_marks_is_no_plain_file(
    data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "same").write_bytes(edited(data))
    assert load(tmp_path / "same")["lr"] == 0.1
    for name in ("format", "version", "structure", "sha256"):
        refused(edited(data, **{name: None}))
        refused(edited(data, **{name: "2"}))


def written(path: Path, version: str, structure: str) -> None:
    """A file with a right checksum, computed here anew."""
    tensors = {"n": np.arange(3), "w": np.zeros((), np.float32)}
    digest = hashlib.sha256(f"{version}\n{structure}".encode())
    for name, array in tensors.items():
        digest.update(f"\n{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(array.tobytes())
    metadata = {
        "format": "graphc checkpoint", "version": version, "structure": structure,
        "sha256": digest.hexdigest(),
    }  # fmt: skip
    with open(path, "wb") as file:
        write(file, tensors, metadata)


def test_the_checksum_is_what_is_promised(tmp_path: Path) -> None:
    written(tmp_path / "c", "1", '{"tensor":{"name":"n"}}')
    assert load(tmp_path / "c").tolist() == [0, 1, 2]


@pytest.mark.parametrize("version", ["0", "2", "100"])
def test_another_version_is_refused_by_name(version: str, tmp_path: Path) -> None:
    written(tmp_path / "c", version, "of another kind")
    with pytest.raises(CheckpointError, match=f"version '{version}'") as raised:
        load(tmp_path / "c")
    assert not isinstance(raised.value, DamagedCheckpointError)


STRUCTURES = """
    {"tensor":{"name":"absent"}}; {"tensor":{}}; {"tensor":"w"}; {"unknown":[]}; {}; ]; ; nul; NaN;
    {"dict":[1]}; {"dict":[[1,2,3]]}; {"dict":{"a":1}}; {"tuple":1}; {"a":1,"b":2}; {"float":"x"};
    {"dtype":"float99"}; {"device":"cuda"}; {"generator":[1]}; {"generator":["a","b"]};
    {"tensor":{"name":"w","complex":true}}; {"set":[[]]}; {"complex":[1]}; {"array":null};
    {"dict":[[[],1]]}; {"tensor":{"name":"n","requires_grad":true}}
"""


@pytest.mark.parametrize("structure", [text.strip() for text in STRUCTURES.split(";")])
def test_a_wrong_structure_with_a_right_checksum(structure: str, tmp_path: Path) -> None:
    written(tmp_path / "c", "1", structure)
    with pytest.raises(DamagedCheckpointError):
        load(tmp_path / "c")


def test_what_is_no_file(tmp_path: Path) -> None:
    for name in ("missing", "."):
        with pytest.raises(CheckpointError, match="cannot be read"):
            load(tmp_path / name)
    (tmp_path / "text").write_text("hello, this is no checkpoint at all")
    (tmp_path / "nothing").touch()
    for name in ("text", "nothing"):
        with pytest.raises(CheckpointError, match="damaged"):
            load(tmp_path / name)
