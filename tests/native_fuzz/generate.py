"""From a seed to a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import graphc as gc
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.operations.convolutions import convolution
from tests.native_fuzz.operations.elementwise import binary, choice, conversion, integer, unary
from tests.native_fuzz.operations.indexing import gathered, scattered
from tests.native_fuzz.operations.loops import chosen, repeated, scanned
from tests.native_fuzz.operations.products import product
from tests.native_fuzz.operations.reductions import normalization, reduction
from tests.native_fuzz.operations.sampling import sampled
from tests.native_fuzz.operations.shapes import joined, view
from tests.native_fuzz.program import Program, Step, Updates
from tests.native_fuzz.sources import FLOATS, OTHERS, draw_sizes

MAKERS: Sequence[Callable[[Builder], Step | None]] = (
    [unary] * 6 + [binary] * 6 + [view] * 5 + [reduction] * 4 + [product] * 3
    + [normalization] * 2 + [joined, gathered, scattered, choice, conversion, integer, sampled]
    + [convolution, scanned, scanned, repeated, chosen]
)  # fmt: skip

UPDATES: list[Updates] = ["by hand", "by hand", "sgd", "adam"]


def generate(seed: int) -> Program:
    """The program of a seed; the same in every process."""
    rng = np.random.default_rng([seed, 20])
    mode = rng.random()
    training = mode < 0.3
    special = mode > 0.85
    updates: Updates = UPDATES[int(rng.integers(4))] if training else "none"
    if 0.3 <= mode < 0.4:
        updates = "exchange"
    gc.manual_seed(seed)
    b = Builder(rng, draw_sizes(rng), smooth=training, special=special, updated=updates != "none")
    shape = b.sizes.shape(rng)
    for number in range(1 + b.below(3)):
        others = number > 0 and b.chance(0.4)
        b.source(shape, b.choose(OTHERS if others else FLOATS))
        if b.chance(0.6):
            shape = b.sizes.shape(rng)
    for _ in range(2 if updates == "exchange" else int(training)):
        b.source(shape, "float32", "variable")
    _grow(b, 1 + min(39, int(rng.exponential(14))))
    used = {n for item in b.items if isinstance(item, Step) for n in item.operands}
    results = [n for n, item in enumerate(b.items) if isinstance(item, Step) and n not in used]
    results = results[-6:] + [b.below(len(b.items)) for _ in range(1 + b.below(2))]
    program = Program(tuple(b.items), tuple(dict.fromkeys(results)), updates, seed, 3)
    return program.pruned()


def _grow(b: Builder, steps: int) -> None:
    """Take so many steps, or fewer where operands do not fit; sources that came to nothing go."""
    for _ in range(steps):
        step = MAKERS[b.below(len(MAKERS))](b)
        if step is not None:
            b.add(step)
