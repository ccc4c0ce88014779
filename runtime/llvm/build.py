"""From a module to loaded code: its parts are compiled side by side, or come from the cache."""

from __future__ import annotations

import time
from collections.abc import Iterable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from graphc.runtime.llvm import engine
from graphc.runtime.llvm.cache import ObjectCache, compile_cached, open_cache
from graphc.runtime.llvm.module import Module
from graphc.runtime.llvm.pool.library import imports
from graphc.runtime.llvm.pool.region import PARALLEL_FOR
from graphc.runtime.llvm.target import Target
from graphc.runtime.llvm.units import split
from graphc.runtime.threads import default_threads


def build(
    module: Module, exports: Iterable[str], phases: MutableMapping[str, float]
) -> engine.Library:
    """Compile what the cache does not have, and load everything.

    Args:
        module: the code.
        exports: the functions whose addresses will be asked for.
        phases: gets the seconds of compiling and of linking.

    Raises:
        CompileError: if LLVM refuses the text.
    """
    start = time.perf_counter()
    results = _compiled(split(module), module.target, open_cache())
    built = time.perf_counter()
    all_cached = all(cached for _, cached in results)
    phases["load from cache" if all_cached else "compile"] = built - start
    regions = imports() if PARALLEL_FOR in module.declarations else {}
    library = engine.link([code for code, _ in results], exports, regions)
    phases["link"] = time.perf_counter() - built
    return library


def _compiled(parts: Sequence[str], target: Target, cache: ObjectCache) -> list[tuple[bytes, bool]]:
    """The object of each part, and whether it came from the cache."""
    with ThreadPoolExecutor(default_threads()) as workers:
        return list(workers.map(lambda part: compile_cached(part, target, cache), parts))
