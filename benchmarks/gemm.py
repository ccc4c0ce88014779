"""Generated matrix products against the BLAS behind ``torch.mm`` (or numpy), on one thread.

A line of ``SHAPES`` names rows, columns and terms, which operands lie in columns, and ``f64`` where
the numbers are float64.

graphc's side runs inside native code, as in a session; the other side is a call from Python that
writes into a matrix that is there.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.agreement import require_agreement
from benchmarks.case import Array, Job, Run
from benchmarks.limits import multiply_adds
from benchmarks.peers import find
from benchmarks.report import seconds
from benchmarks.timing import Timing, interleaved
from graphc.dtypes import DType, float32, float64, of_array
from graphc.runtime.llvm.compiler.engine import Library, compile_object, link
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.gemm.build import build_gemm
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout

NANOSECONDS = 200_000.0
"""Shorter products are repeated in native code for so long."""
CACHE_LINE = 64

SHAPES = (
    "16 16 16 NN", "32 32 32 NN", "64 64 64 NN", "64 64 64 NT", "64 64 64 TN", "64 64 64 TT",
    "32 64 4 NT", "32 2 64 NT", "2 64 32 TN",
    "128 128 128 NN", "128 128 128 NT", "128 128 128 TN", "128 128 128 TT",
    "256 256 256 NN", "256 256 256 NT", "256 256 256 TN", "256 256 256 TT",
    "512 512 512 NN", "512 512 512 NT", "512 512 512 TN", "512 512 512 TT",
    "1024 1024 1024 NN", "1024 1024 1024 NT", "1024 1024 1024 TN", "1024 1024 1024 TT",
    "128 512 784 NN", "128 512 784 NT", "128 10 512 NT", "784 512 128 TN", "128 784 512 NT",
    "256 2048 1024 NT", "256 1000 2048 NT", "2048 2048 256 TN", "256 2048 2048 NT",
    "1 512 784 NT", "1 2048 2048 NT", "1 2048 2048 NN", "8 2048 2048 NT",
    "32 32 32 NN f64", "64 64 64 NN f64", "64 64 64 NT f64", "64 64 64 TN f64",
    "128 128 128 NN f64", "256 256 256 NN f64", "256 256 256 NT f64", "256 256 256 TN f64",
    "1024 1024 1024 NN f64", "1024 1024 1024 NT f64", "1024 1024 1024 TN f64",
    "128 512 784 NT f64", "784 512 128 TN f64",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """One product, from a line of ``SHAPES``."""

    text: str

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Rows, columns and terms."""
        m, n, k = map(int, self.text.split()[:3])
        return m, n, k

    @property
    def transposed(self) -> tuple[bool, bool]:
        """Whether each operand lies in columns."""
        kinds = self.text.split()[3]
        return kinds[0] == "T", kinds[1] == "T"

    @property
    def dtype(self) -> DType:
        """Of all three matrices."""
        return float64 if self.text.endswith("f64") else float32


def measure_products(quick: bool) -> dict[str, Any]:
    """Time each product in turns with its rival and the peak; print a table, return its numbers."""
    time, rounds = (0.1, 8) if quick else (0.8, 60)
    limit, results = multiply_adds(1), {}
    rival = "numpy.matmul" if find("torch") is None else "torch.mm"
    print(f"matrix products, one thread: GF/s, {rival}'s time over graphc's")
    for line in SHAPES:
        shape = Shape(line)
        m, n, k = shape.sizes
        if quick and m * n * k > 1 << 24:
            continue
        product = _Product(shape)
        runs: dict[str, Run] = {rival: product.rival(), "graphc": product.once}
        wide = shape.dtype is float64
        require_agreement(line, Job(runs, tolerance=1e-13 if wide else 1e-5))
        runs = {rival: runs[rival], "graphc": product.repeated, "peak": limit.run}
        timings = interleaved(runs, time, rounds)
        own = Timing(tuple(each / product.repeats for each in timings["graphc"].samples))
        rate = 2.0 * m * n * k / own.median
        ratio = timings[rival].over(own)
        part = timings["peak"].over(own) * 2.0 * m * n * k * (1 + wide) / limit.amount
        results[line] = {"median": own.median, "ratio": ratio, "part of peak": part}
        print(
            f"  {line:<20}{seconds(own.median):>11}{rate / 1e9:9.1f} GF/s{ratio:8.2f}x"
            f"{part:8.0%} of the peak"
        )
    print()
    return {"gemm": results}


class _Product:
    """Operands of one product, and its native code."""

    def __init__(self, shape: Shape) -> None:
        m, n, k = shape.sizes
        random = np.random.default_rng(0)
        kind = shape.dtype.numpy
        self.a = _matrix(random, m, k, shape.transposed[0], kind)
        self.b = _matrix(random, k, n, shape.transposed[1], kind)
        self.c, self.other = _aligned((m, n), kind), _aligned((m, n), kind)
        module = Module(host_target())
        layouts = [_layout(array) for array in (self.a, self.b, self.c)]
        step = build_gemm(module, layouts[0], layouts[1], layouts[2])
        (phase,) = step.phases
        module.define("repeat", _REPEAT.format(symbol=phase.symbol, units=phase.units))
        code = compile_object(module.text(), module.target)
        self.library: Library = link([code], ["repeat"])
        entry = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_int64)
        self.function: Callable[..., None] = entry(self.library.address("repeat"))
        self.scratch = _aligned((max(1, step.scratch_bytes),), np.dtype(np.uint8))
        arrays = (self.a, self.b, self.c, self.scratch)
        self.addresses = [array.ctypes.data for array in arrays]
        self.repeats = max(1, round(NANOSECONDS / max(phase.nanoseconds, 1.0)))

    def once(self) -> Array:
        """The product."""
        self._call(1)
        return self.c

    def repeated(self) -> Array:
        """The same product several times."""
        self._call(self.repeats)
        return self.c

    def rival(self) -> Run:
        """The other library's product, into memory that is there."""
        torch: Any = find("torch")
        if torch is None:
            return lambda: np.matmul(self.a, self.b, out=self.other)
        a, b, c = map(torch.from_numpy, (self.a, self.b, self.other))
        return lambda: torch.mm(a, b, out=c)

    def _call(self, times: int) -> None:
        self.function(*self.addresses, times)


def _matrix(
    random: np.random.Generator, rows: int, columns: int, transposed: bool, dtype: np.dtype[Any]
) -> Array:
    matrix = _aligned((columns, rows) if transposed else (rows, columns), dtype)
    matrix[...] = random.normal(size=matrix.shape)
    return matrix.T if transposed else matrix


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Memory as a session has it: at the start of a cache line."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def _layout(array: Array) -> Layout:
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return Layout(array.shape, strides, of_array(array))


_REPEAT = """\
define void @repeat(ptr %a, ptr %b, ptr %c, ptr %scratch, i64 %times) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %r = call i32 @{symbol}(ptr %a, ptr %b, ptr %c, ptr %scratch, ptr %scratch, i64 0, i64 {units})
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %times
  br i1 %more, label %loop, label %end
end:
  ret void
}}"""
