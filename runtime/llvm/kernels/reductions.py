"""What a reduction keeps while it runs, and how two such states combine.

A state is a tuple of values; the order in which states combine is fixed when the code is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from graphc.dtypes import BOOLEAN, COMPLEX, FLOATING, DType
from graphc.errors import CompileError
from graphc.node import Node
from graphc.runtime.llvm.ir import halves
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.memory import computed_elem, is_half
from graphc.runtime.llvm.ir.values import BITS, Value, constant
from graphc.runtime.llvm.scalar.casts import is_signed
from graphc.runtime.llvm.scalar.scalar_ops import MAXIMUM, MINIMUM, OPERATIONS

State = tuple[Value, ...]

INDEX = "i32"
NO_INDEX = 2**31 - 1


class Reduction(Protocol):
    """One reduction of one dtype."""

    @property
    def compensated(self) -> bool:
        """Whether long runs need care for their rounding errors."""
        ...

    def identity(self, lanes: int) -> State:
        """The state before the first element."""
        ...

    def lift(self, value: Value, index: Value | None) -> State:
        """The state of one element."""
        ...

    def take(self, e: Emitter, state: State, later: State) -> State:
        """The state after one more element, which comes after all that the state has."""
        ...

    def combine(self, e: Emitter, a: State, b: State) -> State:
        """The state of both, which may have any order."""
        ...

    def finish(self, e: Emitter, state: State) -> Value:
        """The result, in computed form."""
        ...


@dataclass(frozen=True)
class Fold:
    """A reduction by one associative operation: sum, prod, amax, amin."""

    dtype: DType
    operation: Callable[..., Value]
    start: float
    compensated: bool
    rounds: bool

    def identity(self, lanes: int) -> State:
        """The neutral element."""
        return (constant(computed_elem(self.dtype), self.start, lanes),)

    def lift(self, value: Value, index: Value | None) -> State:
        """The element."""
        return (value,)

    def take(self, e: Emitter, state: State, later: State) -> State:
        """The operation on both."""
        return self.combine(e, state, later)

    def combine(self, e: Emitter, a: State, b: State) -> State:
        """The operation on both."""
        return (self.operation(e, self.dtype, a[0], b[0]),)

    def finish(self, e: Emitter, state: State) -> Value:
        """The result, rounded to 16 bits where the dtype has no more."""
        return halves.rounded(e, state[0], self.dtype) if self.rounds else state[0]


@dataclass(frozen=True)
class Extremum(Fold):
    """amax and amin of floating-point numbers: NaN wins.

    Args:
        predicate: how a better element compares with the state.
    """

    predicate: str

    def take(self, e: Emitter, state: State, later: State) -> State:
        """Each step waits only for one comparison with the state; it keeps its NaN by itself."""
        (best,), (value,) = state, later
        winner = e.select(e.cmp(self.predicate, value, best), value, best)
        return (e.select(e.cmp("uno", value, value), value, winner),)


@dataclass(frozen=True)
class Position:
    """argmax and argmin: the extreme value and its first position; NaN is more extreme than all."""

    dtype: DType
    predicate: str
    worst: float
    compensated: bool = False

    def identity(self, lanes: int) -> State:
        """The worst value, at a position behind all others: no element has replaced it yet."""
        elem = computed_elem(self.dtype)
        return constant(elem, self.worst, lanes), constant(INDEX, NO_INDEX, lanes)

    def lift(self, value: Value, index: Value | None) -> State:
        """The element and its position."""
        if index is None:
            raise CompileError("argmax and argmin reduce one dim")
        return value, index

    def take(self, e: Emitter, state: State, later: State) -> State:
        """The later one only if it is more extreme: equals keep the earlier position."""
        value, new = state[0], later[0]
        if value.is_float:
            beats = e.cmp(f"u{self.predicate[1:]}", new, value)  # or one of them is NaN
            chosen = e.binary("and", beats, e.cmp("ord", value, value))
        else:
            chosen = e.cmp(self.predicate, new, value)
        return e.select(chosen, new, value), e.select(chosen, later[1], state[1])

    def combine(self, e: Emitter, a: State, b: State) -> State:
        """The more extreme one; of equals, the one that comes first."""
        better = e.cmp(self.predicate, b[0], a[0])
        equal = e.cmp("oeq" if a[0].is_float else "eq", b[0], a[0])
        if a[0].is_float:
            nan_a, nan_b = e.cmp("uno", a[0], a[0]), e.cmp("uno", b[0], b[0])
            only_b = e.binary("and", nan_b, e.binary("xor", nan_a, 1))
            better = e.binary("or", better, only_b)
            equal = e.binary("or", equal, e.binary("and", nan_a, nan_b))
        earlier = e.binary("and", equal, e.cmp("slt", b[1], a[1]))
        chosen = e.binary("or", better, earlier)
        return e.select(chosen, b[0], a[0]), e.select(chosen, b[1], a[1])

    def finish(self, e: Emitter, state: State) -> Value:
        """The position; 0 where every element is the worst value."""
        position = e.select(e.cmp("eq", state[1], NO_INDEX), 0, state[1])
        return e.resize(position, "i64")


def reduction_of(node: Node) -> Reduction:
    """The reduction that a node asks for.

    Raises:
        CompileError: if there is no native code for it.
    """
    dtype, name = node.inputs[0].type.dtype, node.op.name
    if dtype.category == COMPLEX:
        raise CompileError(f"{name}: no native code for complex numbers")
    floating = dtype.category == FLOATING
    low, high = _limits(dtype)
    if name == "sum":
        return Fold(dtype, OPERATIONS["add"], -0.0 if floating else 0, floating, is_half(dtype))
    if name == "prod":
        return Fold(dtype, OPERATIONS["mul"], 1, False, is_half(dtype))
    if name in ("amax", "amin"):
        extremum = (MAXIMUM, low) if name == "amax" else (MINIMUM, high)
        if floating:
            return Extremum(dtype, *extremum, False, False, "ogt" if name == "amax" else "olt")
        return Fold(dtype, *extremum, False, False)
    if name in ("argmax", "argmin"):
        (dim,) = node.attrs["dims"]
        if node.inputs[0].type.static_shape[dim] > NO_INDEX:
            raise CompileError(f"{name}: no native code for so many elements")
        order = "o" if floating else "s" if is_signed(dtype) else "u"
        direction, worst = ("gt", low) if name == "argmax" else ("lt", high)
        return Position(dtype, order + direction, worst)
    raise CompileError(f"{name}: no native code")


def _limits(dtype: DType) -> tuple[float, float]:
    """The smallest and the largest value."""
    if dtype.category == FLOATING:
        return float("-inf"), float("inf")
    if dtype.category == BOOLEAN:
        return 0, 1
    bits = BITS[computed_elem(dtype)]
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed(dtype) else (0, (1 << bits) - 1)
