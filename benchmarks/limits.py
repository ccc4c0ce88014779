"""What the machine can do at this moment: runs that are timed in turns with what they limit."""

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Run
from graphc.runtime.llvm.compiler.engine import Library, compile_object, link
from graphc.runtime.llvm.compiler.target import host_target

ACCUMULATORS = 12
"""Independent sums: enough to hide the latency of a multiply-add, few enough for registers."""
ROUNDS = 500_000
COPIED = 1 << 24
"""Float32 elements of a copy: more than the caches hold."""


@dataclass(frozen=True)
class Limit:
    """Work that does nothing else.

    Args:
        run: do it once, on all threads.
        amount: what one run does, in operations or in bytes read and written.
        kept: what must live as long as ``run``.
    """

    run: Run
    amount: float
    kept: object = None


def multiply_adds(threads: int) -> Limit:
    """Vector multiply-adds of float32 in registers, by graphc's own code generator."""
    lanes = host_target().lanes(32)
    library = _kernel(lanes)
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(library.address("peak"))
    arrays = [np.full(lanes, 0.5, np.float32) for _ in range(threads)]
    tasks = [partial(function, array.ctypes.data, ROUNDS) for array in arrays]
    amount = 2.0 * lanes * ACCUMULATORS * ROUNDS * threads
    return Limit(_together(tasks), amount, (library, arrays))


def copies(threads: int) -> Limit:
    """numpy's copy of an array that is larger than the caches, a part for each thread."""
    source = np.ones(COPIED, np.float32)
    target = np.empty_like(source)
    parts = zip(np.array_split(target, threads), np.array_split(source, threads), strict=True)
    tasks = [partial(np.copyto, to, of) for to, of in parts]
    return Limit(_together(tasks), 2.0 * source.nbytes)


def _together(tasks: Sequence[Callable[[], Any]]) -> Run:
    """All tasks at once; the caller does the first one."""
    first, *others = tasks
    if not others:
        return first
    pool = ThreadPoolExecutor(len(others))

    def run() -> None:
        waiting = [pool.submit(task) for task in others]
        first()
        for each in waiting:
            each.result()

    return run


def _kernel(lanes: int) -> Library:
    kind = f"<{lanes} x float>"
    numbers = range(ACCUMULATORS)
    starts = "\n".join(f"  %s{k} = phi {kind} [ %x, %entry ], [ %n{k}, %loop ]" for k in numbers)
    steps = "\n".join(
        f"  %n{k} = call {kind} @llvm.fma.v{lanes}f32({kind} %s{k}, {kind} %x, {kind} %x)"
        for k in numbers
    )
    sums = "\n".join(
        f"  %t{k} = fadd {kind} {'%n0' if k == 1 else f'%t{k - 1}'}, %n{k}" for k in numbers[1:]
    )
    text = f"""
declare {kind} @llvm.fma.v{lanes}f32({kind}, {kind}, {kind})
define void @peak(ptr %p, i64 %rounds) {{
entry:
  %x = load {kind}, ptr %p, align 4
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
{starts}
{steps}
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, %rounds
  br i1 %more, label %loop, label %end
end:
{sums}
  store {kind} %t{ACCUMULATORS - 1}, ptr %p, align 4
  ret void
}}
"""
    return link([compile_object(text, host_target())], ["peak"])
