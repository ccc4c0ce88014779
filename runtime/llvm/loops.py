"""Loops of generated code: counted, with the trip count known when the code is made."""

from __future__ import annotations

from collections.abc import Callable

from graphc.runtime.llvm.emitter import Emitter
from graphc.runtime.llvm.values import Value, constant


def loop(e: Emitter, count: int, body: Callable[[Value], None]) -> None:
    """Emit ``body(index)`` for the indices 0 .. count-1; without a loop if there is just one.

    Args:
        e: where to emit.
        count: the number of rounds.
        body: emits one round for an ``i64`` index.
    """
    if count < 1:
        return
    if count == 1:
        body(constant("i64", 0))
        return
    name, before = e.fresh("loop"), e.block
    e.emit(f"br label %{name}")
    e.label(name)
    phi = len(e.lines)
    e.emit("")
    body(Value(f"%{name}.index", "i64", 1))
    start, again = f"[ 0, %{before} ]", f"[ %{name}.next, %{e.block} ]"
    e.lines[phi] = f"  %{name}.index = phi i64 {start}, {again}"
    e.emit(f"%{name}.next = add nuw nsw i64 %{name}.index, 1")
    e.emit(f"%{name}.more = icmp ult i64 %{name}.next, {count}")
    e.emit(f"br i1 %{name}.more, label %{name}, label %{name}.end")
    e.label(f"{name}.end")


def chunked_loop(
    e: Emitter,
    count: int,
    chunk: int,
    body: Callable[[Value], None],
    after_chunk: Callable[[], None],
) -> None:
    """Like :func:`loop`, with ``after_chunk()`` after every ``chunk`` rounds and at the end."""
    whole = count // chunk
    if not whole:
        loop(e, count, body)
        if count:
            after_chunk()
        return

    def run_chunk(number: Value) -> None:
        first = e.mul(number, chunk)
        loop(e, chunk, lambda index: body(e.add(index, first)))
        after_chunk()

    loop(e, whole, run_chunk)
    if count % chunk:
        loop(e, count % chunk, lambda index: body(e.add(index, whole * chunk)))
        after_chunk()
