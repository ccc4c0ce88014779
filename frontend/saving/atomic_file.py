"""Writing a file so that readers see all of it or what was there before, even after a crash."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)
"""macOS's way to empty the disk's own cache, too, which ``fsync`` leaves there."""


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write beside the target, flush to disk, rename over it, and flush the folder.

    Args:
        path: the target; its folder must exist. A link is followed, not replaced, and who may
            read a file that is there already may read the new one.
        write: puts the whole content into a file.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # a device or a pipe, which is never replaced
        with open(target, "wb") as file:
            write(file)
        return
    beside = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:
            if target.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            write(file)
            file.flush()
            _flush(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    flush_folder(target.parent)


def leftovers(folder: Path, pattern: str) -> Iterator[Path]:
    """Files that a process which was killed did not finish.

    Args:
        folder: where it wrote.
        pattern: what the names of its files match.
    """
    return folder.glob(f".{pattern}.*.*.tmp")


def flush_folder(folder: Path) -> None:
    """Let new and removed names reach the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        _flush(handle)
    except OSError as error:  # some network file systems cannot, and need not
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _flush(handle: int) -> None:
    if _FULL_SYNC is None:
        os.fsync(handle)
    else:
        fcntl.fcntl(handle, _FULL_SYNC)
