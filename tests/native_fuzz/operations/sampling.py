"""Steps with random numbers, which are the same in every execution."""

from __future__ import annotations

from typing import Any

import graphc as gc
import graphc.nn.functional as F
from tests.native_fuzz.builder import Builder
from tests.native_fuzz.program import Step


def sampled(b: Builder) -> Step | None:
    """A float, and random numbers of its shape."""
    at = b.pick(lambda one: one.kind == "f" and one.dtype in ("float32", "float64"))
    if at is None:
        return None
    shape, exact = b[at].shape, b[at].exact

    def noisy(x: Any) -> Any:
        return x + gc.randn(shape, dtype=gc.float32).to(x.dtype)

    def uniform(x: Any) -> Any:
        return x * gc.rand(shape, dtype=gc.float32).to(x.dtype)

    def whole(x: Any) -> Any:
        return x + gc.randint(-5, 5, shape).to(x.dtype)

    def dropped(x: Any) -> Any:
        return F.dropout(x, 0.25)

    table = {"randn": noisy, "rand": uniform, "randint": whole, "dropout": dropped}
    name = b.choose(sorted(table))
    return Step(name, (at,), table[name], exact)
