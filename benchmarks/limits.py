"""What the machine can do at this moment, by graphc's own code generator: the yardstick."""

import ctypes
import time

import numpy as np

from graphc.runtime.llvm.engine import Library, compile_object, link
from graphc.runtime.llvm.target import host_target

ACCUMULATORS = 12
"""Independent sums: enough to hide the latency of a multiply-add, few enough for registers."""
ROUNDS = 1_000_000


def fma_peak(tries: int) -> float:
    """Float32 operations per second of one thread that does nothing but vector multiply-adds."""
    lanes = host_target().lanes(32)
    library = _kernel(lanes)
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(library.address("peak"))
    values = np.full(lanes, 0.5, np.float32)
    best = _best(lambda: function(values.ctypes.data, ROUNDS), tries)
    library.close()
    return 2.0 * lanes * ACCUMULATORS * ROUNDS / best


def copy_bandwidth(tries: int) -> float:
    """Bytes read and written per second by a copy that is larger than the caches (numpy's)."""
    source = np.ones(1 << 24, np.float32)
    target = np.empty_like(source)
    return 2 * source.nbytes / _best(lambda: np.copyto(target, source), tries)


def _best(run: object, tries: int) -> float:
    assert callable(run)
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


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
