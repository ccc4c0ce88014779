"""Starting and ending the threads of a pool, and making it new in a forked process.

The first parallel region starts the threads, so that a pool costs nothing before and a forked child
gets its own. They block signals, which are for the threads that Python knows, except those that
tell of a fault in the thread itself.
"""

from __future__ import annotations

import signal

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool.layout import (
    ASLEEP,
    BUSY,
    FINISHED,
    ONE_PIECE,
    RESULT,
    SLOT_BYTES,
    SLOT_NUMBER,
    SLOT_THREAD,
    SLOTS,
    STARTED,
    STATE,
    STOPPED,
    WAITING,
    WORKERS,
)
from graphc.runtime.llvm.pool.system import declare
from graphc.runtime.llvm.pool.text import define, field, lines

RESET = "graphc.pool.reset"
STOP = "graphc.pool.stop"

_SIGNAL_SET_BYTES = 128
_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP)


def define_lifetime(module: Module) -> None:
    """Add ``reset``, ``start`` and ``stop``."""
    _define_reset(module)
    _define_start(module)
    _define_stop(module)


def _define_reset(module: Module) -> None:
    """``void (ptr pool, i64 workers)``: a pool whose threads were not started."""
    define(
        module,
        f"void @{RESET}(ptr %pool, i64 %workers)",
        f"""
        entry:
          {field("busy", BUSY)}
          {field("workers.at", WORKERS)}
          {field("started", STARTED)}
          {field("state", STATE)}
          {field("asleep", ASLEEP)}
          {field("finished", FINISHED)}
          {field("result", RESULT)}
          {field("waiting", WAITING)}
          store i64 %workers, ptr %workers.at, align 8
          store i64 0, ptr %started, align 8
          store i64 0, ptr %state, align 8
          store i32 0, ptr %asleep, align 4
          store i64 0, ptr %finished, align 8
          store i32 0, ptr %result, align 4
          store i32 0, ptr %waiting, align 4
          call void @graphc.pool.prepare_sleep(ptr %pool)
          store atomic i32 0, ptr %busy release, align 4
          ret void
        """,
    )


def _define_start(module: Module) -> None:
    """Start the threads; the field ``STARTED`` is then 1 more than there are.

    Where the system refuses a thread, the pool works with those that it has.
    """
    declare(module, "sigfillset", "sigdelset", "pthread_sigmask", "pthread_create")
    faults = lines(*(f"call i32 @sigdelset(ptr %blocked, i32 {int(fault)})" for fault in _FAULTS))
    define(
        module,
        "void @graphc.pool.start(ptr %pool)",
        f"""
        entry:
          {field("started", STARTED)}
          {field("workers.at", WORKERS)}
          %workers = load i64, ptr %workers.at, align 8
          %blocked = alloca [{_SIGNAL_SET_BYTES} x i8], align 8
          %usual = alloca [{_SIGNAL_SET_BYTES} x i8], align 8
          call i32 @sigfillset(ptr %blocked)
          {faults}
          call i32 @pthread_sigmask(i32 {int(signal.SIG_SETMASK)}, ptr %blocked, ptr %usual)
          br label %look
        look:
          %number = phi i64 [ 0, %entry ], [ %next, %create ]
          %more = icmp slt i64 %number, %workers
          br i1 %more, label %create, label %end
        create:
          %next = add i64 %number, 1
          %offset = mul i64 %number, {SLOT_BYTES}
          %place = add i64 %offset, {SLOTS}
          %slot = getelementptr i8, ptr %pool, i64 %place
          %number.at = getelementptr i8, ptr %slot, i64 {SLOT_NUMBER}
          %thread.at = getelementptr i8, ptr %slot, i64 {SLOT_THREAD}
          store ptr %pool, ptr %slot, align 8
          store i64 %next, ptr %number.at, align 8
          %error = call i32 @pthread_create(ptr %thread.at, ptr null, ptr @graphc.pool.worker,
                                            ptr %slot)
          %fine = icmp eq i32 %error, 0
          br i1 %fine, label %look, label %end
        end:
          %mark = add i64 %number, 1
          store i64 %mark, ptr %started, align 8
          call i32 @pthread_sigmask(i32 {int(signal.SIG_SETMASK)}, ptr %usual, ptr null)
          ret void
        """,
    )


def _define_stop(module: Module) -> None:
    """``i32 (ptr pool)``: end the threads and return 1, or 0 if the pool is busy.

    The next parallel region starts them again.
    """
    declare(module, "pthread_join")
    define(
        module,
        f"i32 @{STOP}(ptr %pool)",
        f"""
        entry:
          {field("busy", BUSY)}
          %try = cmpxchg ptr %busy, i32 0, i32 1 seq_cst monotonic
          %mine = extractvalue {{ i32, i1 }} %try, 1
          br i1 %mine, label %entered, label %refused
        refused:
          ret i32 0
        entered:
          {field("started.at", STARTED)}
          %started = load i64, ptr %started.at, align 8
          %running = icmp ne i64 %started, 0
          br i1 %running, label %stop, label %leave
        stop:
          {field("state", STATE)}
          {field("asleep", ASLEEP)}
          store atomic i64 {STOPPED * ONE_PIECE}, ptr %state seq_cst, align 8
          store atomic i32 0, ptr %asleep seq_cst, align 4
          %threads = sub i64 %started, 1
          %most = trunc i64 %threads to i32
          %woken = call i32 @graphc.pool.wake(ptr %pool, ptr %asleep, i32 %most)
          br label %look
        look:
          %number = phi i64 [ 0, %stop ], [ %next, %join ]
          %more = icmp slt i64 %number, %threads
          br i1 %more, label %join, label %stopped
        join:
          %next = add i64 %number, 1
          %offset = mul i64 %number, {SLOT_BYTES}
          %place = add i64 %offset, {SLOTS + SLOT_THREAD}
          %thread.at = getelementptr i8, ptr %pool, i64 %place
          %thread = load ptr, ptr %thread.at, align 8
          %error = call i32 @pthread_join(ptr %thread, ptr null)
          br label %look
        stopped:
          store i64 0, ptr %started.at, align 8
          store atomic i64 0, ptr %state seq_cst, align 8
          br label %leave
        leave:
          store atomic i32 0, ptr %busy release, align 4
          ret i32 1
        """,
    )
