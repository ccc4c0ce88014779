"""Parallel regions: the caller publishes pieces of work, takes part, and waits for the others.

A caller never waits for a thread that has not begun a piece. Where there is no pool, or somebody
else is in it, the caller does everything by itself.
"""

from __future__ import annotations

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool.layout import (
    ASLEEP,
    BUSY,
    CONTEXT,
    CONTROL,
    FINISHED,
    GRAIN,
    MOST_PIECES_LOG,
    ONE_PIECE,
    PARKED,
    RESULT,
    STARTED,
    STATE,
    TASK,
    UNITS,
    WAITING,
    WORKERS,
)
from graphc.runtime.llvm.pool.text import define, field, lines

PARALLEL_FOR = "graphc.parallel_for"
PARALLEL_FOR_DECLARATION = f"declare i32 @{PARALLEL_FOR}(ptr, ptr, ptr, i64, i64) nounwind"
"""``i32 (pool, task, context, units, grain)``, the bitwise or of what the tasks returned.

The task is ``i32 (ptr context, i64 worker, i64 begin, i64 end)``. Workers that run at the same time
have different numbers, from 0 to one less than the number of threads. A piece has ``grain`` units,
and the last one the rest; without help all units may be one piece.
"""

PARK = "graphc.park"
"""``void (pool)``: no region will follow soon, so that idle threads sleep at once."""

_WORK = lines(
    field("state", STATE),
    field("task.at", TASK),
    field("context.at", CONTEXT),
    field("units.at", UNITS),
    field("grain.at", GRAIN),
    field("control.at", CONTROL),
)
"""The addresses of what describes the work that is published."""


def define_regions(module: Module) -> None:
    """Add the two functions that generated code calls, and what they need."""
    _define_share(module)
    _define_join(module)
    _define_wake_workers(module)
    _define_parallel_for(module)
    _define_park(module)


def _define_share(module: Module) -> None:
    """Claim pieces and do them until there are none, and return how many it were.

    The caller claims from the front and the workers from the back, so that a thread meets the data
    again that it worked on in the region before.
    """
    module.declare("llvm.smin.i64", "declare i64 @llvm.smin.i64(i64, i64)")
    define(
        module,
        "i64 @graphc.pool.share(ptr %pool, i64 %worker)",
        f"""
        entry:
          {_WORK}
          {field("result.at", RESULT)}
          %is.caller = icmp eq i64 %worker, 0
          %claim = select i1 %is.caller, i64 {1 - ONE_PIECE}, i64 {-ONE_PIECE}
          br label %next
        next:
          %done = phi i64 [ 0, %entry ], [ %more, %counted ]
          %old = atomicrmw add ptr %state, i64 %claim seq_cst
          %left = ashr i64 %old, 32
          %some = icmp sgt i64 %left, 0
          br i1 %some, label %run, label %end
        run:
          %front = and i64 %old, {ONE_PIECE - 1}
          %behind = add i64 %front, %left
          %back = sub i64 %behind, 1
          %piece = select i1 %is.caller, i64 %front, i64 %back
          %task = load ptr, ptr %task.at, align 8
          %context = load ptr, ptr %context.at, align 8
          %units = load i64, ptr %units.at, align 8
          %grain = load i64, ptr %grain.at, align 8
          %control = load i64, ptr %control.at, align 8
          %begin = mul i64 %piece, %grain
          %rest = sub i64 %units, %begin
          %size = call i64 @llvm.smin.i64(i64 %grain, i64 %rest)
          %limit = add i64 %begin, %size
          call void @graphc.pool.adopt(i64 %control)
          %result = call i32 %task(ptr %context, i64 %worker, i64 %begin, i64 %limit)
          %more = add i64 %done, 1
          %fine = icmp eq i32 %result, 0
          br i1 %fine, label %counted, label %note
        note:
          %before = atomicrmw or ptr %result.at, i32 %result seq_cst
          br label %counted
        counted:
          br label %next
        end:
          ret i64 %done
        """,
    )


def _define_join(module: Module) -> None:
    """Wait until the workers have finished so many pieces."""
    define(
        module,
        "void @graphc.pool.join(ptr %pool, i64 %pieces)",
        f"""
        entry:
          {field("finished", FINISHED)}
          {field("waiting", WAITING)}
          br label %look
        look:
          %count = load atomic i64, ptr %finished acquire, align 8
          %all = icmp eq i64 %count, %pieces
          br i1 %all, label %end, label %watch
        watch:
          %changed = call i1 @graphc.pool.changed(ptr %finished, i64 %count)
          br i1 %changed, label %look, label %announce
        announce:
          store atomic i32 1, ptr %waiting seq_cst, align 4
          %latest = load atomic i64, ptr %finished seq_cst, align 8
          %same = icmp eq i64 %latest, %count
          br i1 %same, label %sleep, label %awake
        sleep:
          %word = trunc i64 %count to i32
          call void @graphc.pool.wait(ptr %pool, ptr %finished, i32 %word)
          br label %awake
        awake:
          store atomic i32 0, ptr %waiting seq_cst, align 4
          br label %look
        end:
          ret void
        """,
    )


def _define_wake_workers(module: Module) -> None:
    """Wake so many of the workers that sleep, if any do.

    When as many woke as were asked for, others may still sleep, and the mark stays.
    """
    define(
        module,
        "void @graphc.pool.wake_workers(ptr %pool, i64 %most)",
        f"""
        entry:
          {field("asleep", ASLEEP)}
          %mark = load atomic i32, ptr %asleep seq_cst, align 4
          %any = icmp ne i32 %mark, 0
          br i1 %any, label %wake, label %end
        wake:
          store atomic i32 0, ptr %asleep seq_cst, align 4
          %limit = trunc i64 %most to i32
          %woken = call i32 @graphc.pool.wake(ptr %pool, ptr %asleep, i32 %limit)
          %others = icmp eq i32 %woken, %limit
          br i1 %others, label %remain, label %end
        remain:
          store atomic i32 1, ptr %asleep seq_cst, align 4
          br label %end
        end:
          ret void
        """,
    )


_DIVIDE = f"""
        entry:
          %some = icmp sgt i64 %units, 0
          br i1 %some, label %divide, label %nothing
        nothing:
          ret i32 0
        divide:
          %crowd = lshr i64 %units, {MOST_PIECES_LOG}
          %least = add i64 %crowd, 1
          %size = call i64 @llvm.smax.i64(i64 %grain, i64 %least)
          %last = sub i64 %units, 1
          %others = udiv i64 %last, %size
          %several = icmp ne i64 %others, 0
          %given = icmp ne ptr %pool, null
          %wanted = and i1 %several, %given
          br i1 %wanted, label %consider, label %alone
        consider:
          {field("workers.at", WORKERS)}
          %workers = load i64, ptr %workers.at, align 8
          %helpers = call i64 @llvm.smin.i64(i64 %others, i64 %workers)
          %hopeful = icmp ne i64 %helpers, 0
          br i1 %hopeful, label %enter, label %alone
        enter:
          {field("busy", BUSY)}
          %entry.try = cmpxchg ptr %busy, i32 0, i32 1 seq_cst monotonic
          %mine = extractvalue {{ i32, i1 }} %entry.try, 1
          br i1 %mine, label %entered, label %alone
        alone:
          %own = call i32 %task(ptr %context, i64 0, i64 0, i64 %units)
          ret i32 %own
"""
"""Cut the units into pieces; do all of them where nobody may help or the pool is taken."""

_TOGETHER = f"""\
        entered:
          {field("started.at", STARTED)}
          %started = load i64, ptr %started.at, align 8
          %fresh = icmp eq i64 %started, 0
          br i1 %fresh, label %start, label %publish
        start:
          call void @graphc.pool.start(ptr %pool)
          br label %publish
        publish:
          {_WORK}
          {field("finished", FINISHED)}
          {field("result.at", RESULT)}
          %control = call i64 @graphc.pool.controls()
          store i64 0, ptr %finished, align 8
          store i32 0, ptr %result.at, align 4
          store ptr %task, ptr %task.at, align 8
          store ptr %context, ptr %context.at, align 8
          store i64 %units, ptr %units.at, align 8
          store i64 %size, ptr %grain.at, align 8
          store i64 %control, ptr %control.at, align 8
          %unclaimed = shl i64 %others, 32
          %work = or i64 %unclaimed, 1
          store atomic i64 %work, ptr %state seq_cst, align 8
          call void @graphc.pool.wake_workers(ptr %pool, i64 %helpers)
          %first = call i32 %task(ptr %context, i64 0, i64 0, i64 %size)
          %shared = call i64 @graphc.pool.share(ptr %pool, i64 0)
          %foreign = sub i64 %others, %shared
          %help = icmp ne i64 %foreign, 0
          br i1 %help, label %join, label %leave
        join:
          call void @graphc.pool.join(ptr %pool, i64 %foreign)
          br label %leave
        leave:
          %rest = load i32, ptr %result.at, align 4
          %result = or i32 %first, %rest
          store atomic i32 0, ptr %busy release, align 4
          ret i32 %result
        """
"""Publish the pieces, take part, and wait for what others took."""


def _define_parallel_for(module: Module) -> None:
    module.declare("llvm.smax.i64", "declare i64 @llvm.smax.i64(i64, i64)")
    signature = f"i32 @{PARALLEL_FOR}(ptr %pool, ptr %task, ptr %context, i64 %units, i64 %grain)"
    define(module, signature, _DIVIDE + _TOGETHER)


def _define_park(module: Module) -> None:
    """Replace the state unless it speaks of work; another thread may be publishing some."""
    define(
        module,
        f"void @{PARK}(ptr %pool)",
        f"""
        entry:
          %given = icmp ne ptr %pool, null
          br i1 %given, label %look, label %end
        look:
          {field("state", STATE)}
          %old = load atomic i64, ptr %state acquire, align 8
          %left = ashr i64 %old, 32
          %work = icmp sgt i64 %left, 0
          %parked = icmp sle i64 %left, {PARKED}
          %keep = or i1 %work, %parked
          br i1 %keep, label %end, label %mark
        mark:
          %try = cmpxchg ptr %state, i64 %old, i64 {PARKED * ONE_PIECE} seq_cst monotonic
          br label %end
        end:
          ret void
        """,
    )
