"""The frames of generated functions: their parameters, and names that are hashes of their code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from graphc.runtime.llvm.ir.emitter import Emitter
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
    symbol = f"kernel.{content_hash(text)}"
    module.define(symbol, f"define i32 @{symbol}{text}", glue=glue)
    return symbol


def define_helper(e: Emitter, family: str, parameters: str) -> str:
    """Add ``void(parameters)`` to an emitter's module, for functions of this module to call.

    Args:
        e: has the instructions; the function returns behind the last one.
        family: how the symbol begins.
        parameters: their types, attributes and names.

    Returns:
        The symbol, which ends with a hash of the code: equal functions are one.
    """
    text = f"({parameters}) nounwind noinline {{\nentry:\n{_void_code(e)}\n}}"
    symbol = f"{family}.{content_hash(text)}"
    e.module.define(symbol, f"define internal void @{symbol}{text}")
    return symbol


def define_once(
    module: Module,
    name: str,
    parameters: str,
    write: Callable[[Emitter], None],
    *,
    internal: bool = True,
) -> None:
    """Add ``void(parameters)`` under a name that says all of what it does, unless it is there.

    Args:
        module: where the code goes.
        name: the symbol.
        parameters: their types, attributes and names.
        write: emits the instructions.
        internal: whether modules that are compiled apart have a copy each.
    """
    if module.has(name):
        return
    e = Emitter(module)
    write(e)
    linkage = "internal " if internal else ""
    head = f"define {linkage}void @{name}({parameters}) nounwind noinline"
    module.define(name, f"{head} {{\nentry:\n{_void_code(e)}\n}}")


def content_hash(text: str) -> str:
    """The part of a symbol that stands for code: equal code has equal names."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _void_code(e: Emitter) -> str:
    return "\n".join([*e.slots, *e.lines, "  ret void"])
