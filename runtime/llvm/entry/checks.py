"""Native code that decides whether a call is an ordinary one; every other call is refused.

A refused call changes nothing. Python then does it again with all its conversions and errors.
"""

from __future__ import annotations

from graphc.runtime.llvm.entry.code import Code
from graphc.runtime.llvm.entry.objects import DATA, DESCR, DIMS, FIT_FLAGS, FLAGS, NDIM, TYPE
from graphc.runtime.llvm.entry.record import (
    BoxItem,
    Field,
    GroupItem,
    Host,
    Input,
    Range,
    Watched,
)
from graphc.runtime.sessions.locks import ENTERING, NATIVE_READERS, NATIVE_WRITER, READERS, WRITER

REFUSED, RAISED = 1, 2
"""What ``read_hosts`` returns when it does not understand a number, or a getter raised."""


def take_named() -> str:
    """``i1 (record, feed, values)``: the values of an exact dict in the order of the inputs.

    Each one in ``values`` is a reference of its own, also when the call is refused.
    """
    code = Code("i1 @take_named(ptr %record, ptr %feed, ptr %values)", "ret i1 false")
    kind = code.load("ptr", "%feed", TYPE)
    code.require(code.equal("ptr", kind, "@PyDict_Type"))
    count = code.word("%record", Field.INPUTS + 1, "i64")
    given = code.value("call i64 @PyDict_Size(ptr %feed)")
    code.require(code.equal("i64", given, count))
    with code.each(code.word("%record", Field.INPUTS), count, len(Input)) as (item, index):
        name = code.word(item, Input.NAME)
        found = code.value(f"call ptr @PyDict_GetItemWithError(ptr %feed, ptr {name})")
        code.branch(code.value(f"icmp ne ptr {found}, null"), "missing")
        code.emit(f"call void @Py_IncRef(ptr {found})")
        code.emit(f"store ptr {found}, ptr {_entry_of('%values', index, code)}, align 8")
    code.emit("ret i1 true")
    code.label("missing")
    code.emit("call void @PyErr_Clear()")
    code.emit("ret i1 false")
    return code.text()


def take_positions() -> str:
    """``i1 (record, arguments, count, values)``: like ``take_named``, from the argument list."""
    code = Code(
        "i1 @take_positions(ptr %record, ptr %arguments, i64 %given, ptr %values)", "ret i1 false"
    )
    count = code.word("%record", Field.INPUTS + 1, "i64")
    code.require(code.equal("i64", "%given", count))
    with code.each("%arguments", count, 1) as (item, index):
        argument = code.load("ptr", item)
        code.emit(f"call void @Py_IncRef(ptr {argument})")
        code.emit(f"store ptr {argument}, ptr {_entry_of('%values', index, code)}, align 8")
    code.emit("ret i1 true")
    return code.text()


def unbox() -> str:
    """``ptr (record, input, value)``: the array that a value is or stands for; null if none."""
    code = Code("ptr @unbox(ptr %record, ptr %input, ptr %value)", "ret ptr null")
    kind = code.load("ptr", "%value", TYPE)
    flag = code.word("%input", Input.FLAG)
    is_array = code.equal("ptr", kind, code.word("%record", Field.ARRAY_TYPE))
    code.emit(f"br i1 {is_array}, label %array, label %box")
    code.label("array")
    code.emit("ret ptr %value")
    code.label("box")
    box = code.word("%record", Field.BOX)
    code.require(code.value(f"icmp ne ptr {box}, null"))
    code.require(code.equal("ptr", kind, code.word(box, BoxItem.TYPE)))
    absent = _attribute(code, "%value", box, BoxItem.ABSENT)
    code.require(code.equal("ptr", absent, "@_Py_NoneStruct"))
    code.require(code.equal("ptr", _attribute(code, "%value", box, BoxItem.FLAG), flag))
    first = _attribute(code, "%value", box, BoxItem.FIRST)
    code.require(code.value(f"icmp ne ptr {first}, null"))
    code.require(code.equal("ptr", code.load("ptr", first, TYPE), code.word(box, BoxItem.HOLDER)))
    array = _attribute(code, first, box, BoxItem.SECOND)
    code.require(code.value(f"icmp ne ptr {array}, null"))
    array_type = code.word("%record", Field.ARRAY_TYPE)
    code.require(code.equal("ptr", code.load("ptr", array, TYPE), array_type))
    code.emit(f"ret ptr {array}")
    return code.text()


def _attribute(code: Code, owner: str, box: str, which: BoxItem) -> str:
    return code.load("ptr", code.at(owner, code.word(box, which, "i64")))


def fits() -> str:
    """``i1 (record, given, values)``: whether each input is an array of exactly its type.

    The arrays go to ``values``, each a reference of its own, also when the call is refused.
    """
    code = Code("i1 @fits(ptr %record, ptr %given, ptr %values)", "ret i1 false")
    count = code.word("%record", Field.INPUTS + 1, "i64")
    with code.each(code.word("%record", Field.INPUTS), count, len(Input)) as (item, index):
        value = code.load("ptr", _entry_of("%given", index, code))
        array = code.value(f"call ptr @unbox(ptr %record, ptr {item}, ptr {value})")
        code.require(code.value(f"icmp ne ptr {array}, null"))
        code.emit(f"call void @Py_IncRef(ptr {array})")
        code.emit(f"store ptr {array}, ptr {_entry_of('%values', index, code)}, align 8")
        descr = code.load("ptr", array, DESCR)
        code.require(code.equal("ptr", descr, code.word(item, Input.DESCR)))
        flags = code.value(f"and i32 {code.load('i32', array, FLAGS)}, {FIT_FLAGS}")
        code.require(code.equal("i32", flags, str(FIT_FLAGS)))
        rank = code.value(f"sext i32 {code.load('i32', array, NDIM)} to i64")
        code.require(code.equal("i64", rank, code.word(item, Input.NDIM, "i64")))
        wanted, sizes = code.word(item, Input.DIMS), code.load("ptr", array, DIMS)
        with code.each(wanted, rank, 1) as (size, dim):
            own = code.load("i64", _entry_of(sizes, dim, code))
            code.require(code.equal("i64", own, code.load("i64", size)))
    code.emit("ret i1 true")
    return code.text()


def read_hosts() -> str:
    """``i32 (record, numbers)``: ask for all Python numbers; 0, REFUSED or RAISED."""
    code = Code("i32 @read_hosts(ptr %record, ptr %numbers)")
    count = code.word("%record", Field.HOSTS + 1, "i64")
    with code.each(code.word("%record", Field.HOSTS), count, len(Host)) as (item, index):
        getter = code.word(item, Host.GETTER)
        number = code.value(f"call ptr @PyObject_CallNoArgs(ptr {getter})")
        code.branch(code.value(f"icmp ne ptr {number}, null"), "raised")
        exact = code.equal("ptr", code.load("ptr", number, TYPE), "@PyFloat_Type")
        with code.only_if(exact):
            value = code.value(f"call double @PyFloat_AsDouble(ptr {number})")
            code.emit(f"store double {value}, ptr {_entry_of('%numbers', index, code)}, align 8")
        code.emit(f"call void @Py_DecRef(ptr {number})")
        code.branch(exact, "strange")
    code.emit("ret i32 0")
    code.label("strange")
    code.emit(f"ret i32 {REFUSED}")
    code.label("raised")
    code.emit(f"ret i32 {RAISED}")
    return code.text()


def ready() -> str:
    """``i1 (record, values)``: whether a run may begin at once.

    The program is open and no run uses its memory, whatever it watches is as it was, no input
    shares memory that is written, and nobody holds or awaits a lock that is in the way. It stays
    so until the caller gives up the GIL.
    """
    code = Code("i1 @ready(ptr %record, ptr %values)", "ret i1 false")
    closed = code.word("%record", Field.CLOSED, "i64")
    busy = code.word("%record", Field.BUSY, "i64")
    code.require(code.equal("i64", code.value(f"or i64 {closed}, {busy}"), "0"))
    count = code.word("%record", Field.WATCHED + 1, "i64")
    with code.each(code.word("%record", Field.WATCHED), count, len(Watched)) as (item, _):
        value = code.load("ptr", code.word(item, Watched.CELL))
        code.require(code.equal("ptr", value, code.word(item, Watched.VALUE)))
    _require_free_locks(code)
    _require_no_overlap(code)
    code.emit("ret i1 true")
    return code.text()


def _require_free_locks(code: Code) -> None:
    count = code.word("%record", Field.GROUPS + 1, "i64")
    with code.each(code.word("%record", Field.GROUPS), count, len(GroupItem)) as (item, _):
        state = code.word(item, GroupItem.STATE)
        others = "0"
        for which in (WRITER, NATIVE_WRITER, ENTERING):
            others = code.value(f"or i64 {others}, {code.word(state, which, 'i64')}")
        code.require(code.equal("i64", others, "0"))
        exclusive = code.word(item, GroupItem.EXCLUSIVE, "i64")
        readers = code.word(state, READERS, "i64")
        readers = code.value(f"or i64 {readers}, {code.word(state, NATIVE_READERS, 'i64')}")
        shared = code.equal("i64", exclusive, "0")
        code.require(code.value(f"or i1 {shared}, {code.equal('i64', readers, '0')}"))


def _require_no_overlap(code: Code) -> None:
    count = code.word("%record", Field.INPUTS + 1, "i64")
    ranges = code.word("%record", Field.RANGES)
    range_count = code.word("%record", Field.RANGES + 1, "i64")
    with code.each(code.word("%record", Field.INPUTS), count, len(Input)) as (item, index):
        array = code.load("ptr", _entry_of("%values", index, code))
        low = code.load("i64", array, DATA)
        high = code.value(f"add i64 {low}, {code.word(item, Input.NBYTES, 'i64')}")
        with code.each(ranges, range_count, len(Range)) as (one, _):
            below = code.value(f"icmp ule i64 {high}, {code.word(one, Range.START, 'i64')}")
            above = code.value(f"icmp uge i64 {low}, {code.word(one, Range.STOP, 'i64')}")
            code.require(code.value(f"or i1 {below}, {above}"))


def _entry_of(base: str, index: str, code: Code) -> str:
    return code.value(f"getelementptr i64, ptr {base}, i64 {index}")
