"""The vector functions by name, and how accurate they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math import (
    bases,
    division,
    error_function,
    exponential,
    hyperbolic,
    inverse,
    logarithm,
    power,
    trigonometric,
)

UNARY: Final[Mapping[str, Callable[[Emitter, Value], Value]]] = MappingProxyType(
    {
        "exp": exponential.exp,
        "expm1": exponential.expm1,
        "sigmoid": exponential.sigmoid,
        "tanh": exponential.tanh,
        "log": logarithm.log,
        "log1p": logarithm.log1p,
        "sin": trigonometric.sin,
        "cos": trigonometric.cos,
        "tan": trigonometric.tan,
        "erf": error_function.erf,
        "rsqrt": power.rsqrt,
        "exp2": bases.exp2,
        "log2": bases.log2,
        "log10": bases.log10,
        "asin": inverse.asin,
        "acos": inverse.acos,
        "atan": inverse.atan,
        "erfc": inverse.erfc,
        "sinh": hyperbolic.sinh,
        "cosh": hyperbolic.cosh,
        "asinh": hyperbolic.asinh,
        "acosh": hyperbolic.acosh,
        "atanh": hyperbolic.atanh,
    }
)

BINARY: Final[Mapping[str, Callable[[Emitter, Value, Value], Value]]] = MappingProxyType(
    {
        "pow": power.power,
        "xlogy": logarithm.xlogy,
        "xlog1py": logarithm.xlog1py,
        "hypot": power.hypot,
        "atan2": inverse.atan2,
        "fmod": division.fmod,
        "remainder": division.remainder,
        "floor_divide": division.floor_divide,
    }
)

# Largest error in units in the last place of the correctly rounded result, for float32 and float64,
# over the whole range, denormal results included; tests/unit/runtime/llvm/test_vecmath.py measures
# it against mpmath. remainder, floor_divide and fmod follow numpy's definition bit for bit.
ULP_BOUNDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "exp": (1.0, 1.0),
        "expm1": (2.0, 2.0),
        "sigmoid": (2.0, 2.0),
        "tanh": (2.0, 3.0),
        "log": (1.0, 1.0),
        "log1p": (1.5, 1.5),
        "xlogy": (2.0, 2.0),
        "xlog1py": (3.0, 3.0),
        "sin": (0.51, 1.0),
        "cos": (0.51, 1.0),
        "tan": (0.51, 1.0),
        "erf": (1.5, 1.0),
        "rsqrt": (1.5, 1.5),
        "pow": (0.51, 1.0),
        "exp2": (0.51, 1.0),
        "log2": (0.51, 1.0),
        "log10": (0.51, 2.0),
        "asin": (0.51, 1.0),
        "acos": (0.51, 1.0),
        "atan": (0.51, 1.0),
        "atan2": (0.51, 1.0),
        "sinh": (0.51, 2.0),
        "cosh": (0.51, 2.0),
        "asinh": (0.51, 2.0),
        "acosh": (0.51, 2.5),
        "atanh": (0.51, 2.0),
        "erfc": (0.51, 5.0),
        "hypot": (0.51, 1.0),
    }
)

# Functions whose float64 form calls the C library for each lane: their bound is the library's own.
FLOAT64_FROM_LIBM: Final = frozenset(
    {"sin", "cos", "tan", "erf", "pow", "exp2", "log2", "log10", "asin", "acos", "atan", "atan2"}
    | {"sinh", "cosh", "asinh", "acosh", "atanh", "erfc", "hypot"}
)

# Functions that call the C library for each lane whatever the type.
ALWAYS_FROM_LIBM: Final = frozenset({"asin", "acos", "atan", "atan2", "erfc", "fmod"})
