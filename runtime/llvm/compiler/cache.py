"""Compiled objects by the text that they were made from."""

from __future__ import annotations

import hashlib

from graphc.runtime.disk_cache import DiskCache, graphc_version
from graphc.runtime.llvm.compiler import engine, native
from graphc.runtime.llvm.compiler.target import Target


def key_of(ir: str, target: Target) -> str:
    """The name of a module's object: a hash of everything that decides its content."""
    content = "\0".join([ir, str(target), native.versions(), graphc_version()])
    return hashlib.sha256(content.encode()).hexdigest()


def compile_cached(ir: str, target: Target, cache: DiskCache) -> tuple[bytes, bool]:
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
