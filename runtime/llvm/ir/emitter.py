"""Writes the instructions of one function, in text.

Every operation takes values of one width and gives a value of that width; a plain Python number
stands for the same constant in every lane. No instruction carries a fast-math flag, and nothing is
contracted except where :meth:`Emitter.fma` or :meth:`Emitter.multiply_add` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.ir.values import BITS, INTEGER_OF, Value, constant, suffix, type_name

Operand = Value | float


class Emitter:
    """Instructions of one function, in the order of the calls.

    Args:
        module: where declarations and helper functions go.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.target = module.target
        self.lines: list[str] = []
        self.slots: list[str] = []
        """Declarations of stack slots; they belong at the start of the function."""
        self.block = "entry"
        self._count = 0

    # ------------------------------------------------------------------ building blocks

    def fresh(self, prefix: str = "v") -> str:
        """A name that this function has not used."""
        self._count += 1
        return f"{prefix}{self._count}"

    def emit(self, line: str) -> None:
        """Append a line that defines nothing."""
        self.lines.append(f"  {line}")

    def define(self, expression: str, elem: str, lanes: int) -> Value:
        """Append ``%fresh = expression`` and return it."""
        name = f"%{self.fresh()}"
        self.emit(f"{name} = {expression}")
        return Value(name, elem, lanes)

    def label(self, name: str) -> None:
        """Start a block."""
        self.lines.append(f"{name}:")
        self.block = name

    def slot(self, kind: str) -> Value:
        """The address of a new stack slot for a value of an LLVM type; contents undefined."""
        name = f"%{self.fresh('slot')}"
        self.slots.append(f"  {name} = alloca {kind}")
        return Value(name, "ptr", 1)

    def like(self, value: Value, operand: Operand) -> Value:
        """``operand`` as a value of the type of ``value``."""
        if isinstance(operand, Value):
            return operand
        return constant(value.elem, operand, value.lanes)

    # ------------------------------------------------------------------ arithmetic

    def binary(self, instruction: str, a: Value, b: Operand) -> Value:
        """An instruction with two operands of one type, e.g. ``fadd`` or ``shl``."""
        b = self.like(a, b)
        return self.define(f"{instruction} {a.type} {a.text}, {b.text}", a.elem, a.lanes)

    def add(self, a: Value, b: Operand) -> Value:
        """a + b."""
        return self.binary("fadd" if a.is_float else "add", a, b)

    def sub(self, a: Value, b: Operand) -> Value:
        """a - b."""
        return self.binary("fsub" if a.is_float else "sub", a, b)

    def rsub(self, a: Value, b: Operand) -> Value:
        """b - a, for a constant on the left."""
        return self.sub(self.like(a, b), a)

    def mul(self, a: Value, b: Operand) -> Value:
        """a * b."""
        return self.binary("fmul" if a.is_float else "mul", a, b)

    def div(self, a: Value, b: Operand) -> Value:
        """a / b, for floating-point numbers."""
        return self.binary("fdiv", a, b)

    def neg(self, a: Value) -> Value:
        """-a; flips the sign of zero and NaN, too."""
        if a.is_float:
            return self.define(f"fneg {a.type} {a.text}", a.elem, a.lanes)
        return self.rsub(a, 0)

    def fma(self, a: Value, b: Operand, c: Operand) -> Value:
        """a * b + c, rounded once.

        A processor without the instruction computes float32 in float64, where the product is
        exact, and calls the C library for float64.
        """
        b, c = self.like(a, b), self.like(a, c)
        if self.target.fma or a.elem == "double":
            return self.intrinsic("fma", a, b, c)
        wide = self.add(
            self.mul(self.cast("fpext", a, "double"), self.cast("fpext", b, "double")),
            self.cast("fpext", c, "double"),
        )
        return self.cast("fptrunc", wide, a.elem)

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """a * b + c, rounded once where the processor has an instruction for it, else twice."""
        return self.fma(a, b, c) if self.target.fma else self.add(self.mul(a, b), c)

    def polynomial(self, x: Value, coefficients: tuple[float, ...]) -> Value:
        """Horner's rule with fused steps; coefficients from the lowest power up."""
        result = self.like(x, coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            result = self.fma(result, x, coefficient)
        return result

    # ------------------------------------------------------------------ comparing and choosing

    def cmp(self, predicate: str, a: Value, b: Operand) -> Value:
        """Compare, e.g. ``olt`` for floating-point numbers or ``slt`` for integers."""
        b = self.like(a, b)
        instruction = "fcmp" if a.is_float else "icmp"
        text = f"{instruction} {predicate} {a.type} {a.text}, {b.text}"
        return self.define(text, "i1", a.lanes)

    def select(self, condition: Value, yes: Operand, no: Operand) -> Value:
        """``yes`` where the condition holds, else ``no``; at least one of them is a value."""
        if isinstance(yes, Value):
            no = self.like(yes, no)
        elif isinstance(no, Value):
            yes = self.like(no, yes)
        else:
            raise TypeError("select needs one operand that is a value")
        text = f"select {condition.typed}, {yes.typed}, {no.typed}"
        return self.define(text, yes.elem, yes.lanes)

    def rarely(self, mask: Value, common: Value, slow: Callable[[], Value]) -> Value:
        """``common``, or what ``slow`` computes when any lane of the mask is set."""
        condition = self.any(mask)
        before, name = self.block, self.fresh("rare")
        self.emit(f"br i1 {condition.text}, label %{name}, label %{name}.join")
        self.label(name)
        value = slow()
        after = self.block
        self.emit(f"br label %{name}.join")
        self.label(f"{name}.join")
        text = f"phi {common.type} [ {common.text}, %{before} ], [ {value.text}, %{after} ]"
        return self.define(text, common.elem, common.lanes)

    def any(self, mask: Value) -> Value:
        """Whether any lane is set."""
        return mask if mask.lanes == 1 else self.reduce("or", mask)

    def reduce(self, operation: str, vector: Value) -> Value:
        """Combine all lanes of an integer vector: ``or``, ``and``, ``add``, ``smax`` ..."""
        name = f"llvm.vector.reduce.{operation}.{suffix(vector.elem, vector.lanes)}"
        return self.call(name, vector.elem, 1, vector)

    # ------------------------------------------------------------------ conversions

    def cast(self, instruction: str, a: Value, elem: str) -> Value:
        """A conversion instruction, lane by lane, e.g. ``fpext`` or ``zext``."""
        target = type_name(elem, a.lanes)
        return self.define(f"{instruction} {a.typed} to {target}", elem, a.lanes)

    def bits(self, a: Value) -> Value:
        """The bit pattern of a floating-point value as integer."""
        return self.cast("bitcast", a, INTEGER_OF[a.elem])

    def from_bits(self, a: Value, elem: str) -> Value:
        """The floating-point value with this bit pattern."""
        return self.cast("bitcast", a, elem)

    def resize(self, a: Value, elem: str, signed: bool = True) -> Value:
        """An integer with more or fewer bits."""
        if a.elem == elem:
            return a
        if BITS[elem] < BITS[a.elem]:
            return self.cast("trunc", a, elem)
        return self.cast("sext" if signed else "zext", a, elem)

    def splat(self, scalar: Value, lanes: int) -> Value:
        """A scalar in every lane; a vector of that width stays as it is."""
        if lanes == scalar.lanes:
            return scalar
        if not scalar.text.startswith("%"):
            return Value(f"splat ({scalar.elem} {scalar.text})", scalar.elem, lanes)
        vector = type_name(scalar.elem, lanes)
        first = self.insert(Value("poison", scalar.elem, lanes), scalar, 0)
        mask = f"<{lanes} x i32> zeroinitializer"
        return self.define(
            f"shufflevector {first.typed}, {vector} poison, {mask}", scalar.elem, lanes
        )

    def halves(self, vector: Value) -> tuple[Value, Value]:
        """The lower and the upper half of the lanes."""
        half = vector.lanes // 2
        lower = self.shuffle(vector, range(half))
        return lower, self.shuffle(vector, range(half, vector.lanes))

    def join(self, lower: Value, upper: Value) -> Value:
        """One vector of two."""
        lanes = lower.lanes * 2
        mask = ", ".join(f"i32 {lane}" for lane in range(lanes))
        text = f"shufflevector {lower.typed}, {upper.typed}, <{lanes} x i32> <{mask}>"
        return self.define(text, lower.elem, lanes)

    def merge(self, a: Value, b: Value, lanes: Sequence[int]) -> Value:
        """The chosen lanes of two vectors; those of the second are numbered behind the first's."""
        mask = ", ".join(f"i32 {lane}" for lane in lanes)
        text = f"shufflevector {a.typed}, {b.typed}, <{len(lanes)} x i32> <{mask}>"
        return self.define(text, a.elem, len(lanes))

    def shuffle(self, vector: Value, lanes: Sequence[int]) -> Value:
        """The chosen lanes, in this order; one lane becomes a scalar."""
        if len(lanes) == 1:
            return self.extract(vector, lanes[0])
        mask = ", ".join(f"i32 {lane}" for lane in lanes)
        count = len(lanes)
        text = f"shufflevector {vector.typed}, {vector.type} poison, <{count} x i32> <{mask}>"
        return self.define(text, vector.elem, count)

    def extract(self, vector: Value, lane: int) -> Value:
        """One lane."""
        return self.define(f"extractelement {vector.typed}, i64 {lane}", vector.elem, 1)

    def insert(self, vector: Value, scalar: Value, lane: int) -> Value:
        """The vector with one lane replaced."""
        text = f"insertelement {vector.typed}, {scalar.typed}, i64 {lane}"
        return self.define(text, vector.elem, vector.lanes)

    # ------------------------------------------------------------------ calls

    def intrinsic(self, name: str, a: Value, *more: Value) -> Value:
        """An LLVM intrinsic whose result has the type of its first operand, e.g. ``sqrt``."""
        return self.call(f"llvm.{name}.{suffix(a.elem, a.lanes)}", a.elem, a.lanes, a, *more)

    def call(self, name: str, elem: str, lanes: int, *operands: Value) -> Value:
        """Call a pure function, which is declared if the module does not define it."""
        result = type_name(elem, lanes)
        if not self.module.has(name):
            types = ", ".join(operand.type for operand in operands)
            attributes = "" if name.startswith("llvm.") else " nounwind willreturn memory(none)"
            self.module.declare(name, f"declare {result} @{name}({types}){attributes}")
        arguments = ", ".join(operand.typed for operand in operands)
        return self.define(f"call {result} @{name}({arguments})", elem, lanes)

    # ------------------------------------------------------------------ small compositions

    def abs(self, a: Value) -> Value:
        """|a| for floating-point numbers."""
        return self.intrinsic("fabs", a)

    def copysign(self, magnitude: Value, sign: Value) -> Value:
        """|magnitude| with the sign of ``sign``."""
        return self.intrinsic("copysign", magnitude, sign)

    def at_most(self, a: Value, limit: Operand) -> Value:
        """The smaller one; NaN in ``a`` stays."""
        return self.select(self.cmp("ogt", a, limit), self.like(a, limit), a)

    def at_least(self, a: Value, limit: Operand) -> Value:
        """The larger one; NaN in ``a`` stays."""
        return self.select(self.cmp("olt", a, limit), self.like(a, limit), a)
