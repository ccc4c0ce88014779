"""Waiting for a word to change, awake: at first bare, then giving the processor to others.

The instruction made for such loops, x86's `pause`, is not used: under a hypervisor it can cost
hundreds of microseconds.
"""

from __future__ import annotations

import time

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool.system import declare
from graphc.runtime.llvm.pool.text import define

SPIN_NANOSECONDS = 2_000
"""So long a thread looks without a break."""

AWAKE_NANOSECONDS = 50_000
"""So long it stays awake and yields between looks, as the next region of a step may be near."""

_LOOKS = 64
"""How often it looks before it asks for the time or yields."""


def define_watch(module: Module) -> None:
    """Add ``i1 @graphc.pool.changed(ptr word, i64 old)``.

    It returns true as soon as the word differs from ``old``, or false when it did not for long.
    """
    declare(module, "clock_gettime", "sched_yield")
    define(
        module,
        "i64 @graphc.pool.now()",
        f"""
        entry:
          %time = alloca [2 x i64], align 8
          call i32 @clock_gettime(i32 {time.CLOCK_MONOTONIC}, ptr %time)
          %seconds = load i64, ptr %time, align 8
          %rest = getelementptr i8, ptr %time, i64 8
          %nanoseconds = load i64, ptr %rest, align 8
          %scaled = mul i64 %seconds, 1000000000
          %now = add i64 %scaled, %nanoseconds
          ret i64 %now
        """,
    )
    define(
        module,
        "i1 @graphc.pool.changed(ptr %word, i64 %old)",
        f"""
        entry:
          br label %look
        look:
          %since = phi i64 [ 0, %entry ], [ %since, %again ], [ %start, %on ]
          %looks = phi i64 [ {_LOOKS}, %entry ], [ %fewer, %again ], [ {_LOOKS}, %on ]
          %value = load atomic i64, ptr %word acquire, align 8
          %same = icmp eq i64 %value, %old
          br i1 %same, label %again, label %changed
        again:
          %fewer = sub i64 %looks, 1
          %none = icmp eq i64 %fewer, 0
          br i1 %none, label %clock, label %look
        clock:
          %now = call i64 @graphc.pool.now()
          %first = icmp eq i64 %since, 0
          %start = select i1 %first, i64 %now, i64 %since
          %elapsed = sub i64 %now, %start
          %short = icmp slt i64 %elapsed, {SPIN_NANOSECONDS}
          br i1 %short, label %on, label %tired
        tired:
          %long = icmp sgt i64 %elapsed, {AWAKE_NANOSECONDS}
          br i1 %long, label %unchanged, label %yield
        yield:
          call i32 @sched_yield()
          br label %on
        on:
          br label %look
        changed:
          ret i1 true
        unchanged:
          ret i1 false
        """,
    )
