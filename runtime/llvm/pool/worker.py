"""What a thread of the pool does from its start to its end."""

from __future__ import annotations

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool.layout import (
    ASLEEP,
    FINISHED,
    PARKED,
    SLOT_NUMBER,
    STATE,
    STOPPED,
    WAITING,
)
from graphc.runtime.llvm.pool.text import define, field


def define_worker(module: Module) -> None:
    """Add ``ptr @graphc.pool.worker(ptr slot)``, the thread's main function.

    Before it sleeps it leaves a mark and looks again: a caller publishes first and looks for the
    mark then, so that one of the two sees the other.
    """
    define(
        module,
        "ptr @graphc.pool.worker(ptr %slot)",
        f"""
        entry:
          %pool = load ptr, ptr %slot, align 8
          %number.at = getelementptr i8, ptr %slot, i64 {SLOT_NUMBER}
          %number = load i64, ptr %number.at, align 8
          {field("state", STATE)}
          {field("asleep", ASLEEP)}
          {field("finished", FINISHED)}
          {field("waiting", WAITING)}
          br label %look
        look:
          %now = load atomic i64, ptr %state acquire, align 8
          %left = ashr i64 %now, 32
          %work = icmp sgt i64 %left, 0
          br i1 %work, label %help, label %idle
        help:
          %done = call i64 @graphc.pool.share(ptr %pool, i64 %number)
          %helped = icmp ne i64 %done, 0
          br i1 %helped, label %report, label %look
        report:
          %before = atomicrmw add ptr %finished, i64 %done seq_cst
          %sleeper = load atomic i32, ptr %waiting seq_cst, align 4
          %call = icmp ne i32 %sleeper, 0
          br i1 %call, label %wake, label %look
        wake:
          %woken = call i32 @graphc.pool.wake(ptr %pool, ptr %finished, i32 1)
          br label %look
        idle:
          %stopped = icmp sle i64 %left, {STOPPED}
          br i1 %stopped, label %end, label %stay
        stay:
          %parked = icmp sle i64 %left, {PARKED}
          br i1 %parked, label %doze, label %watch
        watch:
          %changed = call i1 @graphc.pool.changed(ptr %state, i64 %now)
          br i1 %changed, label %look, label %doze
        doze:
          store atomic i32 1, ptr %asleep seq_cst, align 4
          %latest = load atomic i64, ptr %state seq_cst, align 8
          %left.now = ashr i64 %latest, 32
          %new.work = icmp sgt i64 %left.now, 0
          %new.stop = icmp sle i64 %left.now, {STOPPED}
          %news = or i1 %new.work, %new.stop
          br i1 %news, label %look, label %sleep
        sleep:
          call void @graphc.pool.wait(ptr %pool, ptr %asleep, i32 1)
          br label %look
        end:
          ret ptr null
        """,
    )
