"""Steps that work element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.program import Step
from tests.random_programs import BINARY, COMPARE, JUMPS, KINKED, ROUNDED, SMOOTH, WHOLE, broadcasts

Table = dict[str, Callable[..., Any]]

MORE_SMOOTH: Table = {
    "cos": lambda x: x.cos(),
    "tan": lambda x: (x.tanh() * 1.2).tan(),
    "expm1": lambda x: x.tanh().expm1(),
    "log1p": lambda x: (x * x).log1p(),
    "rsqrt": lambda x: (x * x + 0.25).rsqrt(),
    "pow": lambda x: (x * x + 0.5) ** 0.7,
    "asin": lambda x: (x.tanh() * 0.75).asin(),
    "atan": lambda x: x.atan(),
    "asinh": lambda x: x.asinh(),
    "sinh": lambda x: x.tanh().sinh(),
    "exp2": lambda x: x.tanh().exp2(),
    "log2": lambda x: (x * x + 0.25).log2(),
    "erfc": lambda x: x.erfc(),
    "lgamma": lambda x: (x.tanh() + 3).lgamma(),
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": lambda x: F.softplus(x.tanh() * 3),
}
SMOOTH_TABLE: Table = {**SMOOTH, **MORE_SMOOTH}

MORE_ROUNDED: Table = {
    "square": lambda x: x**2,
    "twice": lambda x: x + x,
    "polynomial": lambda x: ((x * 0.25 - 1) * x + 3) * 0.5,
}
ROUNDED_TABLE: Table = {**ROUNDED, **MORE_ROUNDED}

MORE_JUMPS: Table = {
    "ceil": lambda x: x.ceil(),
    "trunc": lambda x: x.trunc(),
    "to bfloat16": lambda x: x.bfloat16(),
    "to int8": lambda x: x.char(),
    "to int16": lambda x: x.short(),
    "to long": lambda x: x.long(),
    "to bool": lambda x: x.bool(),
    "isfinite": lambda x: gc.isfinite(x),
    "isinf": lambda x: gc.isinf(x),
}
JUMP_TABLE: Table = {**JUMPS, **MORE_JUMPS}

SHIFTS: Table = {
    "or": lambda x, y: x | y,
    "shift left": lambda x, y: x << (y & 7),
    "shift right": lambda x, y: x >> (y & 7),
}
LOGIC: Table = {
    "logical and": gc.logical_and,
    "logical or": gc.logical_or,
    "logical xor": gc.logical_xor,
    "ne": lambda x, y: x != y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
}


def from_table(b: Builder, table: Table) -> tuple[str, Callable[..., Any]]:
    """An entry by chance."""
    name = b.choose(sorted(table))
    return name, table[name]


def unary(b: Builder) -> Step | None:
    """A function of one float."""
    at = b.pick(lambda one: one.kind == "f")
    if at is None:
        return None
    exact = b[at].exact
    tables = [SMOOTH_TABLE, ROUNDED_TABLE]
    if exact or not b.smooth:
        tables.append(KINKED)
    if exact:
        tables.append(JUMP_TABLE)
    table = tables[b.below(len(tables))]
    name, apply = from_table(b, table)
    if table is SMOOTH_TABLE:
        return Step(name, (at,), apply, False, lambda operands, result: 1.0)
    return Step(name, (at,), apply, exact)


def integer(b: Builder) -> Step | None:
    """A function of one whole number or truth value."""
    at = b.pick(lambda one: one.kind in "bi")
    if at is None:
        return None
    table: Table = {"invert": lambda x: ~x, "to float": lambda x: x.float(),
                    "to double": lambda x: x.double(), "to long": lambda x: x.long()}  # fmt: skip
    if b[at].kind == "i":
        table |= {"abs": lambda x: x.abs(), "neg": lambda x: -x, "times": lambda x: x * 3 - 1,
                  "sign": lambda x: x.sign(), "clamp": lambda x: x.clamp(1, 5)}  # fmt: skip
    name, apply = from_table(b, table)
    return Step(name, (at,), apply, b[at].exact)


def binary(b: Builder) -> Step | None:
    """Operands of any dtypes whose shapes broadcast; the second may be new."""
    first = b.pick()
    assert first is not None
    x = b[first]
    if b.chance(0.25):
        shape = tuple(size if b.chance(0.6) else 1 for size in x.shape)
        second = b.source(shape[b.below(len(shape) + 1) :], x.dtype)
    else:
        found = b.pick(lambda one: broadcasts(x.shape, one.shape))
        assert found is not None
        second = found
    y = b[second]
    exact = x.exact and y.exact
    kinds = x.kind + y.kind
    operands = (first, second) if b.chance(0.7) else (second, first)
    if kinds == "bb":
        table = LOGIC | {name: WHOLE[name] for name in ("and", "xor")}
    elif "f" not in kinds:
        table = WHOLE | SHIFTS | LOGIC if "b" not in kinds else {"add": BINARY["add"]} | LOGIC
        if "b" not in kinds and b.chance(0.5):
            table = {"add": BINARY["add"], "mul": BINARY["mul"], "sub": BINARY["sub"],
                     "where": COMPARE["where"], "maximum": gc.maximum}  # fmt: skip
    elif exact and b.chance(0.3):
        table = COMPARE | LOGIC
        if "b" in kinds or b.special:
            table = LOGIC
    elif kinds == "ff" and (exact or not b.smooth) and b.chance(0.3):
        table = {"maximum": gc.maximum, "minimum": gc.minimum}
    elif "b" in kinds:
        table = {"add": BINARY["add"], "mul": BINARY["mul"]}
    else:
        table = BINARY
    name, apply = from_table(b, table)
    exact = exact and name != "dead"
    return Step(name, operands, apply, exact, lambda operands, result: 1.0)


def choice(b: Builder) -> Step | None:
    """By a truth value, one of two others."""
    mask = b.pick(lambda one: one.kind == "b" and one.exact)
    if mask is None:
        return None
    first = b.pick(lambda one: one.kind == "f" and broadcasts(one.shape, b[mask].shape))
    if first is None:
        return None
    second = b.pick(
        lambda one: one.dtype == b[first].dtype
        and broadcasts(one.shape, b[mask].shape) and broadcasts(one.shape, b[first].shape)
    )  # fmt: skip
    assert second is not None
    exact = b[first].exact and b[second].exact
    if b.chance(0.3):
        return Step("masked_fill", (first, mask), lambda x, m: x.masked_fill(m, -2.5),
                    b[first].exact)  # fmt: skip
    return Step("where", (mask, first, second), gc.where, exact)


def conversion(b: Builder) -> Step | None:
    """To a dtype that has room for the values."""
    at = b.pick()
    assert at is not None
    of = [gc.float32, gc.float64, gc.int64, gc.float16, gc.bfloat16][b.below(5)]
    if b[at].kind == "f" and (of is gc.int64 or not b[at].exact):
        of = gc.float64
    if b[at].kind != "f" and of in (gc.float16, gc.bfloat16):
        of = gc.float32
    return Step(f"to {of.name}", (at,), lambda x: x.to(of), b[at].exact)
