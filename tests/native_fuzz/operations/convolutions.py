"""Convolutions of all kinds, with arithmetic around them."""

from __future__ import annotations

import math
from typing import Any

import graphc.nn.functional as F
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.operations.products import AFTER, BEFORE, MOST, magnitudes
from tests.native_fuzz.program import Step

FUNCTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def convolution(b: Builder) -> Step | None:
    """``conv(x, w)`` with a new `w`: padding, strides, dilations, groups."""
    first = b.pick(lambda one: one.kind == "f" and 3 <= len(one.shape) <= 5 and one.size > 0)
    if first is None:
        return None
    x = b[first]
    dims, channels = len(x.shape) - 2, x.shape[1]
    divisors = [n for n in (1, 2, 3, channels) if channels % n == 0]
    groups = divisors[b.below(len(divisors))]
    stride = tuple(1 + b.below(3) for _ in range(dims))
    dilation = tuple(1 + b.below(2) for _ in range(dims))
    padding = tuple(b.below(3) for _ in range(dims))
    kernel = tuple(
        1 + b.below(min(4, 1 + (size + 2 * around - 1) // gap))
        for size, around, gap in zip(x.shape[2:], padding, dilation, strict=True)
    )
    made = groups * (1 + b.below(20))
    shape = (made, channels // groups, *kernel)
    terms = math.prod(shape[1:])
    if not b.fits(shape) or x.size * made * math.prod(kernel) > MOST // 4:
        return None
    second = b.source(shape, x.dtype)
    before, after = b.choose(sorted(BEFORE)), b.choose(sorted(AFTER))
    factor = 0.5 / max(1.0, math.sqrt(terms))

    def plain(v: Any, w: Any) -> Any:
        return FUNCTIONS[dims](v, w, None, stride, padding, dilation, groups)

    def apply(v: Any, w: Any) -> Any:
        return AFTER[after](plain(BEFORE[before](v), w) * factor)

    text = f"conv {shape}, stride {stride}, padding {padding}, dilation {dilation}, {groups} groups"
    spread = magnitudes(plain, factor * math.sqrt(terms))
    return Step(f"{text} {before}, {after}".rstrip(", "), (first, second), apply, False, spread)
