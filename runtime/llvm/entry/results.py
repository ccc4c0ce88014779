"""Native code that puts results together, and the shapes in which it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from graphc.runtime.llvm.entry.code import Code
from graphc.runtime.llvm.entry.record import Record


class Kind(IntEnum):
    """What a native call returns."""

    LEAF = 0
    TUPLE = 1
    LIST = 2
    DICT = 3


class ShapeField(IntEnum):
    """The words of a shape: its kind and its items."""

    KIND = 0
    ITEMS = 1
    COUNT = 2


class Part(IntEnum):
    """One item: a dict's key, and which output it is."""

    KEY = 0
    OUTPUT = 1


@dataclass(frozen=True, slots=True)
class Shape:
    """How a call returns its results.

    Args:
        kind: one array, or a container of arrays.
        outputs: the position of each array among the outputs.
        keys: a dict's keys, as many.
    """

    kind: Literal[Kind.LEAF, Kind.TUPLE, Kind.LIST, Kind.DICT]
    outputs: Sequence[int]
    keys: Sequence[str] = ()

    def words(self, record: Record) -> Sequence[int]:
        """The shape as native code reads it; ``record`` keeps the keys alive."""
        keys = [record.keep(key) for key in self.keys] or [0] * len(self.outputs)
        items = [word for pair in zip(keys, self.outputs, strict=True) for word in pair]
        return (self.kind, record.place(items), len(self.outputs))


def build() -> str:
    """``ptr (shape, outputs)``: a new reference to the results; null if there is no memory."""
    code = Code("ptr @build(ptr %shape, ptr %outputs)")
    kind = code.word("%shape", ShapeField.KIND, "i64")
    items = code.word("%shape", ShapeField.ITEMS)
    count = code.word("%shape", ShapeField.COUNT, "i64")
    labels = {Kind.TUPLE: "tuple", Kind.LIST: "list", Kind.DICT: "dict"}
    cases = " ".join(f"i64 {number}, label %{name}" for number, name in labels.items())
    code.emit(f"switch i64 {kind}, label %leaf [ {cases} ]")
    code.label("leaf")
    code.emit(f"ret ptr {_new_reference(code, items)}")
    for name, type_ in (("tuple", "PyTuple"), ("list", "PyList")):
        code.label(name)
        made = code.value(f"call ptr @{type_}_New(i64 {count})")
        code.branch(code.value(f"icmp ne ptr {made}, null"), "failed")
        with code.each(items, count, len(Part)) as (item, index):
            array = _new_reference(code, item)  # the container takes it over
            code.value(f"call i32 @{type_}_SetItem(ptr {made}, i64 {index}, ptr {array})")
        code.emit(f"ret ptr {made}")
    code.label("dict")
    made = code.value("call ptr @PyDict_New()")
    code.branch(code.value(f"icmp ne ptr {made}, null"), "failed")
    with code.each(items, count, len(Part)) as (item, _):
        key, array = code.word(item, Part.KEY), _array(code, item)
        failed = code.value(f"call i32 @PyDict_SetItem(ptr {made}, ptr {key}, ptr {array})")
        code.branch(code.equal("i32", failed, "0"), "unmade")
    code.emit(f"ret ptr {made}")
    code.label("unmade")
    code.emit(f"call void @Py_DecRef(ptr {made})")
    code.emit("br label %failed")
    code.label("failed")
    code.emit("ret ptr null")
    return code.text()


def _array(code: Code, item: str) -> str:
    index = code.word(item, Part.OUTPUT, "i64")
    return code.load("ptr", code.value(f"getelementptr ptr, ptr %outputs, i64 {index}"))


def _new_reference(code: Code, item: str) -> str:
    array = _array(code, item)
    code.emit(f"call void @Py_IncRef(ptr {array})")
    return array
