"""``gc.load``: checkpoints of ``gc.save``, and plain safetensors files of other programs."""

from __future__ import annotations

import io
import json
import mmap as memory_map
import os
from collections.abc import Mapping
from typing import Any, BinaryIO, NoReturn

from graphc.dtypes import DTYPES
from graphc.errors import (
    ArgumentError,
    ArgumentTypeError,
    CheckpointError,
    DamagedCheckpointError,
    GraphcError,
)
from graphc.frontend.making import concrete
from graphc.frontend.saving.decode import Decoder
from graphc.frontend.saving.save import FORMAT, VERSION, PathLike, checksum
from graphc.frontend.saving.tensor_file import Header, mapped_array, read_array, read_header
from graphc.frontend.settings.devices import Device, DeviceLike, require_cpu
from graphc.provenance import user_location_text
from graphc.storage import Array

_OWN = frozenset({"structure", "sha256"})
"""Metadata that only checkpoints have: one of them is left even where another one is damaged."""

_KNOWN = {dtype.numpy for dtype in DTYPES}


def load(
    f: PathLike | BinaryIO, map_location: DeviceLike | Mapping[str, DeviceLike] = None, *,
    weights_only: bool | None = None, mmap: bool | None = None,
) -> Any:  # fmt: skip
    """Read a checkpoint that ``save`` wrote, or a safetensors file of another program.

    Args:
        f: path of the file, or a file that is open for reading bytes.
        map_location: the CPU, or a dict whose values are.
        weights_only: changes nothing: no code is ever run from a file.
        mmap: let the tensors be views of the file at this path, mapped into memory, of which
            writes make private copies. The file must not be overwritten in place; ``save``
            does not.

    Returns:
        What was saved, with tensors that are new; of another program's file, a dict of tensors.

    Raises:
        DamagedCheckpointError: if the file is damaged, or no safetensors file, such as what
            ``torch.save`` writes.
        CheckpointError: if it is missing, of a later version, or of dtypes that graphc lacks.
        ArgumentError: for another device, or to map what is no path.

    Source: ``torch.load``. ``safetensors.torch.save_file`` writes what it reads.

    Example:
        >>> import graphc as gc
        >>> gc.save([gc.ones(2), "text"], "pair.safetensors")
        >>> gc.load("pair.safetensors")
        [tensor([1., 1.]), 'text']
    """
    locations = map_location.values() if isinstance(map_location, Mapping) else [map_location]
    for location in locations:
        if not isinstance(location, Device | str | None):
            raise ArgumentTypeError(
                "load: map_location must be a device, or a dict of devices",
                got=type(location).__name__, fix='map_location="cpu"', where=user_location_text(),
            )  # fmt: skip
        require_cpu(location)
    if not isinstance(f, str | os.PathLike):
        if mmap:
            raise ArgumentError(
                "load: only a file that is given by its path can be mapped", got=type(f).__name__,
                where=user_location_text(),
            )  # fmt: skip
        return _read(f, repr(f), is_mapped=False)
    try:
        with open(f, "rb") as file:
            return _read(file, str(f), is_mapped=bool(mmap))
    except OSError as error:
        raise CheckpointError(
            "load: the checkpoint cannot be read", got=f"{f}: {error.strerror}"
        ) from error


def _read(file: BinaryIO, name: str, *, is_mapped: bool) -> Any:
    if not file.seekable():
        file = io.BytesIO(file.read())
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    try:
        header = read_header(file, size)
        return _decode(header, _arrays(file, header, is_mapped), name)
    except CheckpointError:
        raise
    except (GraphcError, LookupError, TypeError, ValueError, RecursionError) as error:
        file.seek(start)
        raise _damaged(name, file.read(4), str(error)) from error


def _arrays(file: BinaryIO, header: Header, is_mapped: bool) -> dict[str, Array]:
    if not is_mapped:
        return {entry.name: read_array(file, entry) for entry in header.entries}
    memory = memory_map.mmap(file.fileno(), 0, access=memory_map.ACCESS_COPY)
    return {entry.name: mapped_array(memory, header, entry) for entry in header.entries}


def _decode(header: Header, arrays: Mapping[str, Array], name: str) -> Any:
    metadata = header.metadata
    if not (_OWN & metadata.keys() or metadata.get("format") == FORMAT):
        return _plain(metadata, arrays, name)
    version, structure = metadata["version"], metadata["structure"]
    if metadata["format"] != FORMAT or metadata["sha256"] != checksum(version, structure, arrays):
        raise ValueError("the checksum differs")
    if int(version) != VERSION:
        raise CheckpointError(
            "load: the checkpoint is of a version that this graphc does not know",
            got=f"{name}: version {version!r}", expected=f"version {VERSION}",
            fix="read it with the graphc that wrote it",
        )  # fmt: skip
    return Decoder(arrays).decode(json.loads(structure, parse_constant=_refuse_constant))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _plain(metadata: Mapping[str, str], arrays: Mapping[str, Array], name: str) -> Any:
    """The tensors of another program's file, which has no checksum."""
    for path, array in arrays.items():
        if array.dtype not in _KNOWN:
            raise CheckpointError(
                "load: a tensor has a dtype that graphc lacks",
                got=f"{name}: {path} is {array.dtype}",
                fix="convert it with the program that wrote the file",
            )
    tensors = {path: concrete(array) for path, array in arrays.items()}
    # ``safetensors.torch.save_model`` names the tensors there that it left out as doubles
    doubles = {path: tensors[of] for path, of in metadata.items() if of in tensors}
    return {**doubles, **tensors}


def _damaged(name: str, begin: bytes, why: str) -> DamagedCheckpointError:
    if begin[:2] in (b"PK", b"\x80\x02"):
        return DamagedCheckpointError(
            "load: the file holds pickles, which could run any code, and are never read",
            got=name,
            fix="in PyTorch: safetensors.torch.save_file(torch.load(path), new_path)",
        )
    return DamagedCheckpointError(
        "load: the file is damaged, or none that graphc can read", got=f"{name}: {why}",
        fix="load another copy",
    )  # fmt: skip
