"""``gc.save``: tensors as safetensors entries, the structure around them as JSON, a checksum."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from graphc.errors import ArgumentError, ArgumentTypeError, CheckpointError, RecordingError
from graphc.frontend.modes import modes
from graphc.frontend.saving.atomic_file import write_atomically
from graphc.frontend.saving.encode import Encoder, versions_in
from graphc.frontend.saving.tensor_file import FormatError, as_bytes, file_order, write
from graphc.provenance import user_location_text
from graphc.runtime.sessions.locks import reading
from graphc.storage import Array

FORMAT = "graphc checkpoint"
VERSION = 1
"""Of the structure; a reader refuses files of versions that it does not know."""

PathLike = str | os.PathLike[str]


def save(obj: Any, f: PathLike | BinaryIO) -> None:
    """Write a checkpoint; a reader sees all of it or what was there before.

    The file is a safetensors file, which other programs read, too: each tensor stands in it by
    the keys that lead to it, such as ``model.weight``. Tensors over the same memory are stored
    once and share it again when they are loaded. Nothing is pickled.

    Args:
        obj: ``model.state_dict()``, ``optimizer.state_dict()``, or any nesting of dicts, lists,
            tuples and sets of tensors, arrays, numbers, texts, bytes, dtypes, generators and None.
        f: path of the file, or a file that is open for writing bytes. Only a path is written
            atomically.

    Raises:
        ArgumentError: for a value that cannot be stored.
        CheckpointError: if there is no folder of that name.
        RecordingError: while recording.
        CheckpointError: if another thread changed a tensor meanwhile; the file is as it was.

    Runs of compiled programs in other threads wait while the tensors that they write are read.

    Source: ``torch.save``, but a safetensors file.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> model = nn.Linear(2, 1)
        >>> gc.save({"model": model.state_dict(), "epoch": 3}, "model.safetensors")
        >>> gc.load("model.safetensors")["epoch"]
        3
    """
    if modes.recorder is not None:
        raise RecordingError(
            "save: nothing can be saved while recording: the values of the run do not exist yet",
            fix="save after the compiled function was called", where=user_location_text(),
        )  # fmt: skip

    def put(file: BinaryIO) -> None:
        with reading(versions_in(obj)):
            _write(obj, file)

    if isinstance(f, io.TextIOBase):
        raise ArgumentTypeError(
            "save: the file is open for text", got=repr(f), fix="open it with 'wb'",
            where=user_location_text(),
        )  # fmt: skip
    if not isinstance(f, str | os.PathLike):
        put(f)
        return
    path = Path(f)
    if not path.parent.is_dir():
        raise CheckpointError(
            "save: there is no such folder", got=str(path.parent), fix="make it first",
            where=user_location_text(),
        )  # fmt: skip
    write_atomically(path, put)


def _write(obj: Any, file: BinaryIO) -> None:
    tensors, metadata = _encode(obj)
    try:
        write(file, tensors, metadata)
    except FormatError as error:
        raise ArgumentError(
            "save: too much beside the tensors", got=str(error),
            fix="put long lists of numbers into tensors", where=user_location_text(),
        ) from error  # fmt: skip
    if checksum(metadata["version"], metadata["structure"], tensors) != metadata["sha256"]:
        raise CheckpointError(
            "save: a tensor changed while it was saved",
            fix="let no other thread train meanwhile, or save clones",
            where=user_location_text(),
        )


def _encode(obj: Any) -> tuple[dict[str, Array], dict[str, str]]:
    encoder = Encoder()
    try:
        structure = json.dumps(encoder.encode(obj), separators=(",", ":"), allow_nan=False)
    except RecursionError as error:
        raise ArgumentError(
            "save: the value is nested too deeply", got=type(obj).__name__,
            where=user_location_text(),
        ) from error  # fmt: skip
    tensors = {name: encoder.tensors[name] for name in file_order(encoder.tensors)}
    return tensors, {
        "format": FORMAT,
        "version": str(VERSION),
        "structure": structure,
        "sha256": checksum(str(VERSION), structure, tensors),
    }


def checksum(version: str, structure: str, tensors: Mapping[str, Array]) -> str:
    """A digest of the version, the structure, and every tensor with its name and type.

    It must be the same in all versions, so that a later one can be told from a damaged one.

    Args:
        version: of the structure.
        structure: the JSON.
        tensors: in the order of the file.
    """
    digest = hashlib.sha256(f"{version}\n{structure}".encode())
    for name, array in tensors.items():
        digest.update(f"\n{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(as_bytes(array))
    return digest.hexdigest()
