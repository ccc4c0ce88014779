"""Inverse trigonometric functions and erfc, by the C library's functions of float64."""

from __future__ import annotations

from collections.abc import Callable

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math.lanewise import lanewise


def in_float64(name: str) -> Callable[..., Value]:
    """A function that rounds the C library's float64 result to the operands' type."""

    def function(e: Emitter, *operands: Value) -> Value:
        elem = operands[0].elem
        if elem == "double":
            return lanewise(e, name, *operands)
        wide = [e.cast("fpext", operand, "double") for operand in operands]
        return e.cast("fptrunc", lanewise(e, name, *wide), elem)

    return function


asin = in_float64("asin")
acos = in_float64("acos")
atan = in_float64("atan")
atan2 = in_float64("atan2")
erfc = in_float64("erfc")
