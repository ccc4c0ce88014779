"""Pools of native threads as Python sees them: one for each number of threads, never freed."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable

from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.engine import Library
from graphc.runtime.llvm.pool.layout import pool_bytes
from graphc.runtime.llvm.pool.library import pool_library
from graphc.runtime.llvm.pool.lifetime import RESET, STOP

_LINE_BYTES = 128
_BETWEEN_TRIES = 0.001


class Pool:
    """Threads that help whoever calls ``graphc.parallel_for`` with this pool's address.

    They start with the first parallel region. The memory and the code stay until the process ends,
    so an address in generated code is always valid.

    Args:
        threads: how many may work at once, the caller included.
        library: the native code.

    Raises:
        ArgumentError: if that is no sensible number of threads.
    """

    def __init__(self, threads: int, library: Library) -> None:
        self.threads = threads
        """How many workers have a number: the caller is 0, the pool's threads 1, 2, ..."""
        self.workers = threads - 1
        """How many threads belong to the pool."""
        self.address = _forever(pool_bytes(threads))
        """What generated code is given."""
        self._reset: Callable[[int, int], None] = ctypes.CFUNCTYPE(
            None, ctypes.c_void_p, ctypes.c_int64
        )(library.address(RESET))
        self._stop: Callable[[int], int] = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(
            library.address(STOP)
        )
        self.renew()

    def renew(self) -> None:
        """Forget the threads: a forked child has none of its parent's."""
        self._reset(self.address, self.workers)

    def rest(self) -> bool:
        """End the threads unless a region is running, and return whether they ended."""
        return bool(self._stop(self.address))

    def close(self) -> None:
        """End the threads as soon as no region is running; the next region starts new ones."""
        while not self.rest():
            time.sleep(_BETWEEN_TRIES)


_pools: dict[int, Pool] = {}


def get_pool(threads: int) -> Pool:
    """The process's pool for so many threads.

    Args:
        threads: how many may work at once, the caller included; at least 1.

    Returns:
        The same pool for every caller.

    Raises:
        ArgumentError: if that is no sensible number of threads.
        CompileError: if this system lacks a function that the pool needs.

    Example:
        >>> pool = get_pool(2)
        >>> pool.workers, pool is get_pool(2)
        (1, True)
    """
    found = _pools.get(threads)
    if found is not None:
        return found
    return _pools.setdefault(threads, Pool(threads, pool_library()))  # atomic, so the first wins


def _forever(size: int) -> int:
    """The address of memory that is zero, starts a cache line, and is never freed."""
    allocate = ctypes.CDLL(None).calloc
    allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
    address: int | None = allocate(1, size + _LINE_BYTES)
    if address is None:
        raise CompileError("no memory for a pool of threads")
    return address + -address % _LINE_BYTES


def _before_fork() -> None:
    """Let the threads end first: Python warns of forks while threads run. A busy pool stays."""
    for pool in list(_pools.values()):
        pool.rest()


def _in_child() -> None:
    for pool in list(_pools.values()):
        pool.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)
