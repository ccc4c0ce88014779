"""Steps that move elements: views, concatenation, padding."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import graphc as gc
import graphc.nn.functional as F
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.program import Step

Shape = tuple[int, ...]
View = tuple[str, Callable[[Any], Any]]


def view(b: Builder) -> Step | None:
    """One value, elsewhere."""
    at = b.pick(lambda one: bool(one.shape))
    if at is None:
        return None
    made = VIEWS[b.below(len(VIEWS))](b, b[at].shape)
    return None if made is None else Step(made[0], (at,), made[1], b[at].exact)


def permuted(b: Builder, shape: Shape) -> View:
    dims = tuple(int(d) for d in b.rng.permutation(len(shape)))
    return f"permute{dims}", lambda x: x.permute(dims)


def reshaped(b: Builder, shape: Shape) -> View:
    size = math.prod(shape)
    rank = b.below(4) + 1
    new: list[int] = []
    left = size
    for _ in range(rank - 1):
        fitting = [n for n in (*b.sizes.palette, 2, 3, 4, 8) if n and left % n == 0] if left else []
        new.append(fitting[b.below(len(fitting))] if fitting else 1)
        left //= new[-1]
    new.append(left)
    order = tuple(int(new[i]) for i in b.rng.permutation(rank))
    return f"reshape{order}", lambda x: x.reshape(order)


def sliced(b: Builder, shape: Shape) -> View:
    """One slice per dim, with any bounds and steps, now and then an int."""
    key: list[Any] = []
    for size in shape:
        if size and b.chance(0.12):
            key.append(b.below(2 * size) - size)
            continue
        bounds: list[int | None] = [None, None]
        for side in range(2):
            if b.chance(0.5):
                bounds[side] = b.below(size // 3 + 2) * (1, -1)[side]
        steps = (None, None, 1, 2, 3, -1, -2)
        key.append(slice(bounds[0], bounds[1] or None, steps[b.below(len(steps))]))
    return f"slice{key}", lambda x: x[tuple(key)]


def flipped(b: Builder, shape: Shape) -> View:
    dims = tuple(d for d in range(len(shape)) if b.chance(0.5)) or (0,)
    return f"flip{dims}", lambda x: x.flip(dims)


def expanded(b: Builder, shape: Shape) -> View:
    new = tuple(int(b.rng.choice(b.sizes.palette)) if n == 1 else n for n in shape)
    if b.chance(0.5) and len(shape) < 4:
        new = (b.below(4) + 1, *new)
    return f"expand{new}", lambda x: x.expand(new)


def unsqueezed(b: Builder, shape: Shape) -> View | None:
    if len(shape) > 3:
        return None
    dim = b.below(len(shape) + 1)
    return f"unsqueeze{dim}", lambda x: x.unsqueeze(dim)


def padded(b: Builder, shape: Shape) -> View:
    """Fills with what every dtype has."""
    amounts = [b.below(6) - (1 if b.chance(0.3) else 0) for _ in range(2 * len(shape))]
    for d, size in enumerate(reversed(shape)):
        if size < 3:
            amounts[2 * d], amounts[2 * d + 1] = (max(n, 0) for n in amounts[2 * d : 2 * d + 2])
    value = b.below(3)
    return f"pad{amounts} with {value}", lambda x: F.pad(x, amounts, value=value)


def part(b: Builder, shape: Shape) -> View | None:
    dim = b.below(len(shape))
    if shape[dim] < 2:
        return None
    count = min(b.below(3) + 2, shape[dim])
    which = b.below(2)
    return (
        f"chunk {which} of {count} along {dim}",
        lambda x: x.chunk(count, dim)[which if len(x.chunk(count, dim)) > which else 0],
    )


VIEWS = [permuted, permuted, reshaped, reshaped, sliced, sliced, flipped, expanded, unsqueezed,
         padded, part]  # fmt: skip


def joined(b: Builder) -> Step | None:
    """Several values of one dtype along a dim."""
    first = b.pick(lambda one: bool(one.shape))
    if first is None:
        return None
    x = b[first]
    dim = b.below(len(x.shape))

    def fits(shape: Shape) -> bool:
        return len(shape) == len(x.shape) and all(
            a == c or d == dim for d, (a, c) in enumerate(zip(shape, x.shape, strict=True))
        )

    operands = [first]
    for _ in range(b.below(3) + 1):
        found = b.pick(lambda one: one.dtype == x.dtype and fits(one.shape))
        assert found is not None
        operands.append(found)
    exact = all(b[n].exact for n in operands)
    if b.chance(0.25):
        alike = [n for n in operands if b[n].shape == x.shape]
        return Step(f"stack{dim}", tuple(alike), lambda *xs: gc.stack(xs, dim),
                    all(b[n].exact for n in alike))  # fmt: skip
    return Step(f"cat{dim}", tuple(operands), lambda *xs: gc.cat(xs, dim), exact)
