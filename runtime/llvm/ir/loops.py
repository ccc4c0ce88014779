"""Loops of generated code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value, constant


def loop(e: Emitter, count: int, body: Callable[[Value], None]) -> None:
    """Emit ``body(index)`` for the indices 0 .. count-1; without a loop if there is just one.

    Args:
        e: where to emit.
        count: the number of rounds.
        body: emits one round for an ``i64`` index.
    """
    loop_between(e, constant("i64", 0), constant("i64", max(count, 0)), body)


def loop_between(e: Emitter, first: Value, stop: Value, body: Callable[[Value], None]) -> None:
    """Emit ``body(index)`` for the indices first .. stop-1.

    Args:
        e: where to emit.
        first: the first index; an ``i64``.
        stop: the index behind the last one; no round if it is not above ``first``.
        body: emits one round for an ``i64`` index.
    """
    known = number(first), number(stop)
    name = e.fresh("loop")
    if known[0] is not None and known[1] is not None:
        if known[1] <= known[0]:
            return
        if known[1] == known[0] + 1:
            body(first)
            return
        e.emit(f"br label %{name}")
    else:
        some = e.cmp("slt", first, stop)
        e.emit(f"br i1 {some.text}, label %{name}.enter, label %{name}.end")
        e.label(f"{name}.enter")
        e.emit(f"br label %{name}")
    before = e.block
    e.label(name)
    phi = len(e.lines)
    e.emit("")
    body(Value(f"%{name}.index", "i64", 1))
    start, again = f"[ {first.text}, %{before} ]", f"[ %{name}.next, %{e.block} ]"
    e.lines[phi] = f"  %{name}.index = phi i64 {start}, {again}"
    e.emit(f"%{name}.next = add nuw nsw i64 %{name}.index, 1")
    e.emit(f"%{name}.more = icmp slt i64 %{name}.next, {stop.text}")
    e.emit(f"br i1 %{name}.more, label %{name}, label %{name}.end")
    e.label(f"{name}.end")


def chunked_loop(
    e: Emitter,
    first: Value,
    stop: Value,
    chunk: int,
    body: Callable[[Value], None],
    after_chunk: Callable[[], None],
) -> None:
    """Like :func:`loop_between`, with ``after_chunk()`` after ``chunk`` rounds and at the end.

    Only a loop whose bounds are constants is cut; the caller keeps the others short.

    Args:
        e: where to emit.
        first: the first index; an ``i64``.
        stop: the index behind the last one.
        chunk: how many rounds go before ``after_chunk``.
        body: emits one round for an ``i64`` index.
        after_chunk: emits what follows a chunk.
    """
    known = number(first), number(stop)
    if known[0] is None or known[1] is None:
        loop_between(e, first, stop, body)
        after_chunk()
        return
    start, count = known[0], known[1] - known[0]
    whole = count // chunk
    if not whole:
        loop_between(e, first, stop, body)
        if count > 0:
            after_chunk()
        return

    def run_chunk(position: Value) -> None:
        base = affine(e, position, chunk, start)
        loop(e, chunk, lambda index: body(e.add(index, base)))
        after_chunk()

    loop(e, whole, run_chunk)
    if count % chunk:
        rest = start + whole * chunk
        loop_between(e, constant("i64", rest), constant("i64", start + count), body)
        after_chunk()


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
    fixed = number(count)
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
    for position, (first, value, end) in enumerate(zip(starts, here, ends, strict=True)):
        ways = f"[ {first.text}, %{before} ], [ {end.text}, %{last} ]"
        e.lines[phis + position] = f"  {value.text} = phi {value.type} {ways}"
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


def when(e: Emitter, condition: Value | None, body: Callable[[], None]) -> None:
    """Emit what runs only where the condition holds; None always holds."""
    if condition is None or number(condition):
        body()
        return
    if number(condition) == 0:
        return
    name = e.fresh("when")
    e.emit(f"br i1 {condition.text}, label %{name}, label %{name}.end")
    e.label(name)
    body()
    e.emit(f"br label %{name}.end")
    e.label(f"{name}.end")


def either(e: Emitter, condition: Value, yes: Callable[[], None], no: Callable[[], None]) -> None:
    """Emit one body for where the condition holds and one for where it does not."""
    name = e.fresh("either")
    e.emit(f"br i1 {condition.text}, label %{name}.yes, label %{name}.no")
    e.label(f"{name}.yes")
    yes()
    e.emit(f"br label %{name}.end")
    e.label(f"{name}.no")
    no()
    e.emit(f"br label %{name}.end")
    e.label(f"{name}.end")


def number(index: Value) -> int | None:
    """The number that an integer or a bool is; None for what is known at run time only."""
    if index.text in ("true", "false"):
        return int(index.text == "true")
    return None if index.text.startswith("%") else int(index.text)


def affine(e: Emitter, index: Value, factor: int, offset: int = 0) -> Value:
    """index * factor + offset, computed now where the index is a constant."""
    known = number(index)
    if known is not None:
        return constant("i64", known * factor + offset)
    scaled = e.mul(index, factor) if factor != 1 else index
    return e.add(scaled, offset) if offset else scaled


def smaller(e: Emitter, index: Value, limit: int) -> Value:
    """The smaller one of an index and a limit."""
    known = number(index)
    if known is not None:
        return constant("i64", min(known, limit))
    return e.intrinsic("smin", index, constant("i64", limit))


def equals(e: Emitter, index: Value, wanted: int) -> Value:
    """Whether an index is this number."""
    known = number(index)
    if known is not None:
        return constant("i1", known == wanted)
    return e.cmp("eq", index, wanted)
