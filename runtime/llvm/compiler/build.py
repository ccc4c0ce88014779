"""The parts of a module: compiled side by side, or taken from the disk cache."""

from __future__ import annotations

import time
from collections.abc import MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from graphc.runtime.disk_cache import DiskCache
from graphc.runtime.llvm.compiler.cache import compile_cached, key_of
from graphc.runtime.llvm.compiler.units import Part
from graphc.runtime.threads import default_threads


def compile_parts(
    parts: Sequence[Part], cache: DiskCache, phases: MutableMapping[str, float]
) -> tuple[list[bytes], tuple[str, ...]]:
    """The object of each part and its key.

    Args:
        parts: what to compile.
        cache: where objects may be, and are put.
        phases: gets the seconds that it took.

    Raises:
        CompileError: if LLVM refuses a text.
    """
    start = time.perf_counter()
    longest_first = sorted(parts, key=lambda part: len(part.text), reverse=True)
    with ThreadPoolExecutor(default_threads()) as workers:
        futures = {
            part: workers.submit(compile_cached, part.text, part.target, cache)
            for part in longest_first
        }
        results = [futures[part].result() for part in parts]
    all_cached = all(cached for _, cached in results)
    phases["load from cache" if all_cached else "compile"] = time.perf_counter() - start
    return [code for code, _ in results], tuple(key_of(part.text, part.target) for part in parts)


def stored_objects(keys: Sequence[str], cache: DiskCache) -> list[bytes] | None:
    """The objects with these keys, or None if one is missing."""
    found = [code for key in keys if (code := cache.get(key)) is not None]
    return found if len(found) == len(keys) else None
