"""Powers and logarithms of 2 and 10: float32 through e in float64, float64 by the C library."""

from __future__ import annotations

import math
from collections.abc import Callable

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math.exponential import exp
from graphc.runtime.llvm.math.lanewise import lanewise
from graphc.runtime.llvm.math.logarithm import log


def exp2(e: Emitter, x: Value) -> Value:
    """2^x."""
    if x.elem == "double":
        return lanewise(e, "exp2", x)
    wide = e.mul(e.cast("fpext", x, "double"), math.log(2))
    return e.cast("fptrunc", exp(e, wide), x.elem)


def _logarithm(name: str, factor: float) -> Callable[[Emitter, Value], Value]:
    def function(e: Emitter, x: Value) -> Value:
        if x.elem == "double":
            return lanewise(e, name, x)
        wide = log(e, e.cast("fpext", x, "double"))
        return e.cast("fptrunc", e.mul(wide, factor), x.elem)

    return function


log2 = _logarithm("log2", 1 / math.log(2))
log10 = _logarithm("log10", 1 / math.log(10))
