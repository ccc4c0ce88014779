"""Compiles a function over the emitter into a loop over whole vectors, so that tests can run it."""

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.target import Target, host_target, named_target
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import BITS, Value, type_name

ELEM = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}


@dataclass(frozen=True)
class Loop:
    """One function, element type and width."""

    name: str
    function: Callable[..., Value]
    elem: str
    lanes: int
    arity: int

    @property
    def symbol(self) -> str:
        return f"test_{self.name}_{self.elem}_{self.lanes}"


def targets() -> dict[str, Target]:
    """This machine and the smaller instruction sets that it can run, by name."""
    found = {"host": host_target()}
    for isa in ("avx2", "baseline"):
        try:
            found[isa] = named_target(isa)
        except ArgumentError:
            continue
    return found


def compile_loops(loops: Iterable[Loop], target: Target) -> engine.Library:
    loops = list(loops)
    code = compile_loops_to_object(loops, target)
    return engine.link([code], [loop.symbol for loop in loops])


def compile_loops_to_object(loops: Iterable[Loop], target: Target) -> bytes:
    module = Module(target)
    for loop in loops:
        _define(module, loop)
    return engine.compile_object(module.text(), target)


def run(library: engine.Library, loop: Loop, *arrays: np.ndarray[Any, Any]) -> Any:
    """Apply the loop; arrays are padded with their last element to whole vectors."""
    count = arrays[0].size
    padded = [np.pad(array, (0, -count % loop.lanes), mode="edge") for array in arrays]
    out = np.empty_like(padded[0])
    kinds = [ctypes.c_void_p] * (loop.arity + 1)
    function = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_int64)(library.address(loop.symbol))
    function(*(array.ctypes.data for array in padded), out.ctypes.data, out.size)
    return out[:count]


def _define(module: Module, loop: Loop) -> None:
    e = Emitter(module)
    vector, align = type_name(loop.elem, loop.lanes), BITS[loop.elem] // 8
    e.emit("br label %loop")
    e.label("loop")
    phi = len(e.lines)
    e.emit("%i = phi i64")
    operands = []
    for index in range(loop.arity):
        e.emit(f"%p{index} = getelementptr {loop.elem}, ptr %a{index}, i64 %i")
        text = f"load {vector}, ptr %p{index}, align {align}"
        operands.append(e.define(text, loop.elem, loop.lanes))
    result = loop.function(e, *operands)
    e.emit(f"%q = getelementptr {loop.elem}, ptr %out, i64 %i")
    e.emit(f"store {result.typed}, ptr %q, align {align}")
    e.emit(f"%next = add i64 %i, {loop.lanes}")
    e.emit("%done = icmp sge i64 %next, %n")
    e.emit("br i1 %done, label %exit, label %loop")
    e.lines[phi] = f"  %i = phi i64 [ 0, %entry ], [ %next, %{e.block} ]"
    e.label("exit")
    e.emit("ret void")
    parameters = "".join(f"ptr %a{index}, " for index in range(loop.arity))
    body = "\n".join(e.lines)
    signature = f"define void @{loop.symbol}({parameters}ptr %out, i64 %n)"
    module.define(loop.symbol, f"{signature} {{\nentry:\n{body}\n}}")
