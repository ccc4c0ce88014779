"""The native functions behind every call from Python: compiled once, shared by all programs."""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Callable
from typing import Any

from graphc.runtime.disk_cache import open_cache
from graphc.runtime.llvm.compiler.cache import compile_cached
from graphc.runtime.llvm.compiler.engine import Library, link
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.entry import checks, execute, results
from graphc.runtime.llvm.entry.code import Code
from graphc.runtime.llvm.entry.objects import DATA, ITEMS, are_as_expected
from graphc.runtime.llvm.entry.record import Field
from graphc.runtime.llvm.ir.module import Module

_ONE_ARGUMENT, _MANY_ARGUMENTS = 0x0008, 0x0080
"""Python's flags for how a C function takes its arguments."""

_FUNCTIONS = (
    checks.take_named, checks.take_positions, checks.unbox, checks.fits, checks.read_hosts,
    checks.ready, execute.make_output, execute.make_outputs, execute.bind, execute.hold,
    execute.publish,
    execute.execute, execute.wake, execute.call, execute.steps,
    results.boxed, results.result, results.build,
)  # fmt: skip

_DECLARATIONS = """
@PyDict_Type = external global i8
@PyFloat_Type = external global i8
@_Py_NoneStruct = external global i8
@_Py_NotImplementedStruct = external global i8
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare void @PyErr_Clear()
declare i64 @PyDict_Size(ptr)
declare ptr @PyDict_GetItemWithError(ptr, ptr)
declare ptr @PyDict_New()
declare i32 @PyDict_SetItem(ptr, ptr, ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyObject_CallNoArgs(ptr)
declare double @PyFloat_AsDouble(ptr)
declare i64 @PyLong_AsLongLong(ptr)
declare ptr @PyLong_FromLongLong(i64)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
"""


class _MethodDef(ctypes.Structure):
    """Python's description of a C function."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


@functools.cache
def is_available() -> bool:
    """Whether this interpreter is one that native calls understand."""
    symbols = re.findall(r"@(\w+)", _DECLARATIONS)
    return are_as_expected() and all(hasattr(ctypes.pythonapi, symbol) for symbol in symbols)


def named_call(kept: tuple[object, ...]) -> Callable[[Any], Any]:
    """A builtin function of one dict.

    Args:
        kept: first the words of the record, then those of the shape (int64 arrays), then whatever
            must live as long as the function.
    """
    return _function("named", _ONE_ARGUMENT, kept)


def positional_call(kept: tuple[object, ...]) -> Callable[..., Any]:
    """A builtin function of all inputs in order."""
    return _function("positional", _MANY_ARGUMENTS, kept)


def module_text() -> str:
    """The text of all functions."""
    module = Module(host_target())
    module.declare("python", _DECLARATIONS)
    for function in _FUNCTIONS:
        module.define(function.__name__, function())
    module.define("drop", _drop())
    taken = ("ptr %self, ptr %feed", "call i1 @take_named(ptr %record, ptr %feed, ptr %given)")
    module.define("named", _entry("named", *taken))
    listed = "call i1 @take_positions(ptr %record, ptr %arguments, i64 %count, ptr %given)"
    taken = ("ptr %self, ptr %arguments, i64 %count", listed)
    module.define("positional", _entry("positional", *taken))
    return module.text()


def _entry(name: str, parameters: str, take: str) -> str:
    """A function that Python calls: arguments to results, with references that balance."""
    code = Code(f"ptr @{name}({parameters})", exported=True)
    for word, position in (("record", 0), ("shape", 1)):
        words = code.load("ptr", "%self", ITEMS + 8 * position)
        code.emit(f"%{word} = load ptr, ptr {code.at(words, DATA)}, align 8")
    counts = [
        code.word("%record", which + 1, "i64")
        for which in (Field.INPUTS, Field.OUTPUTS, Field.HOSTS)
    ]
    held = code.value(f"add i64 {counts[0]}, {counts[1]}")  # inputs as arrays, then outputs
    total = code.value(f"add i64 {held}, {counts[0]}")  # then inputs as they were given
    code.emit(f"%values = alloca ptr, i64 {total}, align 8")
    code.emit(f"%given = getelementptr ptr, ptr %values, i64 {held}")
    code.emit(f"%numbers = alloca double, i64 {counts[2]}, align 8")
    with code.each("%values", total, 1) as (place, _):
        code.emit(f"store ptr null, ptr {place}, align 8")
    taken = code.value(take)
    code.emit(f"br i1 {taken}, label %ordinary, label %other")
    code.label("ordinary")
    arguments = "ptr %record, ptr %shape, ptr %given, ptr %values, ptr %numbers"
    result = code.value(f"call ptr @call({arguments})")
    code.emit("br label %done")
    code.label("other")
    code.emit("call void @Py_IncRef(ptr @_Py_NotImplementedStruct)")
    code.emit("br label %done")
    code.label("done")
    either = code.value(f"phi ptr [ {result}, %ordinary ], [ @_Py_NotImplementedStruct, %other ]")
    code.emit(f"call void @drop(ptr %values, i64 {total})")
    code.emit(f"ret ptr {either}")
    return code.text()


def _drop() -> str:
    """``void (values, count)``: give back the references that were taken."""
    code = Code("void @drop(ptr %values, i64 %count)")
    with code.each("%values", "%count", 1) as (place, _):
        one = code.load("ptr", place)
        with code.only_if(code.value(f"icmp ne ptr {one}, null")):
            code.emit(f"call void @Py_DecRef(ptr {one})")
    code.emit("ret void")
    return code.text()


def _function(name: str, flags: int, kept: tuple[object, ...]) -> Callable[..., Any]:
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.POINTER(_MethodDef), ctypes.py_object, ctypes.c_void_p]
    made: Callable[..., Any] = new(ctypes.byref(_definition(name, flags)), kept, None)
    return made


_definitions: dict[str, _MethodDef] = {}
_libraries: dict[str, Library] = {}
"""Functions point to these, so they live forever.

A cached function would not do: threads that call it at once each get a result of their own, and
all but one are freed.
"""


def _definition(name: str, flags: int) -> _MethodDef:
    if name in _definitions:
        return _definitions[name]
    made = _MethodDef(b"graphc native call", address(name), flags, None)
    return _definitions.setdefault(name, made)


def address(name: str) -> int:
    """Where ``named``, ``positional`` or ``steps`` starts."""
    return _library().address(name)


def _library() -> Library:
    if "entry" in _libraries:
        return _libraries["entry"]
    code, _ = compile_cached(module_text(), host_target(), open_cache())
    return _libraries.setdefault("entry", link([code], ("named", "positional", "steps")))
