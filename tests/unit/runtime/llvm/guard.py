"""Arrays next to memory that must not be touched, and kernels that run on them."""

import ctypes
import mmap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from graphc.dtypes import of_array
from graphc.evaluate import evaluate_nodes
from graphc.graph import Graph
from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.kernel import build_kernel
from graphc.runtime.llvm.native_step import NativeStep

Array = np.ndarray[Any, Any]

_LIBC = ctypes.CDLL(None, use_errno=True)
_NO_ACCESS = 0


def guarded(array: Array, *, at_start: bool = False) -> Array:
    """A copy with the same strides that ends (or starts) right at a page without access."""
    low, high = _extent(array)
    length = high - low
    page = mmap.PAGESIZE
    inside = -(-max(length, 1) // page) * page
    region = mmap.mmap(-1, inside + 2 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(region))
    for border in (address, address + page + inside):
        if _LIBC.mprotect(ctypes.c_void_p(border), page, _NO_ACCESS) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    start = page if at_start else page + inside - length
    flat = np.frombuffer(region, np.uint8)
    moved: Array = np.ndarray(
        array.shape, array.dtype, buffer=flat, offset=start - low, strides=array.strides
    )
    moved[...] = array
    return moved


def _extent(array: Array) -> tuple[int, int]:
    """First and last byte of an array, relative to its first element."""
    if array.size == 0:
        return 0, 0
    steps = [(size - 1) * s for size, s in zip(array.shape, array.strides, strict=True)]
    low = sum(step for step in steps if step < 0)
    return low, sum(step for step in steps if step > 0) + array.itemsize


def layout_of(array: Array) -> Layout:
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return Layout(array.shape, strides, of_array(array))


class Runnable:
    """The functions of one step, with guarded shared and scratch memory."""

    def __init__(self, module: Module, native: NativeStep, operands: int) -> None:
        self.native = native
        code = engine.compile_object(module.text(), module.target)
        symbols = [phase.symbol for phase in native.phases]
        self._library = engine.link([code], symbols)
        pointers = [ctypes.c_void_p] * (operands + 2)
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, *pointers, ctypes.c_int64, ctypes.c_int64)
        self._functions = [kind(self._library.address(symbol)) for symbol in symbols]

    def __call__(self, *arrays: Array, cuts: Sequence[float] = ()) -> int:
        """Run all phases; the units of each divided at these fractions, the last part first."""
        shared = _workspace(self.native.shared_bytes)
        operands = [array.ctypes.data for array in arrays]
        for phase, function in zip(self.native.phases, self._functions, strict=True):
            borders = sorted({0, phase.units, *(round(cut * phase.units) for cut in cuts)})
            for begin, end in reversed(list(pairwise(borders))):
                scratch = _workspace(self.native.scratch_bytes)
                if function(*operands, shared.ctypes.data, scratch.ctypes.data, begin, end):
                    return 1
        return 0


def _workspace(nbytes: int) -> Array:
    """Memory aligned to 64 bytes with a guard page behind it, full of NaN and large integers."""
    return guarded(np.full(-(-nbytes // 64) * 64, 255, np.uint8))


class Compiled:
    """A kernel for arrays of given layouts."""

    def __init__(
        self,
        body: Graph,
        inputs: Sequence[Array],
        outputs: Sequence[Array],
        target: Target | None = None,
    ) -> None:
        target = target or host_target()
        module = Module(target)
        layouts = [layout_of(array) for array in inputs], [layout_of(array) for array in outputs]
        self.native = build_kernel(module, body, *layouts)
        self._run = Runnable(module, self.native, len(inputs) + len(outputs))

    def __call__(self, *arrays: Array, cuts: Sequence[float] = ()) -> None:
        self._run(*arrays, cuts=cuts)


def run_kernel(
    body: Graph, arrays: Sequence[Array], target: Target | None = None, *, at_start: bool = False
) -> list[Array]:
    """Compile a body for these inputs, run it between guard pages, and return its outputs."""
    inputs = [guarded(array, at_start=at_start) for array in arrays]
    outputs = []
    for node in body.outputs.values():
        blank = np.zeros(node.type.static_shape, node.type.dtype.numpy)
        blank.view(np.uint8 if blank.ndim else blank.dtype)[...] = 85
        outputs.append(guarded(blank, at_start=at_start))
    Compiled(body, inputs, outputs, target)(*inputs, *outputs)
    for given, used in zip(arrays, inputs, strict=True):
        assert given.tobytes() == used.tobytes(), "a kernel changed its input"
    return outputs


def reference(body: Graph, arrays: Sequence[Array]) -> list[Array]:
    """What the definition of the operations gives."""
    known = dict(zip(body.inputs, arrays, strict=True))
    values = evaluate_nodes(body.roots, known)
    return [np.asarray(values[node]) for node in body.outputs.values()]
