"""Files that another process can use again: compiled code, and the programs made of it.

What is cached is code that will run, so a directory that somebody else could write to is refused,
and every file carries a checksum. No problem with the cache is ever an error: things are made
again, and ``DiskCache.status`` says why.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from graphc.config import CACHE, CACHE_DIR

_MAGIC = b"graphc object 1\n"
OBJECT = ".gco"
"""The suffix of a compiled object."""

PROGRAM = ".gcp"
"""The suffix of a program."""


@dataclass(frozen=True, slots=True)
class DiskCache:
    """A directory of files by key, or none.

    Args:
        directory: where the files are, or None when nothing is cached.
        status: ``"on"``, or why nothing is cached.
    """

    directory: Path | None
    status: str

    def get(self, key: str, suffix: str = OBJECT) -> bytes | None:
        """What is stored under ``key``, or None if there is nothing that can be trusted."""
        if self.directory is None:
            return None
        try:
            with (self.directory / f"{key}{suffix}").open("rb") as file:
                if not _private(os.fstat(file.fileno())):
                    return None
                content = file.read()
        except OSError:
            return None
        header = len(_MAGIC) + 32
        code = content[header:]
        if content[:header] != _MAGIC + _checksum(key, code):
            return None
        return code

    def put(self, key: str, code: bytes, suffix: str = OBJECT) -> bool:
        """Store something; a reader sees all of it or nothing. Returns whether it was stored."""
        if self.directory is None:
            return False
        import tempfile  # loads random numbers, and more

        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self.directory, suffix=".tmp")
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + _checksum(key, code) + code)
            Path(temporary).replace(self.directory / f"{key}{suffix}")
        except OSError:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            return False
        return True

    def entries(self) -> list[Path]:
        """The files of this cache."""
        if self.directory is None:
            return []
        return sorted(
            file for suffix in (OBJECT, PROGRAM) for file in self.directory.glob(f"*{suffix}")
        )

    def clear(self) -> int:
        """Delete all files of this cache and return how many there were."""
        files = self.entries()
        for file in files:
            file.unlink(missing_ok=True)
        return len(files)


def open_cache() -> DiskCache:
    """The cache that GRAPHC_CACHE and GRAPHC_CACHE_DIR ask for."""
    if CACHE.text() == "0":
        return DiskCache(None, "off: GRAPHC_CACHE=0")
    return _open(CACHE_DIR.text() or _user_directory())


def _user_directory() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "graphc")


def _open(name: str) -> DiskCache:
    directory = Path(name)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except OSError as error:
        return DiskCache(None, f"off: {error}")
    if not _private(status):
        return DiskCache(None, f"off: others may write to {directory}, or it is not ours")
    if not os.access(directory, os.W_OK | os.X_OK):
        return DiskCache(None, f"off: {directory} is not writable")
    return DiskCache(directory, "on")


def _private(status: os.stat_result) -> bool:
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _checksum(key: str, code: bytes) -> bytes:
    return hashlib.sha256(key.encode() + code).digest()


@functools.cache
def graphc_version() -> str:
    """The installed version."""
    import importlib.metadata  # loads the mail parser, and more

    return importlib.metadata.version("graphc")
