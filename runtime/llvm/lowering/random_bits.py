"""Philox random bits in native code, bit for bit as ``graphc.ops.random`` defines them.

A group of 64 elements comes from 16 blocks, one per lane: the four words of a block belong to four
vectors of 16 neighbours.
"""

from __future__ import annotations

import functools

from graphc.dtypes import int32, int64
from graphc.ops.random import KEY_STEPS, MULTIPLIERS, ROUNDS
from graphc.runtime.llvm.ir import memory
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.function import BEGIN, END, define_function, define_once, parameters
from graphc.runtime.llvm.ir.loops import equals, loop_between, smaller, when
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, constant
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.native_step import NativeStep, Phase

LANES = 16
GROUP = 4 * LANES

UNIT = 64
"""Groups in one unit of work."""

_NANOSECONDS = 0.5
"""What an element costs, roughly."""

_CALL = Value("%call", "i64", 1)
"""The number of a call."""


def build_random_bits(module: Module, state: Layout, call: int, count: int) -> NativeStep:
    """Add a kernel that writes ``count`` elements; its operands are the state and the bits.

    Args:
        module: where the code goes.
        state: layout of the seed and the offset.
        call: the number of the call, added to the offset.
        count: how many elements, C-contiguous.
    """
    units = max(1, -(-count // (GROUP * UNIT)))
    source, target = parameters(2)
    lines = []
    if count:
        name = _for_all_calls(module, state.strides[0], count, units)
        values = (source, target, constant("i64", call), BEGIN, END)
        lines = [f"  call void @{name}({', '.join(value.typed for value in values)})"]
    symbol = define_function(module, 2, lines, glue=True)
    return NativeStep((Phase(symbol, units, count * _NANOSECONDS),))


def _for_all_calls(module: Module, stride: int, count: int, units: int) -> str:
    """The function behind all calls for as many numbers: thousands of calls compile it once."""
    name = f"random_bits.{stride}.{count}"
    given = ", ".join(value.typed for value in (*parameters(2), _CALL, BEGIN, END))
    write = functools.partial(_write_all, stride=stride, count=count, units=units)
    define_once(module, name, given, write, internal=False)
    return name


def _write_all(e: Emitter, stride: int, count: int, units: int) -> None:
    """All groups of the units of a call."""
    source, target = parameters(2)
    whole, rest = divmod(count, GROUP)
    seed = memory.load(e, source, int64, 0, 1, 1)
    second = memory.element(e, source, int64, constant("i64", stride))
    offset = e.add(memory.load(e, second, int64, 0, 1, 1), _CALL)
    first, stop = e.mul(BEGIN, UNIT), smaller(e, e.mul(END, UNIT), whole)
    loop_between(e, first, stop, lambda group: _group(e, target, group, seed, offset, GROUP))
    if rest:
        last = constant("i64", whole)
        when(e, equals(e, END, units), lambda: _group(e, target, last, seed, offset, rest))


def _group(e: Emitter, target: Value, group: Value, seed: Value, offset: Value, count: int) -> None:
    """The first ``count`` elements of one group of 64."""
    words = _philox(e, e.mul(group, LANES), seed, offset)
    start = memory.element(e, target, int32, e.mul(group, GROUP))
    for number, word in enumerate(words):
        active = min(LANES, count - number * LANES)
        if active > 0:
            pointer = memory.element(e, start, int32, constant("i64", number * LANES))
            memory.store(e, word, pointer, int32, 1, active)


def _philox(e: Emitter, block: Value, seed: Value, offset: Value) -> list[Value]:
    """Four words for each of 16 consecutive blocks."""
    lanes = Value(f"<{', '.join(f'i32 {lane}' for lane in range(LANES))}>", "i32", LANES)
    c0 = e.add(e.splat(_low(e, block), LANES), lanes)
    c1, c2, c3 = (
        e.splat(half, LANES) for half in (_high(e, block), _low(e, offset), _high(e, offset))
    )
    k0, k1 = _low(e, seed), _high(e, seed)
    for _ in range(ROUNDS):
        high0, low0 = _product(e, c0, MULTIPLIERS[0])
        high1, low1 = _product(e, c2, MULTIPLIERS[1])
        c0 = e.binary("xor", e.binary("xor", high1, c1), e.splat(k0, LANES))
        c2 = e.binary("xor", e.binary("xor", high0, c3), e.splat(k1, LANES))
        c1, c3 = low1, low0
        k0, k1 = e.add(k0, KEY_STEPS[0]), e.add(k1, KEY_STEPS[1])
    return [c0, c1, c2, c3]


def _product(e: Emitter, a: Value, factor: int) -> tuple[Value, Value]:
    """The upper and the lower half of a 32 by 32 bit product."""
    wide = e.mul(e.cast("zext", a, "i64"), factor)
    return e.cast("trunc", e.binary("lshr", wide, 32), "i32"), e.cast("trunc", wide, "i32")


def _low(e: Emitter, x: Value) -> Value:
    return e.cast("trunc", x, "i32")


def _high(e: Emitter, x: Value) -> Value:
    return e.cast("trunc", e.binary("lshr", x, 32), "i32")
