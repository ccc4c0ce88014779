"""Sleeping until another thread says so: by futex, or by mutex and condition where there is none.

``wait`` may return for no reason, so its callers look again. ``wake`` returns how many threads it
woke, or 0 if it woke all that sleep.
"""

from __future__ import annotations

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool.layout import CONDITION, MUTEX
from graphc.runtime.llvm.pool.system import declare
from graphc.runtime.llvm.pool.text import define, field, lines

_WAIT = "void @graphc.pool.wait(ptr %pool, ptr %word, i32 %expected)"
_WAKE = "i32 @graphc.pool.wake(ptr %pool, ptr %word, i32 %most)"
_PREPARE = "void @graphc.pool.prepare_sleep(ptr %pool)"

_BOTH = lines(field("mutex", MUTEX), field("condition", CONDITION))

_FUTEX_WAIT_PRIVATE = 128
_FUTEX_WAKE_PRIVATE = 129


def define_sleep(module: Module, futex_call: int | None) -> None:
    """Add ``wait``, ``wake`` and ``prepare_sleep``.

    Args:
        module: where they go.
        futex_call: the number of the system call, or None to do without.
    """
    if futex_call is None:
        _define_by_condition(module)
    else:
        _define_by_futex(module, futex_call)


def _define_by_futex(module: Module, number: int) -> None:
    declare(module, "syscall")
    define(
        module,
        _WAIT,
        f"""
        entry:
          call i64 (i64, ...) @syscall(i64 {number}, ptr %word, i64 {_FUTEX_WAIT_PRIVATE},
                                       i32 %expected, ptr null)
          ret void
        """,
    )
    define(
        module,
        _WAKE,
        f"""
        entry:
          %woken = call i64 (i64, ...) @syscall(i64 {number}, ptr %word,
                                                i64 {_FUTEX_WAKE_PRIVATE}, i32 %most)
          %count = trunc i64 %woken to i32
          ret i32 %count
        """,
    )
    define(module, _PREPARE, "entry:\n  ret void")


def _define_by_condition(module: Module) -> None:
    kinds = ("mutex_init", "mutex_lock", "mutex_unlock", "cond_init", "cond_wait", "cond_broadcast")
    declare(module, *(f"pthread_{kind}" for kind in kinds))
    define(
        module,
        _WAIT,
        f"""
        entry:
          {_BOTH}
          call i32 @pthread_mutex_lock(ptr %mutex)
          %value = load atomic i32, ptr %word seq_cst, align 4
          %unchanged = icmp eq i32 %value, %expected
          br i1 %unchanged, label %sleep, label %end
        sleep:
          call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
          br label %end
        end:
          call i32 @pthread_mutex_unlock(ptr %mutex)
          ret void
        """,
    )
    define(
        module,
        _WAKE,
        f"""
        entry:
          {_BOTH}
          call i32 @pthread_mutex_lock(ptr %mutex)
          call i32 @pthread_cond_broadcast(ptr %condition)
          call i32 @pthread_mutex_unlock(ptr %mutex)
          ret i32 0
        """,
    )
    define(
        module,
        _PREPARE,
        f"""
        entry:
          {_BOTH}
          call i32 @pthread_mutex_init(ptr %mutex, ptr null)
          call i32 @pthread_cond_init(ptr %condition, ptr null)
          ret void
        """,
    )
