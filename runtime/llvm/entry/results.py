"""Native code that puts results together, and the shapes in which it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from graphc.runtime.llvm.entry.code import Code
from graphc.runtime.llvm.entry.objects import slot_offset
from graphc.runtime.llvm.entry.record import Field, Record, SlotItem, TemplateItem
from graphc.runtime.sessions import boxes


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
    TEMPLATE = 3  # of the object that stands for each array; 0: the array itself


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
        template: of the object that stands for each array; None: the array itself.
    """

    kind: Literal[Kind.LEAF, Kind.TUPLE, Kind.LIST, Kind.DICT]
    outputs: Sequence[int]
    keys: Sequence[str] = ()
    template: boxes.Template | None = None

    def words(self, record: Record) -> Sequence[int]:
        """The shape as native code reads it; ``record`` keeps the keys alive."""
        keys = [record.keep(key) for key in self.keys] or [0] * len(self.outputs)
        items = [word for pair in zip(keys, self.outputs, strict=True) for word in pair]
        template = 0 if self.template is None else _words(self.template, record)
        return (self.kind, record.place(items), len(self.outputs), template)


def _words(template: boxes.Template, record: Record) -> int:
    """The address of a template as native code reads it."""
    slots = []
    for name, value in template.slots.items():
        inner = _words(value, record) if isinstance(value, boxes.Template) else 0
        shared = 0 if inner or value is boxes.Part.ARRAY else record.keep(value)
        slots.append((slot_offset(template.kind, name), inner, shared))
    flat = record.place([word for item in slots for word in item])
    return record.place([record.keep(template.kind), flat, len(slots)])


def boxed() -> str:
    """``ptr (record, template, array)``: a new object for an array; null if an exception is set."""
    code = Code("ptr @boxed(ptr %record, ptr %template, ptr %array)")
    new = code.word("%record", Field.NEW_OBJECT)
    kind = code.word("%template", TemplateItem.TYPE)
    code.emit(f"%empty = load ptr, ptr {code.at('%record', 8 * Field.EMPTY)}, align 8")
    made = code.value(f"call ptr {new}(ptr {kind}, ptr %empty, ptr null)")
    code.branch(code.value(f"icmp ne ptr {made}, null"), "failed")
    count = code.word("%template", TemplateItem.COUNT, "i64")
    slots = code.word("%template", TemplateItem.SLOTS)
    with code.each(slots, count, len(SlotItem)) as (item, _):
        place = code.at(made, code.word(item, SlotItem.OFFSET, "i64"))
        inner = code.word(item, SlotItem.TEMPLATE)
        code.emit(f"br i1 {code.equal('ptr', inner, 'null')}, label %shared, label %nested")
        code.label("nested")
        part = code.value(f"call ptr @boxed(ptr %record, ptr {inner}, ptr %array)")
        code.branch(code.value(f"icmp ne ptr {part}, null"), "unmade")
        code.store("ptr", part, place)
        code.emit("br label %stored")
        code.label("shared")
        value = code.word(item, SlotItem.VALUE)
        is_array = code.equal("ptr", value, "null")
        value = code.value(f"select i1 {is_array}, ptr %array, ptr {value}")
        code.emit(f"call void @Py_IncRef(ptr {value})")
        code.store("ptr", value, place)
        code.emit("br label %stored")
        code.label("stored")
    code.emit(f"ret ptr {made}")
    code.label("unmade")
    code.emit(f"call void @Py_DecRef(ptr {made})")
    code.emit("br label %failed")
    code.label("failed")
    code.emit("ret ptr null")
    return code.text()


def build() -> str:
    """``ptr (record, shape, outputs)``: a new reference to the results; null if it failed."""
    code = Code("ptr @build(ptr %record, ptr %shape, ptr %outputs)")
    kind = code.word("%shape", ShapeField.KIND, "i64")
    items = code.word("%shape", ShapeField.ITEMS)
    count = code.word("%shape", ShapeField.COUNT, "i64")
    labels = {Kind.TUPLE: "tuple", Kind.LIST: "list", Kind.DICT: "dict"}
    cases = " ".join(f"i64 {number}, label %{name}" for number, name in labels.items())
    code.emit(f"switch i64 {kind}, label %leaf [ {cases} ]")
    code.label("leaf")
    code.emit(f"ret ptr {_result(code, items)}")
    for name, type_ in (("tuple", "PyTuple"), ("list", "PyList")):
        code.label(name)
        made = code.value(f"call ptr @{type_}_New(i64 {count})")
        code.branch(code.value(f"icmp ne ptr {made}, null"), "failed")
        with code.each(items, count, len(Part)) as (item, index):
            result = _result(code, item)
            code.branch(code.value(f"icmp ne ptr {result}, null"), f"{name}.unmade")
            code.value(f"call i32 @{type_}_SetItem(ptr {made}, i64 {index}, ptr {result})")
        code.emit(f"ret ptr {made}")
        _give_up(code, f"{name}.unmade", made)
    code.label("dict")
    made = code.value("call ptr @PyDict_New()")
    code.branch(code.value(f"icmp ne ptr {made}, null"), "failed")
    with code.each(items, count, len(Part)) as (item, _):
        key, result = code.word(item, Part.KEY), _result(code, item)
        code.branch(code.value(f"icmp ne ptr {result}, null"), "dict.unmade")
        failed = code.value(f"call i32 @PyDict_SetItem(ptr {made}, ptr {key}, ptr {result})")
        code.emit(f"call void @Py_DecRef(ptr {result})")  # the dict has its own
        code.branch(code.equal("i32", failed, "0"), "dict.unmade")
    code.emit(f"ret ptr {made}")
    _give_up(code, "dict.unmade", made)
    code.label("failed")
    code.emit("ret ptr null")
    return code.text()


def _give_up(code: Code, label: str, made: str) -> None:
    code.label(label)
    code.emit(f"call void @Py_DecRef(ptr {made})")
    code.emit("br label %failed")


def _result(code: Code, item: str) -> str:
    """A new reference to an output's array, or to a new object for it; null if that failed."""
    index = code.word(item, Part.OUTPUT, "i64")
    array = code.load("ptr", code.value(f"getelementptr ptr, ptr %outputs, i64 {index}"))
    return code.value(f"call ptr @result(ptr %record, ptr %shape, ptr {array})")


def result() -> str:
    """``ptr (record, shape, array)``: what ``build`` puts in the place of an array."""
    code = Code("ptr @result(ptr %record, ptr %shape, ptr %array)")
    template = code.word("%shape", ShapeField.TEMPLATE)
    code.emit(f"br i1 {code.equal('ptr', template, 'null')}, label %plain, label %boxed")
    code.label("plain")
    code.emit("call void @Py_IncRef(ptr %array)")
    code.emit("ret ptr %array")
    code.label("boxed")
    made = code.value(f"call ptr @boxed(ptr %record, ptr {template}, ptr %array)")
    code.emit(f"ret ptr {made}")
    return code.text()
