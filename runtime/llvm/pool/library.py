"""The pool's native code, compiled and linked once for the process."""

from __future__ import annotations

import functools

from graphc.runtime.disk_cache import open_cache
from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.cache import compile_cached
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool import system
from graphc.runtime.llvm.pool.lifetime import RESET, STOP, define_lifetime
from graphc.runtime.llvm.pool.region import PARALLEL_FOR, PARK, define_regions
from graphc.runtime.llvm.pool.rounding import define_controls
from graphc.runtime.llvm.pool.sleeping import define_sleep
from graphc.runtime.llvm.pool.watching import define_watch
from graphc.runtime.llvm.pool.worker import define_worker

SYMBOLS = (PARALLEL_FOR, PARK, RESET, STOP)


def pool_module(target: Target, futex_call: int | None) -> Module:
    """The pool as text IR.

    Args:
        target: the processor that it is for.
        futex_call: Linux's number of that call, or None for systems without.
    """
    module = Module(target)
    define_sleep(module, futex_call)
    define_watch(module)
    define_controls(module)
    define_regions(module)
    define_worker(module)
    define_lifetime(module)
    return module


def link_pool(target: Target, futex_call: int | None) -> engine.Library:
    """Compile the pool, or take it from the disk cache, and load it.

    Raises:
        CompileError: if this system's C library lacks a function that the pool needs.
    """
    code, _ = compile_cached(pool_module(target, futex_call).text(), target, open_cache())
    return engine.link([code], SYMBOLS, imports=system.addresses())


_kept: list[engine.Library] = []


@functools.cache
def pool_library() -> engine.Library:
    """The process's copy, which is never unloaded: its threads run in it.

    Two Python threads that ask at once may load two copies. Both stay, and work on the same pools;
    a lock instead would have to survive forks.
    """
    library = link_pool(host_target(), system.futex_call())
    _kept.append(library)
    return library


def imports() -> dict[str, int]:
    """The functions that generated code calls, for ``link`` of ``compiler.engine``."""
    return {symbol: pool_library().address(symbol) for symbol in (PARALLEL_FOR, PARK)}
