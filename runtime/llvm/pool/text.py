"""Adding functions written as text IR to a module."""

from __future__ import annotations

import textwrap

from graphc.runtime.llvm.ir.module import Module


def define(module: Module, signature: str, body: str) -> None:
    """Add a function.

    Args:
        module: where it goes.
        signature: e.g. ``"i32 @name(ptr %pool)"``.
        body: its instructions; blocks other than the first start with a label.
    """
    name = signature.partition("@")[2].partition("(")[0]
    code = textwrap.dedent(body).strip("\n")
    module.define(name, f"define {signature} nounwind {{\n{code}\n}}")


def lines(*instructions: str) -> str:
    """Several instructions for one line of a body, indented as all bodies here are."""
    return ("\n" + " " * 10).join(instructions)


def field(name: str, offset: int) -> str:
    """The instruction that makes ``%name`` the address of a field of ``%pool``."""
    return f"%{name} = getelementptr i8, ptr %pool, i64 {offset}"
