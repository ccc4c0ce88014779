"""Parts of a module: complete, independent of each other, and linked together again."""

import ctypes

import pytest

from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.compiler.units import split
from graphc.runtime.llvm.ir.module import Module


def module_of_three() -> Module:
    """``sum`` calls two functions that share a helper and a constant."""
    module = Module(host_target())
    module.declare("llvm.smax.i64", "declare i64 @llvm.smax.i64(i64, i64)")
    module.define("@five", "@five = private unnamed_addr constant i64 5")
    module.define(
        "helper",
        "define internal i64 @helper(i64 %x) {\n  %five = load i64, ptr @five\n"
        "  %y = add i64 %x, %five\n  ret i64 %y\n}",
    )
    module.define(
        "first",
        "define i64 @first(i64 %x) nounwind {\n  %y = call i64 @helper(i64 %x)\n  ret i64 %y\n}",
    )
    module.define(
        "second",
        "define i64 @second(i64 %x) nounwind memory(none) {\n"
        "  %y = call i64 @llvm.smax.i64(i64 %x, i64 100)\n"
        "  %z = call i64 @helper(i64 %y)\n  ret i64 %z\n}",
    )
    module.define(
        "sum",
        "define i64 @sum(i64 %x) {\n  %a = call i64 @first(i64 %x)\n"
        "  %b = call i64 @second(i64 %x)\n  %c = add i64 %a, %b\n  ret i64 %c\n}",
    )
    return module


@pytest.mark.parametrize("enough", [0, 600, 10_000])
def test_linked_parts_are_the_module(enough: int) -> None:
    module = module_of_three()
    parts = split(module, enough)
    assert len(parts) == {0: 3, 600: 2, 10_000: 1}[enough]
    objects = [engine.compile_object(part.text, part.target) for part in parts]
    library = engine.link(objects, ["sum", "first"])
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library.address("sum"))
    assert function(7) == 12 + 105


def test_a_part_depends_on_its_own_functions_only() -> None:
    more = module_of_three()
    more.define("other", "define void @other() {\n  ret void\n}")
    assert split(more, 0)[:3] == split(module_of_three(), 0)
    assert "llvm.smax" not in split(more, 0)[0].text


def test_a_module_of_declarations_has_no_part() -> None:
    assert split(Module(host_target())) == []
