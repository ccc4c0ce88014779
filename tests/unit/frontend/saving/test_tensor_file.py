"""The format is that of the safetensors package, and wrong headers are refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import load_file, save_file

from graphc.frontend.saving.tensor_file import FormatError, read_array, read_header, write

KINDS = "u1 i1 u2 i2 u4 i4 u8 i8 f2 f4 f8 ? c8".split()
SHAPES: list[tuple[int, ...]] = [(), (0,), (1,), (3, 5), (2, 0), (2, 1, 2)]


def arrays(rng: np.random.Generator) -> dict[str, Any]:
    return {
        f"{kind}{list(shape)}": np.asarray(rng.random(shape) * 100).astype(kind)
        for kind in KINDS
        for shape in SHAPES
    }


def read(data: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    file = io.BytesIO(data)
    header = read_header(file, len(data))
    return {entry.name: read_array(file, entry) for entry in header.entries}, dict(header.metadata)


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_the_package_reads_what_this_writes(rng: np.random.Generator, tmp_path: Path) -> None:
    expected = arrays(rng)
    with open(tmp_path / "c", "wb") as file:
        write(file, expected, {"a": "b \u2713"})
    assert_same(load_file(tmp_path / "c"), expected)
    with safe_open(tmp_path / "c", "np") as opened:
        assert opened.metadata() == {"a": "b \u2713"}


def test_this_reads_what_the_package_writes(rng: np.random.Generator, tmp_path: Path) -> None:
    expected = arrays(rng)
    save_file(expected, tmp_path / "c", {"a": "b \u2713"})
    found, metadata = read((tmp_path / "c").read_bytes())
    assert_same(found, expected)
    assert metadata == {"a": "b \u2713"}


def test_tensors_start_cache_lines_and_are_aligned(rng: np.random.Generator) -> None:
    file = io.BytesIO()
    write(file, arrays(rng), {})
    file.seek(0)
    header = read_header(file, len(file.getvalue()))
    assert header.length % 64 == 0
    assert all(entry.start % entry.dtype.itemsize == 0 for entry in header.entries)


def with_header(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def field(**changes: Any) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


REFUSED = [
    with_header(field(dtype="F33"), b"8bytes.."),
    with_header(field(dtype="F64"), b"8bytes.."),
    with_header(field(dtype=["F32"]), b"8bytes.."),
    with_header(field(shape=[-2]), b"8bytes.."),
    with_header(field(shape=[-1, -2]), b"8bytes.."),
    with_header(field(shape=[2.0]), b"8bytes.."),
    with_header(field(shape="2"), b"8bytes.."),
    with_header(field(shape=[True, 2]), b"8bytes.."),
    with_header(field(shape=[2**62, 2]), b"8bytes.."),
    with_header(field(data_offsets=[0, 9]), b"8bytes..."),
    with_header(field(data_offsets=[8, 0]), b"8bytes.."),
    with_header(field(data_offsets=[1, 9]), b"8bytes..."),
    with_header(field(data_offsets=[0, 8, 8]), b"8bytes.."),
    with_header(field(data_offsets=[0, 2**63]), b"8bytes.."),
    with_header(field(), b"7bytes."),
    with_header(field(), b"9bytes..."),
    with_header(field() | {"b": field()["a"]}, b"8bytes.."),
    with_header({"a": None}, b""),
    with_header({"a": []}, b""),
    with_header([], b""),
    with_header(b"null", b""),
    with_header(b"{", b""),
    with_header(b"\xff\xfe", b""),
    with_header(b"", b""),
    with_header(b"[" * 100_000, b""),
    with_header({"__metadata__": {"a": 1}}, b""),
    with_header({"__metadata__": "a"}, b""),
    b"",
    b"\x08",
    (2**63).to_bytes(8, "little") + b"{}",
]


@pytest.mark.parametrize("data", REFUSED, ids=lambda data: repr(data[8:60]))
def test_wrong_files_are_refused_here_and_by_the_package(data: bytes) -> None:
    with pytest.raises(FormatError):
        read(data)
    with pytest.raises(SafetensorError):
        deserialize(data)


def test_a_name_that_stands_twice_is_refused() -> None:
    entry = '{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}'
    text = f'{{"a":{entry % (0, 1)},"a":{entry % (1, 2)}}}'
    with pytest.raises(FormatError, match="twice"):
        read(with_header(text.encode(), b"12"))


@pytest.mark.parametrize("shape", [(), (3,), (0,)])
def test_bools_are_bools(shape: tuple[int, ...]) -> None:
    file = io.BytesIO()
    write(file, {"b": np.ones(shape, bool)}, {})
    data = file.getvalue()
    assert read(data)[0]["b"].all()
    if shape != (0,):
        with pytest.raises(FormatError, match="neither true nor false"):
            read(data[:-1] + b"\x02")


def test_a_stream_that_ends_early() -> None:
    data = with_header(field(), b"8bytes..")
    file = io.BytesIO(data)
    header = read_header(file, len(data))
    file.truncate(len(data) - 1)
    with pytest.raises(FormatError, match="ends inside"):
        read_array(file, header.entries[0])
