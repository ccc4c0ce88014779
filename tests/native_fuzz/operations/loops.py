"""Steps that are loops and branches, whose bodies are small programs.

Their errors do not grow: what a step keeps of the one before is halved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.operations.reductions import scaled
from tests.native_fuzz.program import Step

LONGEST = 300
"""Rounds of a scan. Each is many operations of dynamic mode, which runs a program some 20 times
to know its bounds, and a gradient of each is as large as all that is scanned."""


def scanned(b: Builder) -> Step | None:
    """What some elements leave behind as a loop goes along a dim."""
    at = b.pick(lambda one: one.kind == "f" and bool(one.shape) and one.size > 0)
    if at is None:
        return None
    x = b[at]
    dim, reverse = b.below(len(x.shape)), b.chance(0.5)
    if x.shape[dim] > LONGEST:
        return None
    cells: dict[str, Callable[[Any, Any], Any]] = {
        "leak": lambda state, item: (0.5 * state + item,) * 2,
        "tanh": lambda state, item: (gc.tanh(0.5 * state + item), item * state),
    }
    if not (b.smooth or b.special):
        cells["most"] = lambda state, item: (gc.maximum(state, item), state - item)
    name = b.choose(sorted(cells))
    cell, last = cells[name], b.chance(0.3)

    def apply(value: Any) -> Any:
        start = 0.25 * value.select(dim, 0)
        state, stacked = gc.scan(cell, start, value, dim=dim, reverse=reverse)
        return state if last else stacked

    text = f"scan {name} {dim}{' reverse' * reverse}{' last' * last}"
    return Step(text, (at,), apply, False, scaled(4.0))


def repeated(b: Builder) -> Step | None:
    """What a loop makes of a value, as often as a whole number says."""
    at = b.pick(lambda one: one.kind == "f" and one.size > 0)
    if at is None or b.smooth:
        return None
    rounds = b.below(4)

    def apply(value: Any) -> Any:
        count = gc.tensor(0)
        _, found = gc.while_loop(
            lambda done, state: done < rounds,
            lambda done, state: (done + 1, 0.5 * state + value),
            (count, value),
        )
        return found

    return Step(f"while {rounds}", (at,), apply, False, scaled(4.0))


def chosen(b: Builder) -> Step | None:
    """One of two functions, by the sum of whole numbers."""
    where = b.pick(lambda one: one.kind != "f")
    at = b.pick(lambda one: one.kind == "f")
    if where is None or at is None:
        return None

    def apply(numbers: Any, value: Any) -> Any:
        return gc.cond(
            numbers.sum() > 0,
            lambda value: gc.sin(value) + 0.5 * value,
            lambda value: 2.0 * value - gc.tanh(value),
            (value,),
        )

    return Step(
        "cond",
        (where, at),
        apply,
        False,
        lambda operands, result: scaled(2.0)(operands[1:], result),
    )
