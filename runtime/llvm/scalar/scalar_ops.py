"""The elementwise operations in LLVM: one line each, for every dtype they have native code for.

An emission gets the emitter, the operands' dtype and their values in computed form (bool as ``i1``,
16-bit floating point as float32), and gives the result in computed form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from graphc.dtypes import BOOLEAN, COMPLEX, FLOATING, INTEGER, DType, float16, float64
from graphc.errors import CompileError
from graphc.node import Node
from graphc.runtime.llvm.ir import halves
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.memory import is_half
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math.table import (
    ALWAYS_FROM_LIBM,
    BINARY,
    FLOAT64_FROM_LIBM,
    UNARY,
)  # fmt: skip
from graphc.runtime.llvm.scalar import integer_ops, normal
from graphc.runtime.llvm.scalar.casts import convert, is_signed

Emission = Callable[..., Value]


def _by_category(*, bool_: Emission | None = None, int_: Emission | None = None,
                 float_: Emission | None = None) -> Emission:  # fmt: skip
    """Different code for booleans, integers and floating-point numbers."""
    choices = {BOOLEAN: bool_, INTEGER: int_, FLOATING: float_}

    def emit(e: Emitter, dtype: DType, *operands: Value) -> Value:
        chosen = choices.get(dtype.category)
        if chosen is None:
            raise CompileError(f"no native code for {dtype.name}")
        return chosen(e, dtype, *operands)

    return emit


def _plain(instruction: str) -> Emission:
    return lambda e, dtype, a, b: e.binary(instruction, a, b)


def _math1(name: str) -> Emission:
    return lambda e, dtype, x: UNARY[name](e, x)


def _math2(name: str) -> Emission:
    return lambda e, dtype, a, b: BINARY[name](e, a, b)


def _intrinsic(name: str) -> Emission:
    return lambda e, dtype, x: e.intrinsic(name, x)


def _signed(emission: Callable[..., Value]) -> Emission:
    return lambda e, dtype, *operands: emission(e, *operands, is_signed(dtype))


def _comparison(ordered: str, integer: str) -> Emission:
    def emit(e: Emitter, dtype: DType, a: Value, b: Value) -> Value:
        if a.is_float:
            return e.cmp(ordered, a, b)
        order = "" if integer in ("eq", "ne") else "s" if is_signed(dtype) else "u"
        return e.cmp(f"{order}{integer}", a, b)

    return emit


def _integer_extremum(name: str) -> Emission:
    return lambda e, dtype, a, b: e.intrinsic(f"{'s' if is_signed(dtype) else 'u'}{name}", a, b)


def _float_extremum(order: str) -> Emission:
    """The winner; NaN wins, the first operand's before the second's.

    Of 0 and -0 the second one wins as in numpy, in float16 the first one.
    """

    def emit(e: Emitter, dtype: DType, a: Value, b: Value) -> Value:
        predicate = f"o{order[0]}e" if dtype is float16 else f"o{order}"
        winner = e.select(e.cmp(predicate, a, b), a, b)
        return e.select(e.cmp("uno", a, a), a, winner)

    return emit


def _float_sign(e: Emitter, dtype: DType, x: Value) -> Value:
    one = e.copysign(e.like(x, 1.0), x)
    nonzero = e.select(e.cmp("oeq", x, 0.0), 0.0, one)
    return e.select(e.cmp("uno", x, x), x, nonzero)


def _invert(e: Emitter, dtype: DType, x: Value) -> Value:
    return e.binary("xor", x, 1 if x.elem == "i1" else -1)


MAXIMUM = _by_category(
    bool_=_plain("or"), int_=_integer_extremum("max"), float_=_float_extremum("gt")
)
MINIMUM = _by_category(
    bool_=_plain("and"), int_=_integer_extremum("min"), float_=_float_extremum("lt")
)

OPERATIONS: Final[Mapping[str, Emission]] = MappingProxyType(
    {
        "add": _by_category(bool_=_plain("or"), int_=_plain("add"), float_=_plain("fadd")),
        "sub": _by_category(int_=_plain("sub"), float_=_plain("fsub")),
        "mul": _by_category(bool_=_plain("and"), int_=_plain("mul"), float_=_plain("fmul")),
        "div": _by_category(float_=_plain("fdiv")),
        "floor_divide": _by_category(
            int_=_signed(integer_ops.floor_divide), float_=_math2("floor_divide")
        ),
        "remainder": _by_category(int_=_signed(integer_ops.remainder), float_=_math2("remainder")),
        "pow": _by_category(int_=_signed(integer_ops.power), float_=_math2("pow")),
        "fmod": _by_category(int_=_signed(integer_ops.fmod), float_=_math2("fmod")),
        "atan2": _math2("atan2"),
        "hypot": _math2("hypot"),
        "xlogy": _math2("xlogy"),
        "xlog1py": _math2("xlog1py"),
        "copysign": lambda e, dtype, a, b: e.copysign(a, b),
        "maximum": MAXIMUM,
        "minimum": MINIMUM,
        "copy": lambda e, dtype, x: x,
        "neg": _by_category(int_=lambda e, dtype, x: e.neg(x), float_=lambda e, dtype, x: e.neg(x)),
        "abs": _by_category(
            int_=lambda e, dtype, x: (
                e.select(e.cmp("slt", x, 0), e.neg(x), x) if is_signed(dtype) else x
            ),
            float_=_intrinsic("fabs"),
        ),
        "sign": _by_category(int_=_signed(integer_ops.sign), float_=_float_sign),
        "floor": _intrinsic("floor"),
        "ceil": _intrinsic("ceil"),
        "round": _intrinsic("rint"),
        "trunc": _intrinsic("trunc"),
        "sqrt": _intrinsic("sqrt"),
        **{name: _math1(name) for name in UNARY},
        "eq": _comparison("oeq", "eq"),
        "ne": _comparison("une", "ne"),
        "lt": _comparison("olt", "lt"),
        "le": _comparison("ole", "le"),
        "gt": _comparison("ogt", "gt"),
        "ge": _comparison("oge", "ge"),
        "logical_and": _plain("and"),
        "logical_or": _plain("or"),
        "logical_xor": _plain("xor"),
        "logical_not": _invert,
        "bitwise_and": _plain("and"),
        "bitwise_or": _plain("or"),
        "bitwise_xor": _plain("xor"),
        "bitwise_not": _invert,
        "shift_left": _signed(integer_ops.shift_left),
        "shift_right": _signed(integer_ops.shift_right),
    }
)


def emit_elementwise(e: Emitter, node: Node, operands: list[Value]) -> Value:
    """The code of one elementwise node.

    Args:
        e: where to emit.
        node: the node.
        operands: its operands in computed form, all of one width.

    Raises:
        CompileError: if there is no native code for the operation or dtype.
    """
    require_native(node)
    dtype, name = node.inputs[0].type.dtype, node.op.name
    if name == "where":
        return e.select(*operands)
    if name == "cast":
        return convert(e, operands[0], dtype, node.type.dtype)
    if name == "normal_from_bits":
        return convert(e, normal.normal_from_bits(e, *operands), float64, node.type.dtype)
    result = OPERATIONS[name](e, dtype, *operands)
    return halves.rounded(e, result, dtype) if is_half(node.type.dtype) else result


def require_native(node: Node) -> None:
    """Raise CompileError if an elementwise node has no native code."""
    name = node.op.name
    dtypes = [*(operand.type.dtype for operand in node.inputs), node.type.dtype]
    if any(dtype.category == COMPLEX for dtype in dtypes):
        raise CompileError(f"{name}: no native code for complex numbers")
    if name not in OPERATIONS and name not in _SPECIAL:
        raise CompileError(f"{name}: no native code")


def weight(node: Node) -> int:
    """About how many instructions an elementwise node takes."""
    name, dtype = node.op.name, node.inputs[0].type.dtype
    if name in ALWAYS_FROM_LIBM or (name in FLOAT64_FROM_LIBM and dtype.itemsize == 8):
        return 64
    if name in UNARY or name in BINARY or name == "normal_from_bits":
        return 16
    return 4 if is_half(dtype) else 1


_SPECIAL: Final[frozenset[str]] = frozenset({"where", "cast", "normal_from_bits"})
