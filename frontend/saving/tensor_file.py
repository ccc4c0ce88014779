"""The safetensors format: the length of a header, the header in JSON, the bytes of all tensors.

This reads from any stream, tensor by tensor, without a second copy, and believes no number of the
header before it has been checked; the safetensors package does neither, and its numpy side has no
bfloat16. Tests compare both.

Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from graphc.allocation import empty_array
from graphc.dtypes import NumpyDType
from graphc.storage import Array

_TYPES: dict[str, Any] = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16,
    "U32": np.uint32, "I32": np.int32, "U64": np.uint64, "I64": np.int64, "F16": np.float16,
    "BF16": ml_dtypes.bfloat16, "F32": np.float32, "F64": np.float64, "C64": np.complex64,
}  # fmt: skip
_DTYPES: dict[str, NumpyDType] = {name: np.dtype(kind) for name, kind in _TYPES.items()}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}

LIMIT = 100_000_000
"""Bytes of a header; readers refuse longer ones, as the format says."""

_LINE = 64
"""Tensors start where cache lines do, for programs that map the file."""

METADATA = "__metadata__"


class FormatError(ValueError):
    """Bytes that are no safetensors file, or a file that this cannot read or write."""


@dataclass(frozen=True)
class Entry:
    """Where a tensor is: its bytes from ``start`` to ``stop``, counted from the header's end."""

    name: str
    dtype: NumpyDType
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Header:
    """What a file holds.

    Attributes:
        metadata: texts by name.
        entries: in the order of the file; they follow each other without gaps.
        length: bytes before the first tensor.
    """

    metadata: Mapping[str, str]
    entries: tuple[Entry, ...]
    length: int


def can_store(dtype: NumpyDType) -> bool:
    """Whether the format has this element type."""
    return dtype in _NAMES


def file_order(tensors: Mapping[str, Array]) -> list[str]:
    """The names as the tensors lie in a file: wide elements first, so that all are aligned."""
    return sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))


def write(file: BinaryIO, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write a whole file.

    Args:
        file: open for writing bytes.
        tensors: C-contiguous arrays by name.
        metadata: texts by name.

    Raises:
        FormatError: if the header would be too long for readers.
    """
    names = file_order(tensors)
    header: dict[str, Any] = {METADATA: dict(metadata)}
    end = 0
    for name in names:
        array = tensors[name]
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [start, end],
        }  # fmt: skip
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % _LINE)
    if len(text) > LIMIT:
        raise FormatError(f"a header of {len(text):,} bytes, {LIMIT:,} are allowed")
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in names:
        file.write(as_bytes(tensors[name]))


def as_bytes(array: Array) -> memoryview:
    """The memory of a C-contiguous array."""
    flat: Any = array.reshape(-1).view(np.uint8)
    return memoryview(flat)


def read_header(file: BinaryIO, size: int) -> Header:
    """Read and check everything before the tensors.

    Args:
        file: at the start of a safetensors file.
        size: how many bytes there are.

    Raises:
        FormatError: if it is not as the format says.
    """
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(LIMIT, size - 8):
        raise FormatError("no header of a safetensors file")
    text = file.read(length)
    try:
        header = json.loads(text.decode(), object_pairs_hook=_without_doubles)
        metadata = header.pop(METADATA, {})
        entries = [_entry(name, fields) for name, fields in header.items()]
    except FormatError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"the header cannot be understood: {error}") from error
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise FormatError("the header's metadata must be texts")
    entries.sort(key=lambda entry: (entry.start, entry.stop))
    end = 0
    for entry in entries:
        if entry.start != end:
            raise FormatError(f"the tensor {entry.name!r} does not begin where the last one ended")
        end = entry.stop
    if end != size - 8 - length:
        raise FormatError(f"{end:,} bytes of tensors expected, {size - 8 - length:,} found")
    return Header(metadata, tuple(entries), 8 + length)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise FormatError("a name stands in the header twice")
    return found


def _entry(name: str, fields: Mapping[str, Any]) -> Entry:
    kind, shape, (start, stop) = fields["dtype"], fields["shape"], fields["data_offsets"]
    if kind not in _DTYPES:
        raise FormatError(f"the tensor {name!r} has the unknown dtype {kind!r}")
    dtype = _DTYPES[kind]
    numbers = [start, stop, *shape]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise FormatError(f"the tensor {name!r} has sizes that are none: {numbers}")
    if stop - start != math.prod(shape) * dtype.itemsize:
        raise FormatError(f"the tensor {name!r} has {stop - start} bytes for the shape {shape}")
    return Entry(name, dtype, tuple(shape), start, stop)


def read_array(file: BinaryIO, entry: Entry) -> Array:
    """Read the next tensor of a stream into memory of its own.

    Raises:
        FormatError: if the stream ends.
    """
    array = empty_array(entry.shape, entry.dtype)
    rest = as_bytes(array)
    while rest:
        part = file.read(min(len(rest), 1 << 24))
        if not part:
            raise FormatError(f"the file ends inside the tensor {entry.name!r}")
        rest[: len(part)] = part
        rest = rest[len(part) :]
    return _checked(array, entry)


def mapped_array(memory: Any, header: Header, entry: Entry) -> Array:
    """A tensor in a file that is mapped into memory."""
    if entry.start == entry.stop:
        return np.empty(entry.shape, entry.dtype)
    count = math.prod(entry.shape)
    flat = np.frombuffer(memory, entry.dtype, count, header.length + entry.start)
    return _checked(flat.reshape(entry.shape), entry)


def _checked(array: Array, entry: Entry) -> Array:
    if entry.dtype == np.bool_ and array.view(np.uint8).max(initial=0) > 1:
        raise FormatError(f"the tensor {entry.name!r} has bytes that are neither true nor false")
    return array
