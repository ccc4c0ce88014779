"""Addresses of elements, and reading and writing one vector of them with any stride.

A mask never covers memory that a kernel may not touch: lanes beyond ``active`` are neither read nor
written.
"""

from __future__ import annotations

from graphc.dtypes import (
    BOOLEAN,
    FLOATING,
    DType,
    bool_,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
)
from graphc.errors import CompileError
from graphc.runtime.llvm.ir import halves
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.loops import affine, number
from graphc.runtime.llvm.ir.values import BITS, Value, constant, suffix

POINTER = "ptr"

CACHE_LINE = 64

_COMPUTED = {
    "bool": "i1", "uint8": "i8", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "float16": "float", "bfloat16": "float", "float32": "float", "float64": "double",
}  # fmt: skip

_HOLDING = {
    "i1": bool_, "i8": int8, "i16": int16, "i32": int32, "i64": int64,
    "float": float32, "double": float64,
}  # fmt: skip


def computed_elem(dtype: DType) -> str:
    """The LLVM type in which values of a dtype are computed.

    Raises:
        CompileError: for complex numbers, which have none.
    """
    if dtype.name not in _COMPUTED:
        raise CompileError(f"no native code for {dtype.name}")
    return _COMPUTED[dtype.name]


def stored_elem(dtype: DType) -> str:
    """The LLVM type in which values of a dtype lie in memory."""
    if is_half(dtype):
        return "i16"
    return "i8" if dtype.category == BOOLEAN else computed_elem(dtype)


def dtype_of(elem: str) -> DType:
    """The dtype whose computed and stored form can hold values of an LLVM type exactly."""
    return _HOLDING[elem]


def stored_bytes(elem: str) -> int:
    """How many bytes a value of an LLVM type takes in memory."""
    return dtype_of(elem).itemsize


def is_half(dtype: DType) -> bool:
    """Whether values are stored in 16 bits and computed in float32."""
    return dtype.category == FLOATING and dtype.itemsize == 2


def element(e: Emitter, pointer: Value, dtype: DType, offset: Value) -> Value:
    """The address of the element ``offset`` elements further."""
    text = f"getelementptr {stored_elem(dtype)}, ptr {pointer.text}, i64 {offset.text}"
    return e.define(text, POINTER, 1)


def further(e: Emitter, pointer: Value, nbytes: Value) -> Value:
    """The address so many bytes further."""
    if nbytes.text == "0":
        return pointer
    return e.define(f"getelementptr i8, ptr {pointer.text}, i64 {nbytes.text}", POINTER, 1)


def fetch(e: Emitter, pointer: Value, nbytes: int, writing: bool, near: int = 3) -> None:
    """Ask for the cache lines of a piece of memory, which need not exist.

    Args:
        e: where to emit.
        pointer: its address.
        nbytes: its size.
        writing: whether it will be written.
        near: 3 for the nearest cache, 2 for the one behind it.
    """
    e.module.declare("llvm.prefetch.p0", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    for distance in range(0, nbytes, CACHE_LINE):
        line = further(e, pointer, constant("i64", distance))
        e.emit(
            f"call void @llvm.prefetch.p0(ptr {line.text}, i32 {int(writing)}, i32 {near}, i32 1)"
        )


def load(e: Emitter, pointer: Value, dtype: DType, stride: int, lanes: int, active: int) -> Value:
    """Read ``active`` elements into a vector of ``lanes``; the other lanes are 0.

    Args:
        e: where to emit.
        pointer: address of the first lane's element.
        dtype: type of the elements.
        stride: distance between lanes in elements; 0 reads one element and gives a scalar.
        lanes: width of the vector.
        active: number of lanes that exist.
    """
    elem = stored_elem(dtype)
    if stride == 0 or lanes == 1:
        stored = _load_plain(e, pointer, elem, 1)
    elif stride == 1:
        stored = _load_unit(e, pointer, elem, lanes, active)
    elif stride == -1 and active == lanes:
        first = element(e, pointer, dtype, constant("i64", 1 - lanes))
        stored = e.shuffle(_load_plain(e, first, elem, lanes), range(lanes)[::-1])
    elif _can_gather(e, elem, stride, lanes):
        stored = _gather(e, pointer, elem, stride, lanes, active)
    else:
        stored = constant(elem, 0, lanes)
        for lane in range(active):
            address = element(e, pointer, dtype, constant("i64", lane * stride))
            stored = e.insert(stored, _load_plain(e, address, elem, 1), lane)
    return _from_memory(e, stored, dtype)


def store(
    e: Emitter,
    value: Value,
    pointer: Value,
    dtype: DType,
    stride: int,
    active: int,
    *,
    streamed: bool = False,
) -> None:
    """Write the first ``active`` lanes.

    Args:
        e: where to emit.
        value: a vector, or a scalar.
        pointer: address of the first lane's element.
        dtype: type of the elements.
        stride: distance between lanes in elements.
        active: number of lanes that exist.
        streamed: whether whole vectors go past the caches; the address is then a multiple of a
            cache line, or of the vector's size if that is less.
    """
    stored = _to_memory(e, value, dtype)
    if stored.lanes == 1 or (stride == 1 and active == stored.lanes):
        if streamed and stored.lanes > 1:
            _store_streamed(e, stored, pointer)
        else:
            _store_plain(e, stored, pointer)
    elif stride == 1 and active > 1:  # LLVM 22 stores one lane of 16 bits as 32
        store_some(e, stored, pointer, active_mask(stored.lanes, active))
    else:
        for lane in range(active):
            address = element(e, pointer, dtype, constant("i64", lane * stride))
            _store_plain(e, e.extract(stored, lane), address)


def load_some(e: Emitter, pointer: Value, elem: str, mask: Value) -> Value:
    """Read the elements of those lanes that the mask has; the other lanes are 0."""
    lanes = mask.lanes
    nothing = constant(elem, 0, lanes)
    name = f"llvm.masked.load.{suffix(elem, lanes)}.p0"
    e.module.declare(name, f"declare {nothing.type} @{name}(ptr, {mask.type}, {nothing.type})")
    source = f"ptr align {BITS[elem] // 8} {pointer.text}"
    text = f"call {nothing.type} @{name}({source}, {mask.typed}, {nothing.typed})"
    return e.define(text, elem, lanes)


def store_some(e: Emitter, stored: Value, pointer: Value, mask: Value) -> None:
    """Write those lanes that the mask has."""
    name = f"llvm.masked.store.{suffix(stored.elem, stored.lanes)}.p0"
    e.module.declare(name, f"declare void @{name}({stored.type}, ptr, {mask.type})")
    target = f"ptr align {BITS[stored.elem] // 8} {pointer.text}"
    e.emit(f"call void @{name}({stored.typed}, {target}, {mask.typed})")


def _load_plain(e: Emitter, pointer: Value, elem: str, lanes: int) -> Value:
    kind = Value("", elem, lanes).type
    return e.define(f"load {kind}, ptr {pointer.text}, align {BITS[elem] // 8}", elem, lanes)


def _store_plain(e: Emitter, stored: Value, pointer: Value) -> None:
    e.emit(f"store {stored.typed}, ptr {pointer.text}, align {BITS[stored.elem] // 8}")


def _store_streamed(e: Emitter, stored: Value, pointer: Value) -> None:
    align = min(CACHE_LINE, stored.lanes * BITS[stored.elem] // 8)
    e.emit(f"store {stored.typed}, ptr {pointer.text}, align {align}, !nontemporal !0")


def _load_unit(e: Emitter, pointer: Value, elem: str, lanes: int, active: int) -> Value:
    if active == lanes:
        return _load_plain(e, pointer, elem, lanes)
    return load_some(e, pointer, elem, active_mask(lanes, active))


def _can_gather(e: Emitter, elem: str, stride: int, lanes: int) -> bool:
    """Whether one instruction reads a vector of elements that lie apart."""
    wide = BITS[elem] in (32, 64) and lanes * BITS[elem] >= 128
    return e.target.isa == "avx512" and wide and abs(stride) * lanes < 1 << 31


def _gather(e: Emitter, pointer: Value, elem: str, stride: int, lanes: int, active: int) -> Value:
    places = ", ".join(f"i32 {lane * stride}" for lane in range(lanes))
    text = f"getelementptr {elem}, ptr {pointer.text}, <{lanes} x i32> <{places}>"
    addresses = e.define(text, POINTER, lanes)
    mask, nothing = active_mask(lanes, active), constant(elem, 0, lanes)
    name = f"llvm.masked.gather.{suffix(elem, lanes)}.v{lanes}p0"
    kinds = f"{addresses.type}, {mask.type}, {nothing.type}"
    e.module.declare(name, f"declare {nothing.type} @{name}({kinds})")
    source = f"{addresses.type} align {BITS[elem] // 8} {addresses.text}"
    text = f"call {nothing.type} @{name}({source}, {mask.typed}, {nothing.typed})"
    return e.define(text, elem, lanes)


def active_mask(lanes: int, active: int) -> Value:
    """True in the lanes that exist."""
    bits = ", ".join("i1 true" if lane < active else "i1 false" for lane in range(lanes))
    return Value(f"<{bits}>", "i1", lanes)


def _from_memory(e: Emitter, stored: Value, dtype: DType) -> Value:
    if dtype.category == BOOLEAN:
        return e.cmp("ne", stored, 0)
    return halves.widen(e, stored, dtype) if is_half(dtype) else stored


def _to_memory(e: Emitter, value: Value, dtype: DType) -> Value:
    if dtype.category == BOOLEAN:
        return e.cast("zext", value, "i8")
    return halves.narrow(e, value, dtype) if is_half(dtype) else value


def moved(e: Emitter, pointer: Value, size: int, *steps: tuple[Value, int]) -> Value:
    """An address, ``index * stride`` elements of ``size`` bytes further for each step."""
    fixed = 0
    for index, stride in steps:
        known = number(index)
        if known is not None:
            fixed += known * stride
        elif stride:
            offset = affine(e, index, stride * size)
            text = f"getelementptr i8, ptr {pointer.text}, i64 {offset.text}"
            pointer = e.define(text, "ptr", 1)
    if fixed:
        text = f"getelementptr i8, ptr {pointer.text}, i64 {fixed * size}"
        pointer = e.define(text, "ptr", 1)
    return pointer
