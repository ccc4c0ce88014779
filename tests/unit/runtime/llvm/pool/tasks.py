"""Native tasks for the pool, and native loops that call it, so that tests need no Python inside.

A context is an array of int64. The words are named below; those from IN_USE on say which workers'
numbers are in use.
"""

import ctypes
import functools
import time

import numpy as np
import numpy.typing as npt

from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool.library import SYMBOLS, link_pool, pool_library
from graphc.runtime.llvm.pool.region import (
    PARALLEL_FOR,
    PARALLEL_FOR_DECLARATION,
    PARK,
)
from graphc.runtime.llvm.pool.rounding import define_controls
from graphc.runtime.llvm.pool.system import addresses, declare
from graphc.runtime.llvm.pool.text import define

Context = npt.NDArray[np.int64]

SUM = 0  # of all units, or of the products
CALLS = 1
CLASHES = 2  # calls by a worker whose number was in use elsewhere
RESULT = 3  # what the task returns, masked by its first unit
MET = 4  # pieces that have met
POOL = 5  # for regions inside of regions
FACTORS = 6  # two float64 numbers
IN_USE = 16
WORDS = IN_USE + 64

TASKS = (
    "task.sum",
    "task.meet",
    "task.nested",
    "task.tiny",
    "task.count",
    "task.multiply",
    "task.nap",
)


def new_context() -> Context:
    return np.zeros(WORDS, np.int64)


@functools.cache
def pool_by_condition() -> engine.Library:
    """The pool as it is on systems without a futex."""
    return link_pool(host_target(), None)


def task(name: str) -> int:
    return _library(False).address(name)


def parallel_for(pool: int, task: int, context: Context, units: int, grain: int) -> int:
    return repeat(pool, task, context, units, grain, 1)


def park(pool: int) -> None:
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(pool_library().address(PARK))(pool)


def repeat(
    pool: int, task: int, context: Context, units: int, grain: int, times: int,
    by_condition: bool = False,
) -> int:  # fmt: skip
    """Call it so often from native code, where the GIL is free, and or the results."""
    pointers, numbers = [ctypes.c_void_p] * 3, [ctypes.c_int64] * 3
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *pointers, *numbers)(
        _library(by_condition).address("repeat")
    )
    return int(function(pool, task, context.ctypes.data, units, grain, times))


def idle() -> bool:
    """Whether this process idles for 0.3 s; threads of other libraries may need a while to."""
    for _ in range(5):
        time.sleep(0.05)
        start = time.process_time()
        time.sleep(0.3)
        if time.process_time() - start < 0.01:
            return True
    return False


def controls() -> int:
    """The floating-point controls of this thread."""
    return int(ctypes.CFUNCTYPE(ctypes.c_int64)(_library(False).address("graphc.pool.controls"))())


def set_controls(wanted: int) -> None:
    setter = ctypes.CFUNCTYPE(None, ctypes.c_int64)
    setter(_library(False).address("graphc.pool.set_controls"))(wanted)


@functools.cache
def _library(by_condition: bool) -> engine.Library:
    module = Module(host_target())
    module.declare(PARALLEL_FOR, PARALLEL_FOR_DECLARATION)
    declare(module, "sched_yield")
    define_controls(module)
    for build in (_define_small, _define_sum, _define_meet, _define_nested, _define_repeat):
        build(module)
    code = engine.compile_object(module.text(), host_target())
    pool = pool_by_condition() if by_condition else pool_library()
    imports = {symbol: pool.address(symbol) for symbol in SYMBOLS}
    exports = [*TASKS, "repeat", "graphc.pool.controls", "graphc.pool.set_controls"]
    return engine.link([code], exports, imports={**addresses(), **imports})


def _signature(name: str) -> str:
    return f"i32 @task.{name}(ptr %context, i64 %worker, i64 %begin, i64 %end)"


def _word(name: str, word: int) -> str:
    return f"%{name} = getelementptr i64, ptr %context, i64 {word}"


def _define_small(module: Module) -> None:
    """Nothing; counting units and calls; a product; the second of two pieces sleeping 0.1 s."""
    define(module, _signature("tiny"), "entry:\n  ret i32 0")
    define(
        module,
        _signature("count"),
        f"""
        entry:
          {_word("sum", SUM)}
          {_word("calls", CALLS)}
          %units = sub i64 %end, %begin
          %before = atomicrmw add ptr %sum, i64 %units seq_cst
          %number = atomicrmw add ptr %calls, i64 1 seq_cst
          ret i32 0
        """,
    )
    define(
        module,
        _signature("multiply"),
        f"""
        entry:
          {_word("a.at", FACTORS)}
          {_word("b.at", FACTORS + 1)}
          {_word("sum", SUM)}
          %a = load double, ptr %a.at, align 8
          %b = load double, ptr %b.at, align 8
          %product = fmul double %a, %b
          %bits = bitcast double %product to i64
          %before = atomicrmw add ptr %sum, i64 %bits seq_cst
          %met = call i32 @task.meet(ptr %context, i64 %worker, i64 %begin, i64 %end)
          ret i32 %met
        """,
    )

    module.declare("usleep", "declare i32 @usleep(i32)")
    define(
        module,
        _signature("nap"),
        """
        entry:
          %met = call i32 @task.meet(ptr %context, i64 %worker, i64 %begin, i64 %end)
          %second = icmp eq i64 %begin, 1
          br i1 %second, label %nap, label %awake
        nap:
          call i32 @usleep(i32 100000)
          br label %awake
        awake:
          ret i32 %met
        """,
    )


def _define_sum(module: Module) -> None:
    """Add up the units one by one, and check that nobody else uses this worker's number."""
    define(
        module,
        _signature("sum"),
        f"""
        entry:
          {_word("sum", SUM)}
          {_word("calls", CALLS)}
          {_word("clashes", CLASHES)}
          {_word("result.at", RESULT)}
          %place = add i64 %worker, {IN_USE}
          %mine = getelementptr i64, ptr %context, i64 %place
          %used = atomicrmw xchg ptr %mine, i64 1 seq_cst
          %clash = atomicrmw add ptr %clashes, i64 %used seq_cst
          br label %add
        add:
          %unit = phi i64 [ %begin, %entry ], [ %next, %add ]
          %total = phi i64 [ 0, %entry ], [ %new, %add ]
          %new = add i64 %total, %unit
          %next = add i64 %unit, 1
          %more = icmp slt i64 %next, %end
          br i1 %more, label %add, label %end.of.units
        end.of.units:
          %before = atomicrmw add ptr %sum, i64 %new seq_cst
          %number = atomicrmw add ptr %calls, i64 1 seq_cst
          %free = atomicrmw xchg ptr %mine, i64 0 seq_cst
          %wide = load i64, ptr %result.at, align 8
          %all = trunc i64 %wide to i32
          %own = trunc i64 %begin to i32
          %result = and i32 %all, %own
          ret i32 %result
        """,
    )


def _define_meet(module: Module) -> None:
    """Wait for the other piece of two to begin, so that two threads must take part."""
    define(
        module,
        _signature("meet"),
        f"""
        entry:
          {_word("met", MET)}
          %before = atomicrmw add ptr %met, i64 1 seq_cst
          %round = and i64 %before, -2
          %both = add i64 %round, 2
          br label %look
        look:
          %tries = phi i64 [ 0, %entry ], [ %tried, %yield ], [ %tried, %again ]
          %now = load atomic i64, ptr %met seq_cst, align 8
          %here = icmp sge i64 %now, %both
          %tried = add i64 %tries, 1
          br i1 %here, label %end.of.wait, label %again
        again:
          %spin = icmp slt i64 %tries, 1000
          br i1 %spin, label %look, label %yield
        yield:
          call i32 @sched_yield()
          br label %look
        end.of.wait:
          ret i32 0
        """,
    )


def _define_nested(module: Module) -> None:
    """Open a region inside a region, with a context of its own, and add up what it says."""
    module.declare("llvm.memset", "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
    define(
        module,
        _signature("nested"),
        f"""
        entry:
          {_word("pool.at", POOL)}
          {_word("total", SUM)}
          {_word("clashes", CLASHES)}
          %pool = load ptr, ptr %pool.at, align 8
          %own = alloca [{WORDS} x i64], align 8
          call void @llvm.memset.p0.i64(ptr %own, i8 0, i64 {8 * WORDS}, i1 false)
          %result = call i32 @{PARALLEL_FOR}(ptr %pool, ptr @task.sum, ptr %own, i64 100, i64 7)
          %own.sum = getelementptr i64, ptr %own, i64 {SUM}
          %own.clashes = getelementptr i64, ptr %own, i64 {CLASHES}
          %sum = load i64, ptr %own.sum, align 8
          %clash = load i64, ptr %own.clashes, align 8
          %before = atomicrmw add ptr %total, i64 %sum seq_cst
          %then = atomicrmw add ptr %clashes, i64 %clash seq_cst
          ret i32 %result
        """,
    )


def _define_repeat(module: Module) -> None:
    define(
        module,
        "i32 @repeat(ptr %pool, ptr %task, ptr %context, i64 %units, i64 %grain, i64 %times)",
        f"""
        entry:
          br label %again
        again:
          %count = phi i64 [ 0, %entry ], [ %next, %again ]
          %result = phi i32 [ 0, %entry ], [ %both, %again ]
          %one = call i32 @{PARALLEL_FOR}(ptr %pool, ptr %task, ptr %context, i64 %units,
                                          i64 %grain)
          %both = or i32 %result, %one
          %next = add i64 %count, 1
          %more = icmp slt i64 %next, %times
          br i1 %more, label %again, label %end
        end:
          ret i32 %both
        """,
    )
