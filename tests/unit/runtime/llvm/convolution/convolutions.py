"""Runs generated convolutions between guard pages, against sums of products in float64."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.convolution.blocking import Blocking, blocking_of, blockings
from graphc.runtime.llvm.convolution.build import build_blocking
from graphc.runtime.llvm.convolution.problem import problem_of
from graphc.runtime.llvm.ir.module import Module
from tests.unit.runtime.llvm.guard import Array, Runnable, guarded, layout_of

Ints = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """Shapes and attributes of one convolution."""

    x: Ints
    w: Ints
    stride: Ints
    dilation: Ints
    groups: int = 1

    @property
    def result(self) -> Ints:
        """The shape of the result."""
        sizes = zip(self.x[2:], self.w[2:], self.stride, self.dilation, strict=True)
        places = [(size - (k - 1) * gap - 1) // step + 1 for size, k, step, gap in sizes]
        return (self.x[0], self.w[0], *places)


def expected(case: Case, x: Array, w: Array) -> Array:
    """One element of the window after the other, in float64."""
    result = np.zeros(case.result)
    made, channels = w.shape[0] // case.groups, w.shape[1]
    for at in np.ndindex(*w.shape[2:]):
        cut = tuple(
            slice(k * gap, k * gap + (size - 1) * step + 1, step)
            for k, gap, size, step in zip(
                at, case.dilation, case.result[2:], case.stride, strict=True
            )
        )
        for group in range(case.groups):
            outs = slice(group * made, (group + 1) * made)
            part = x[(slice(None), slice(group * channels, (group + 1) * channels), *cut)]
            factors = w[(outs, slice(None), *at)].astype(np.float64)
            result[:, outs] += np.einsum("oc,nc...->no...", factors, part.astype(np.float64))
    return result


class Convolution:
    """The native code of one convolution.

    Args:
        case: what is computed.
        x: an input that lies like those that it will get.
        w: a weight.
        y: a result.
        target: the processor.
        way: which way vectors run; None: what costs least.
    """

    def __init__(
        self, case: Case, x: Array, w: Array, y: Array, target: Target | None = None,
        way: str | None = None,
    ) -> None:  # fmt: skip
        module = Module(target or host_target())
        layouts = [layout_of(each) for each in (x, w, y)]
        problem = problem_of(*layouts, case.stride, case.dilation, case.groups)
        lanes = module.target.lanes(8 * y.dtype.itemsize)
        self.blocking: Blocking = blocking_of(module.target, problem, lanes)
        if way is not None:
            kind = "places" if way == "places" else "channels"
            found = [each for each in blockings(module.target, problem, lanes) if each.way == kind]
            best = min(found, key=lambda each: each.cycles)
            self.blocking = replace(best, way="chunks") if way == "chunks" else best
        self.native = build_blocking(module, self.blocking)
        self.run = Runnable(module, self.native, 3)


def convolve(
    case: Case, x: Array, w: Array, target: Target | None = None, way: str | None = None,
    *, at_start: bool = False, cuts: Sequence[float] = (), like: Array | None = None,
) -> Array:  # fmt: skip
    """The result of native code, everything between guard pages."""
    inputs = [guarded(each, at_start=at_start) for each in (x, w)]
    result = guarded(np.empty(case.result, x.dtype) if like is None else like, at_start=at_start)
    result[...] = np.nan
    assert Convolution(case, *inputs, result, target, way).run(*inputs, result, cuts=cuts) == 0
    for given, used in zip((x, w), inputs, strict=True):
        assert np.array_equal(given, used, equal_nan=True), "the code changed its input"
    return result


def operands(case: Case, dtype: Any, seed: int = 0) -> tuple[Array, Array]:
    """Random numbers."""
    random = np.random.default_rng(seed)
    return random.normal(size=case.x).astype(dtype), random.normal(size=case.w).astype(dtype)


def require_close(got: Array, case: Case, x: Array, w: Array) -> None:
    """Each element is off by no more than a rounding per term of the sum of its magnitudes."""
    exact = expected(case, x, w)
    size = expected(case, np.abs(x), np.abs(w))
    terms = math.prod(w.shape[1:])
    assert got.shape == exact.shape
    assert np.all(np.abs(got - exact) <= (terms + 1) * float(np.finfo(got.dtype).eps) * size)
