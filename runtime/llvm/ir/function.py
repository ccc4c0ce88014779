"""The frame of every generated function: its parameters, and a name that is a hash of its code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value

SHARED = Value("%shared", "ptr", 1)
"""Memory that all units of all phases of a step share."""

SCRATCH = Value("%scratch", "ptr", 1)
"""Memory that a call has for itself."""

BEGIN = Value("%begin", "i64", 1)
"""The first unit that a call does."""

END = Value("%end", "i64", 1)
"""The unit behind the last one that a call does."""


def parameters(operands: int) -> list[Value]:
    """The addresses of the operands."""
    return [Value(f"%p{number}", "ptr", 1) for number in range(operands)]


def define_function(
    module: Module, operands: int, lines: Sequence[str], *, glue: bool = False
) -> str:
    """Add ``i32(ptr operand..., ptr shared, ptr scratch, i64 begin, i64 end)`` to a module.

    Args:
        module: where the code goes.
        operands: the number of inputs and outputs.
        lines: the instructions; the function returns 0 behind the last one.
        glue: it only calls others, so that LLVM need not spend effort on it.

    Returns:
        The symbol, a hash of the code: equal functions are one.
    """
    addresses = [*parameters(operands), SHARED, SCRATCH]
    arguments = ", ".join(value.typed for value in (*addresses, BEGIN, END))
    code = "\n".join([*lines, "  ret i32 0"])
    text = f"({arguments}) nounwind noinline {{\nentry:\n{code}\n}}"
    symbol = f"kernel.{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    module.define(symbol, f"define i32 @{symbol}{text}", glue=glue)
    return symbol
