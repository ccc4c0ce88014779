"""Compiled objects on disk, so that the next process need not compile.

A cached object is code that will run, so a directory that somebody else could write to is refused,
and every file carries a checksum. No problem with the cache is ever an error: the code is compiled
again, and ``ObjectCache.status`` says why.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from graphc.config import CACHE, CACHE_DIR
from graphc.runtime.llvm import engine, native
from graphc.runtime.llvm.target import Target

_MAGIC = b"graphc object 1\n"
_SUFFIX = ".gco"


@dataclass(frozen=True, slots=True)
class ObjectCache:
    """A directory of compiled objects, or none.

    Args:
        directory: where the files are, or None when nothing is cached.
        status: ``"on"``, or why nothing is cached.
    """

    directory: Path | None
    status: str

    def get(self, key: str) -> bytes | None:
        """The object stored under ``key``, or None if there is none that can be trusted."""
        if self.directory is None:
            return None
        try:
            with (self.directory / f"{key}{_SUFFIX}").open("rb") as file:
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

    def put(self, key: str, code: bytes) -> bool:
        """Store an object; a reader sees all of it or nothing. Returns whether it was stored."""
        if self.directory is None:
            return False
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self.directory, suffix=".tmp")
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + _checksum(key, code) + code)
            Path(temporary).replace(self.directory / f"{key}{_SUFFIX}")
        except OSError:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            return False
        return True

    def entries(self) -> list[Path]:
        """The files of this cache."""
        return [] if self.directory is None else sorted(self.directory.glob(f"*{_SUFFIX}"))

    def clear(self) -> int:
        """Delete all files of this cache and return how many there were."""
        files = self.entries()
        for file in files:
            file.unlink(missing_ok=True)
        return len(files)


def open_cache() -> ObjectCache:
    """The cache that GRAPHC_CACHE and GRAPHC_CACHE_DIR ask for."""
    if CACHE.text() == "0":
        return ObjectCache(None, "off: GRAPHC_CACHE=0")
    return _open(CACHE_DIR.text() or _user_directory())


def key_of(ir: str, target: Target) -> str:
    """The name of a module's object: a hash of everything that decides its content."""
    content = "\0".join(
        [ir, target.triple, target.cpu, target.features, native.versions(), _graphc_version()]
    )
    return hashlib.sha256(content.encode()).hexdigest()


def compile_cached(ir: str, target: Target, cache: ObjectCache) -> tuple[bytes, bool]:
    """The object of a module and whether it came from the cache.

    Raises:
        CompileError: if LLVM refuses the text.
    """
    key = key_of(ir, target)
    cached = cache.get(key)
    if cached is not None:
        return cached, True
    code = engine.compile_object(ir, target)
    cache.put(key, code)
    return code, False


def _user_directory() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "graphc")


def _open(name: str) -> ObjectCache:
    directory = Path(name)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except OSError as error:
        return ObjectCache(None, f"off: {error}")
    if not _private(status):
        return ObjectCache(None, f"off: others may write to {directory}, or it is not ours")
    if not os.access(directory, os.W_OK | os.X_OK):
        return ObjectCache(None, f"off: {directory} is not writable")
    return ObjectCache(directory, "on")


def _private(status: os.stat_result) -> bool:
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _checksum(key: str, code: bytes) -> bytes:
    return hashlib.sha256(key.encode() + code).digest()


@functools.cache
def _graphc_version() -> str:
    return importlib.metadata.version("graphc")
