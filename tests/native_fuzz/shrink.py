"""Smaller programs that fail as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

import graphc as gc
from tests.native_fuzz.program import Program, Source, Step

Fails = Callable[[Program], bool]


def shrink(program: Program, fails: Fails) -> Program:
    """The smallest program on a greedy way down.

    Args:
        program: one that fails.
        fails: whether another does.
    """
    smaller = True
    while smaller:
        smaller = False
        for other in _candidates(program):
            if fails(other):
                program, smaller = other, True
                break
    return program


def _candidates(program: Program) -> Iterator[Program]:
    """Programs with less in them, the least first."""
    if program.updates != "none":
        yield replace(program, updates="none", runs=1).pruned()
    if program.runs > 1:
        yield replace(program, runs=1)
    if len(program.results) > 1:
        for position in program.results:
            yield replace(program, results=(position,)).pruned()
        for position in program.results:
            fewer = tuple(p for p in program.results if p != position)
            yield replace(program, results=fewer).pruned()
    for position in range(len(program.items) - 1, -1, -1):
        if isinstance(program.items[position], Step) and position not in program.results:
            yield _cut(program, position)
    for position, item in enumerate(program.items):
        if isinstance(item, Step):
            for operand in item.operands:
                results = tuple(operand if p == position else p for p in program.results)
                if results != program.results:
                    yield replace(program, results=tuple(dict.fromkeys(results))).pruned()


def _cut(program: Program, position: int) -> Program:
    """A step's value comes from outside instead."""
    gc.manual_seed(program.seed)
    sources = {
        n: gc.tensor(item.array) for n, item in enumerate(program.items) if isinstance(item, Source)
    }
    with np.errstate(all="ignore"):
        value = program.evaluate(sources)[position].detach().numpy()
    items = list(program.items)
    items[position] = Source(np.array(value), "input", exact=True)
    return replace(program, items=tuple(items)).pruned()
