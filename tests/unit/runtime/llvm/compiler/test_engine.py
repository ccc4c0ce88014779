"""Compiling and loading: errors are exceptions, and code lives as long as its library."""

import ctypes
import threading

import pytest

from graphc.config import ISA, LLVM_OPT
from graphc.errors import ArgumentError, CompileError, SessionError
from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.target import host_target, named_target

DOUBLE_IT = "define i64 @double_it(i64 %x) {\n  %y = add i64 %x, %x\n  ret i64 %y\n}\n"


def call(library: engine.Library, argument: int) -> int:
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library.address("double_it"))
    return int(function(argument))


def test_compiled_code_runs() -> None:
    library = engine.link([engine.compile_object(DOUBLE_IT, host_target())], ["double_it"])
    assert call(library, 21) == 42


@pytest.mark.parametrize(
    "text",
    [
        "define void @f( {",
        "define i32 @f(i32 %x) {\n  ret i64 0\n}",
        "define void @f() {\n  br label %missing\n}",
        "define i32 @f(i1 %c) {\na:\n br i1 %c, label %b, label %d\nb:\n %x = add i32 1, 1\n"
        " br label %d\nd:\n ret i32 %x\n}",
    ],
)
def test_invalid_code_is_a_compile_error(text: str) -> None:
    with pytest.raises(CompileError, match="LLVM refused"):
        engine.compile_object(text, host_target())


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_damaged_object_is_a_compile_error(cut: int) -> None:
    code = engine.compile_object(DOUBLE_IT, host_target())[:cut]
    with pytest.raises(CompileError):
        engine.link([code], ["double_it"])


def test_a_missing_symbol_is_a_compile_error() -> None:
    code = engine.compile_object(DOUBLE_IT, host_target())
    with pytest.raises(CompileError):
        engine.link([code], ["triple_it"])
    with pytest.raises(CompileError, match="no such symbol"):
        engine.link([code], ["double_it"]).address("triple_it")


def test_a_closed_library_gives_no_addresses() -> None:
    library = engine.link([engine.compile_object(DOUBLE_IT, host_target())], ["double_it"])
    library.close()
    library.close()
    with pytest.raises(SessionError, match="closed"):
        library.address("double_it")


def test_the_same_symbol_may_live_in_many_libraries() -> None:
    code = engine.compile_object(DOUBLE_IT, host_target())
    libraries = [engine.link([code], ["double_it"]) for _ in range(3)]
    libraries.pop(0).close()
    assert [call(library, 4) for library in libraries] == [8, 8]


def test_threads_compile_and_link_at_the_same_time() -> None:
    results: list[int] = []

    def work(number: int) -> None:
        text = DOUBLE_IT.replace("add i64 %x, %x", f"mul i64 %x, {number}")
        code = engine.compile_object(text, host_target())
        results.append(call(engine.link([code], ["double_it"]), 10))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [10 * number for number in range(12)]


def test_the_instruction_set_can_be_restricted_but_not_extended() -> None:
    with ISA.override("baseline"):
        assert host_target().vector_bits == 128
    with pytest.raises(ArgumentError, match="unknown instruction set"):
        named_target("sse9")
    with ISA.override("baseline"):
        code = engine.compile_object(DOUBLE_IT, host_target())
    assert call(engine.link([code], ["double_it"]), 3) == 6


def test_the_machine_code_can_be_read() -> None:
    assert "double_it" in engine.assembly(DOUBLE_IT, host_target())


TRIPLE_IT = """define i64 @triple_it(i64 %x) {
  %y = add i64 %x, %x
  %z = add i64 %y, %x
  %unused = mul i64 %z, %z
  ret i64 %z
}
"""


def test_llvm_optimizes_as_much_as_it_is_told() -> None:
    lengths = []
    for level in ("0", "2"):
        with LLVM_OPT.override(level):
            target = host_target()
        lengths.append(len(engine.assembly(TRIPLE_IT, target)))
        code = engine.compile_object(TRIPLE_IT, target)
        library = engine.link([code], ["triple_it"])
        function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library.address("triple_it"))
        assert function(14) == 42
    assert lengths[0] > lengths[1]
    with LLVM_OPT.override("4"), pytest.raises(ArgumentError, match="LLVM_OPT"):
        host_target()
