"""The functions of the C library that the pool calls, and the system's numbers for them."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys

from graphc.errors import CompileError
from graphc.runtime.llvm.ir.module import Module

DECLARATIONS = {
    "sched_yield": "i32 @sched_yield()",
    "clock_gettime": "i32 @clock_gettime(i32, ptr)",
    "pthread_create": "i32 @pthread_create(ptr, ptr, ptr, ptr)",
    "pthread_join": "i32 @pthread_join(ptr, ptr)",
    "pthread_sigmask": "i32 @pthread_sigmask(i32, ptr, ptr)",
    "sigfillset": "i32 @sigfillset(ptr)",
    "sigdelset": "i32 @sigdelset(ptr, i32)",
    "pthread_mutex_init": "i32 @pthread_mutex_init(ptr, ptr)",
    "pthread_mutex_lock": "i32 @pthread_mutex_lock(ptr)",
    "pthread_mutex_unlock": "i32 @pthread_mutex_unlock(ptr)",
    "pthread_cond_init": "i32 @pthread_cond_init(ptr, ptr)",
    "pthread_cond_wait": "i32 @pthread_cond_wait(ptr, ptr)",
    "pthread_cond_broadcast": "i32 @pthread_cond_broadcast(ptr)",
    "syscall": "i64 @syscall(i64, ...)",
}

_FUTEX_CALLS = {"x86_64": 202, "aarch64": 98}


def futex_call() -> int | None:
    """The number of Linux's futex call, or None on a system that has none."""
    return _FUTEX_CALLS.get(platform.machine()) if sys.platform == "linux" else None


def declare(module: Module, *names: str) -> None:
    """Declare some of these functions in a module."""
    for name in names:
        module.declare(name, f"declare {DECLARATIONS[name]} nounwind")


@functools.cache
def addresses() -> dict[str, int]:
    """The address of each function.

    Raises:
        CompileError: if this system's C library lacks one.
    """
    library = ctypes.CDLL(None)
    return {name: _address(library, name) for name in DECLARATIONS}


def _address(library: ctypes.CDLL, name: str) -> int:
    try:
        found = ctypes.cast(library[name], ctypes.c_void_p).value
    except AttributeError:
        found = None
    if found is None:
        raise CompileError("the C library has no such function", got=name, fix="use threads=1")
    return found
