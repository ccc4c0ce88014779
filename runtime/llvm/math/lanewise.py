"""Functions of the C library, lane by lane: slow paths, and float64's rarer functions."""

from __future__ import annotations

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import Value, type_name


def lanewise(e: Emitter, function: str, *operands: Value) -> Value:
    """Call a C function for every lane.

    The calls sit in a function of their own that is shared by the whole module, so the kernels that
    need it stay small.

    Args:
        e: where to emit the call.
        function: name of a C function from float64 to float64, or float32 with an ``f`` suffix.
        operands: one vector for each parameter.
    """
    elem, lanes = operands[0].elem, operands[0].lanes
    if lanes == 1:
        return e.call(function, elem, 1, *operands)
    helper = f"graphc.{function}.x{lanes}"
    if not e.module.has(helper):
        e.module.define(helper, _definition(e.module, helper, function, elem, lanes, len(operands)))
    return e.call(helper, elem, lanes, *operands)


def _definition(
    module: Module, helper: str, function: str, elem: str, lanes: int, arity: int
) -> str:
    e = Emitter(module)
    parameters = [Value(f"%a{index}", elem, lanes) for index in range(arity)]
    result = Value("poison", elem, lanes)
    for lane in range(lanes):
        scalars = [e.extract(parameter, lane) for parameter in parameters]
        result = e.insert(result, e.call(function, elem, 1, *scalars), lane)
    e.emit(f"ret {result.typed}")
    signature = ", ".join(parameter.typed for parameter in parameters)
    body = "\n".join(e.lines)
    return (
        f"define internal {type_name(elem, lanes)} @{helper}({signature}) "
        f"noinline nounwind willreturn memory(none) {{\n{body}\n}}"
    )
