"""Native code of an ordinary call: memory for the results, the run itself, and its traces."""

from __future__ import annotations

from graphc.allocation import LINE
from graphc.runtime.llvm.entry.checks import RAISED
from graphc.runtime.llvm.entry.code import Code
from graphc.runtime.llvm.entry.objects import DATA, FIT_FLAGS, WRITEABLE
from graphc.runtime.llvm.entry.record import Field, GroupItem, Host, Input, Output
from graphc.runtime.sessions.locks import ENTERING, NATIVE_READERS, NATIVE_WRITER


def make_output() -> str:
    """``ptr (record, item)``: a fresh array; null if there is no memory.

    A large one starts a cache line, in bytes that another array owns.
    """
    code = Code("ptr @make_output(ptr %record, ptr %item)", "ret ptr null")
    descr = code.word("%item", Output.DESCR)
    rank = code.value(f"trunc i64 {code.word('%item', Output.NDIM, 'i64')} to i32")
    dims = code.word("%item", Output.DIMS)
    nbytes = code.word("%item", Output.LARGE, "i64")
    code.branch(code.value(f"icmp ne i64 {nbytes}, 0"), "small")
    size = code.at("%item", 8 * Output.LARGE)
    owner = _new_array(code, code.word("%record", Field.BYTE), "1", size, "null", 0)
    code.require(code.value(f"icmp ne ptr {owner}, null"))
    start = code.load("ptr", owner, DATA)
    past = code.value(f"sub i64 0, {code.load('i64', owner, DATA)}")
    start = code.at(start, code.value(f"and i64 {past}, {LINE - 1}"))
    array = _new_array(code, descr, rank, dims, start, FIT_FLAGS | WRITEABLE)
    code.branch(code.value(f"icmp ne ptr {array}, null"), "failed")
    code.value(f"call i32 {code.word('%record', Field.SET_BASE)}(ptr {array}, ptr {owner})")
    code.emit(f"ret ptr {array}")
    code.label("failed")
    code.emit(f"call void @Py_DecRef(ptr {owner})")
    code.emit("ret ptr null")
    code.label("small")
    code.emit(f"ret ptr {_new_array(code, descr, rank, dims, 'null', 0)}")
    return code.text()


def _new_array(code: Code, descr: str, rank: str, dims: str, data: str, flags: int) -> str:
    code.emit(f"call void @Py_IncRef(ptr {descr})")  # the new array takes it over
    kind, new = code.word("%record", Field.ARRAY_TYPE), code.word("%record", Field.NEW_ARRAY)
    return code.value(
        f"call ptr {new}(ptr {kind}, ptr {descr}, i32 {rank}, ptr {dims}, ptr null, ptr {data}, "
        f"i32 {flags}, ptr null)"
    )


def make_outputs() -> str:
    """``i1 (record, values)``: a fresh array for each output, behind the inputs in ``values``.

    False if there is no memory; then an exception is set.
    """
    code = Code("i1 @make_outputs(ptr %record, ptr %values)", "ret i1 false")
    count = code.word("%record", Field.OUTPUTS + 1, "i64")
    inputs = code.word("%record", Field.INPUTS + 1, "i64")
    first = code.value(f"getelementptr ptr, ptr %values, i64 {inputs}")
    with code.each(code.word("%record", Field.OUTPUTS), count, len(Output)) as (item, index):
        array = code.value(f"call ptr @make_output(ptr %record, ptr {item})")
        code.require(code.value(f"icmp ne ptr {array}, null"))
        place = code.value(f"getelementptr ptr, ptr {first}, i64 {index}")
        code.emit(f"store ptr {array}, ptr {place}, align 8")
    code.emit("ret i1 true")
    return code.text()


def bind() -> str:
    """``void (record, values, numbers)``: tell the program where everything is."""
    code = Code("void @bind(ptr %record, ptr %values, ptr %numbers)")
    inputs = code.word("%record", Field.INPUTS + 1, "i64")
    outputs = code.word("%record", Field.OUTPUTS + 1, "i64")
    first = code.value(f"getelementptr ptr, ptr %values, i64 {inputs}")
    for items, count, words, cell, arrays in (
        (Field.INPUTS, inputs, len(Input), Input.CELL, "%values"),
        (Field.OUTPUTS, outputs, len(Output), Output.CELL, first),
    ):
        with code.each(code.word("%record", items), count, words) as (item, index):
            place = code.value(f"getelementptr ptr, ptr {arrays}, i64 {index}")
            address = code.load("ptr", code.load("ptr", place), DATA)
            code.store("ptr", address, code.word(item, cell))
    hosts = code.word("%record", Field.HOSTS + 1, "i64")
    with code.each(code.word("%record", Field.HOSTS), hosts, len(Host)) as (item, index):
        place = code.value(f"getelementptr double, ptr %numbers, i64 {index}")
        number, cell_at = code.load("double", place), code.word(item, Host.CELL)
        single = code.value(f"icmp ne i64 {code.word(item, Host.SINGLE, 'i64')}, 0")
        code.emit(f"br i1 {single}, label %single, label %double")
        code.label("single")
        code.store("float", code.value(f"fptrunc double {number} to float"), cell_at)
        code.emit("br label %stored")
        code.label("double")
        code.store("double", number, cell_at)
        code.emit("br label %stored")
        code.label("stored")
    code.emit("ret void")
    return code.text()


def execute() -> str:
    """``i32 (record)``: run the program; 0 if it was done, else nothing was changed.

    A long run lets other threads go on meanwhile, so it holds its locks where they can see it. A
    short one needs none, since nobody else moves.
    """
    code = Code("i32 @execute(ptr %record)")
    program = code.word("%record", Field.PROGRAM)
    table = code.word("%record", Field.TABLE)
    detach = code.value(f"icmp ne i64 {code.word('%record', Field.DETACH, 'i64')}, 0")
    code.emit(f"br i1 {detach}, label %long, label %short")
    code.label("short")
    quick = code.value(f"call i32 {program}(ptr {table})")
    with code.only_if(code.equal("i32", quick, "0")):
        code.emit("call void @publish(ptr %record)")
    code.emit(f"ret i32 {quick}")
    code.label("long")
    code.set_word("%record", Field.BUSY, "1")
    code.emit("call void @hold(ptr %record, i64 1)")
    thread = code.value("call ptr @PyEval_SaveThread()")
    result = code.value(f"call i32 {program}(ptr {table})")
    code.emit(f"call void @PyEval_RestoreThread(ptr {thread})")
    with code.only_if(code.equal("i32", result, "0")):
        code.emit("call void @publish(ptr %record)")
    code.emit("call void @hold(ptr %record, i64 -1)")
    code.set_word("%record", Field.BUSY, "0")
    code.emit(f"ret i32 {result}")
    return code.text()


def hold() -> str:
    """``void (record, change)``: take (+1) or give back (-1) all locks."""
    code = Code("void @hold(ptr %record, i64 %change)")
    count = code.word("%record", Field.GROUPS + 1, "i64")
    with code.each(code.word("%record", Field.GROUPS), count, len(GroupItem)) as (item, _):
        state = code.word(item, GroupItem.STATE)
        exclusive = code.value(f"icmp ne i64 {code.word(item, GroupItem.EXCLUSIVE, 'i64')}, 0")
        which = code.value(
            f"select i1 {exclusive}, i64 {8 * NATIVE_WRITER}, i64 {8 * NATIVE_READERS}"
        )
        place = code.at(state, which)
        holders = code.load("i64", place)
        code.store("i64", code.value(f"add i64 {holders}, %change"), place)
    code.emit("ret void")
    return code.text()


def wake() -> str:
    """``i1 (record)``: call for those who wait for the locks; false if an exception was set."""
    code = Code("i1 @wake(ptr %record)", "ret i1 false")
    count = code.word("%record", Field.GROUPS + 1, "i64")
    with code.each(code.word("%record", Field.GROUPS), count, len(GroupItem)) as (item, _):
        waiting = code.word(code.word(item, GroupItem.STATE), ENTERING, "i64")
        with code.only_if(code.value(f"icmp ne i64 {waiting}, 0")):
            function = code.word(item, GroupItem.WAKE)
            answer = code.value(f"call ptr @PyObject_CallNoArgs(ptr {function})")
            code.require(code.value(f"icmp ne ptr {answer}, null"))
            code.emit(f"call void @Py_DecRef(ptr {answer})")
    code.emit("ret i1 true")
    return code.text()


def publish() -> str:
    """``void (record)``: count the run, and the writes of the variables' versions."""
    code = Code("void @publish(ptr %record)")
    runs = code.value(f"add i64 {code.word('%record', Field.RUNS, 'i64')}, 1")
    code.set_word("%record", Field.RUNS, runs)
    count = code.word("%record", Field.VERSIONS + 1, "i64")
    with code.each(code.word("%record", Field.VERSIONS), count, 1) as (item, _):
        cell = code.load("ptr", item)
        old = code.load("ptr", cell)
        number = code.value(f"call i64 @PyLong_AsLongLong(ptr {old})")
        number = code.value(f"add i64 {number}, 1")
        new = code.value(f"call ptr @PyLong_FromLongLong(i64 {number})")
        with code.only_if(code.value(f"icmp ne ptr {new}, null")):
            code.store("ptr", new, cell)
            code.emit(f"call void @Py_DecRef(ptr {old})")
    code.emit("call void @PyErr_Clear()")  # no memory for a number: its count stays
    code.emit("ret void")
    return code.text()


def steps() -> str:
    """``i32 (program, table, moves, move count, done, stop)``: run until ``stop`` runs are done.

    Each run finds in the table the next row of every moving array: a move is the cell of the
    table, the address of row 0 and the bytes of a row. ``done`` is the number of runs, counted
    as they end. Gives what the last run gave.
    """
    parameters = "ptr %program, ptr %table, ptr %moves, i64 %count, ptr %done, i64 %stop"
    code = Code(f"i32 @steps({parameters})", exported=True)
    begin = code.load("i64", "%done")
    left = code.value(f"sub i64 %stop, {begin}")
    with code.each("%done", left, 0) as (_, position):
        number = code.value(f"add i64 {begin}, {position}")
        with code.each("%moves", "%count", 3) as (move, _):
            offset = code.value(f"mul i64 {number}, {code.word(move, 2, 'i64')}")
            code.store("ptr", code.at(code.word(move, 1), offset), code.word(move, 0))
        result = code.value("call i32 %program(ptr %table)")
        code.branch(code.equal("i32", result, "0"), "refused")
        code.store("i64", code.value(f"add i64 {number}, 1"), "%done")
    code.emit("ret i32 0")
    code.label("refused")
    code.emit(f"ret i32 {result}")
    return code.text()


def call() -> str:
    """``ptr (record, shape, given, values, numbers)``: everything behind taking the arguments.

    Gives a new reference: the results, or NotImplemented where Python has to do it; null if an
    exception is set.
    """
    code = Code(
        "ptr @call(ptr %record, ptr %shape, ptr %given, ptr %values, ptr %numbers)",
        "call void @Py_IncRef(ptr @_Py_NotImplementedStruct)\nret ptr @_Py_NotImplementedStruct",
    )
    hosts = code.value("call i32 @read_hosts(ptr %record, ptr %numbers)")
    code.branch(code.value(f"icmp ne i32 {hosts}, {RAISED}"), "failed")
    code.require(code.equal("i32", hosts, "0"))
    code.require(code.value("call i1 @fits(ptr %record, ptr %given, ptr %values)"))
    code.branch(code.value("call i1 @make_outputs(ptr %record, ptr %values)"), "failed")
    code.require(code.value("call i1 @ready(ptr %record, ptr %values)"))
    code.emit("call void @bind(ptr %record, ptr %values, ptr %numbers)")
    refused = code.value("call i32 @execute(ptr %record)")
    code.branch(code.value("call i1 @wake(ptr %record)"), "failed")
    code.require(code.equal("i32", refused, "0"))
    inputs = code.word("%record", Field.INPUTS + 1, "i64")
    outputs = code.value(f"getelementptr ptr, ptr %values, i64 {inputs}")
    result = code.value(f"call ptr @build(ptr %record, ptr %shape, ptr {outputs})")
    code.emit(f"ret ptr {result}")
    code.label("failed")
    code.emit("ret ptr null")
    return code.text()
