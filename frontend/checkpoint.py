"""Checkpoints: nested state in a safetensors file, written atomically, checked when read.

The tensors are plain safetensors entries that any tool can read; the structure around them is
JSON in the file's metadata, with a version and a checksum of everything. Nothing is ever pickled,
so loading a file runs no code from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphc.errors import CheckpointError, GraphcError
from graphc.frontend.atomic_file import write_atomically
from graphc.frontend.checkpoint_tree import decode, encode
from graphc.storage import Array

FORMAT = "graphc checkpoint"
VERSION = "1"

PathLike = str | os.PathLike[str]


def save(obj: Any, f: PathLike) -> None:
    """Write a checkpoint; a reader sees all of it or what was there before.

    Args:
        obj: ``model.state_dict()``, ``optimizer.state_dict()``, or any nesting of dicts, lists
            and tuples of tensors, numbers, texts and None.
        f: path of the file.

    Raises:
        ArgumentError: for a value that cannot be stored.

    Source: ``torch.save``, but a safetensors file, never pickle.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> model = nn.Linear(2, 1)
        >>> gc.save({"model": model.state_dict(), "epoch": 3}, "model.safetensors")
        >>> gc.load("model.safetensors")["epoch"]
        3
    """
    from safetensors.numpy import save as to_bytes

    tensors: dict[str, Array] = {}
    structure = json.dumps(encode(obj, tensors), separators=(",", ":"), allow_nan=False)
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "structure": structure,
        "sha256": _checksum(structure, tensors),
    }
    write_atomically(Path(f), to_bytes(tensors, metadata))


def load(f: PathLike) -> Any:
    """Read a checkpoint that ``save`` wrote.

    Args:
        f: path of the file.

    Returns:
        What was saved; tensors are new and do not require gradients.

    Raises:
        CheckpointError: if the file is missing, damaged, or not written by ``gc.save``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    path = Path(f)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            "load: the checkpoint cannot be read", got=f"{path}: {error.strerror}"
        ) from error
    metadata = _metadata(path, data)
    try:
        tensors: dict[str, Array] = from_bytes(data)
        if metadata["sha256"] != _checksum(metadata["structure"], tensors):
            raise _damaged(path, "the checksum differs")
        return decode(json.loads(metadata["structure"]), tensors)
    except GraphcError:
        raise
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error


def _metadata(path: Path, data: bytes) -> dict[str, str]:
    """The texts in a safetensors file's header: 8 bytes of length, then JSON."""
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata = header["__metadata__"]
        kind, version = metadata["format"], metadata["version"]
        texts = {key: str(metadata[key]) for key in ("structure", "sha256")}
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, "no header of a checkpoint") from error
    if kind != FORMAT or version != VERSION:
        raise CheckpointError(
            "load: the file is no checkpoint that this version can read",
            got=f"{path}: format {kind!r}, version {version!r}",
            expected=f"format {FORMAT!r}, version {VERSION!r}",
        )
    return texts


def _damaged(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        "load: the file is damaged or no checkpoint of graphc", got=f"{path}: {why}",
        fix="load another copy; weights of other programs: safetensors.numpy.load_file",
    )  # fmt: skip


def _checksum(structure: str, tensors: Mapping[str, Array]) -> str:
    """A digest of the structure and of every tensor with its name and type."""
    digest = hashlib.sha256(structure.encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
