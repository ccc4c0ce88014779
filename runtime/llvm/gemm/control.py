"""Control flow of generated code whose conditions and counts are known only when it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value, constant


def known(value: Value) -> int | None:
    """The number, where a value is a constant."""
    if value.text in ("true", "false"):
        return int(value.text == "true")
    return None if value.text.startswith("%") else int(value.text)


def repeat(e: Emitter, count: Value, body: Callable[[Value], None]) -> None:
    """Emit ``body(index)`` for the indices 0 .. count-1; count may be 0."""

    def step(index: Value, values: list[Value]) -> list[Value]:
        body(index)
        return values

    repeat_with(e, count, (), step)


def repeat_with(
    e: Emitter,
    count: Value,
    start: Sequence[Value],
    body: Callable[[Value, list[Value]], list[Value]],
) -> list[Value]:
    """Emit ``values = body(index, values)`` for the indices 0 .. count-1; return the last values.

    Args:
        e: where to emit.
        count: the number of rounds, at least 0.
        start: the values before the first round.
        body: emits one round.
    """
    fixed = known(count)
    if fixed is not None and fixed < 2:
        return body(constant("i64", 0), list(start)) if fixed else list(start)
    name, before = e.fresh("loop"), e.block
    if fixed is None:
        some = e.cmp("sgt", count, 0)
        e.emit(f"br i1 {some.text}, label %{name}, label %{name}.end")
    else:
        e.emit(f"br label %{name}")
    e.label(name)
    phis = len(e.lines)
    starts = [constant("i64", 0), *start]
    here = [Value(f"%{name}.{n}", each.elem, each.lanes) for n, each in enumerate(starts)]
    e.lines += [""] * len(starts)
    ends = body(here[0], here[1:])
    ends = [e.add(here[0], 1), *ends]
    more = e.cmp("slt", ends[0], count)
    last = e.block
    for number, (first, value, end) in enumerate(zip(starts, here, ends, strict=True)):
        ways = f"[ {first.text}, %{before} ], [ {end.text}, %{last} ]"
        e.lines[phis + number] = f"  {value.text} = phi {value.type} {ways}"
    e.emit(f"br i1 {more.text}, label %{name}, label %{name}.end")
    e.label(f"{name}.end")
    if fixed is not None:
        return ends[1:]
    return [
        e.define(
            f"phi {first.type} [ {first.text}, %{before} ], [ {end.text}, %{last} ]",
            first.elem,
            first.lanes,
        )
        for first, end in zip(starts[1:], ends[1:], strict=True)
    ]


def when(e: Emitter, condition: Value, body: Callable[[], None]) -> None:
    """Emit ``body()``, which runs if the condition holds."""
    fixed = known(condition)
    if fixed is not None:
        if fixed:
            body()
        return
    name = e.fresh("when")
    e.emit(f"br i1 {condition.text}, label %{name}, label %{name}.end")
    e.label(name)
    body()
    e.emit(f"br label %{name}.end")
    e.label(f"{name}.end")


def scaled(e: Emitter, index: Value, factor: int) -> Value:
    """index * factor, computed now where the index is a constant."""
    fixed = known(index)
    if fixed is not None:
        return constant("i64", fixed * factor)
    return e.mul(index, factor) if factor != 1 else index


def moved(e: Emitter, pointer: Value, size: int, *steps: tuple[Value, int]) -> Value:
    """An address, ``index * stride`` elements of ``size`` bytes further for each step."""
    fixed = 0
    for index, stride in steps:
        number = known(index)
        if number is not None:
            fixed += number * stride
        elif stride:
            offset = scaled(e, index, stride * size)
            text = f"getelementptr i8, ptr {pointer.text}, i64 {offset.text}"
            pointer = e.define(text, "ptr", 1)
    if fixed:
        text = f"getelementptr i8, ptr {pointer.text}, i64 {fixed * size}"
        pointer = e.define(text, "ptr", 1)
    return pointer
