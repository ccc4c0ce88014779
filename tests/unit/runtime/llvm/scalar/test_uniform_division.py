"""Division of many numbers by one gives the bits of the processor's division, everywhere."""

from typing import Any

import numpy as np
import pytest

from graphc.dtypes import of_array
from graphc.graph import Graph
from graphc.ops.elementwise import div
from graphc.ops.leaf import placeholder
from graphc.runtime.llvm.compiler.target import Target, host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.kernel import build_kernel
from graphc.types import TensorType
from tests.unit.runtime.llvm.guard import Array, Compiled, layout_of
from tests.unit.runtime.llvm.harness import targets

COUNT = 40_000
BITS: dict[Any, Any] = {np.float32: np.uint32, np.float64: np.uint64}


def patterns(generator: np.random.Generator, kind: Any, count: int) -> Array:
    """Numbers of all sizes, of ordinary sizes, with short fractions, and special ones."""
    info = np.finfo(kind)
    integers = generator.integers(0, np.iinfo(BITS[kind]).max, count // 2, BITS[kind], True)
    ordinary = generator.normal(size=count // 4)
    short = generator.integers(1, 1 << 12, count // 4) * 2.0 ** generator.integers(-70, 70)
    near_one = 1 + np.arange(-200, 200) * info.eps
    special = [0.0, -0.0, 1.0, -1.0, 3.0, np.inf, -np.inf, np.nan, info.max, info.tiny]
    special += [info.smallest_subnormal, -info.smallest_subnormal * 7]
    drawn = [integers.view(kind), ordinary, short, near_one, special]
    with np.errstate(over="ignore"):
        return np.concatenate([np.asarray(part).astype(kind) for part in drawn])


def division(x: Array, s: Array, target: Target) -> Compiled:
    a, b = (placeholder(name, TensorType(v.shape, of_array(v))) for name, v in (("a", x), ("b", s)))
    return Compiled(Graph((a, b), {"r": div(a, b)}), [x, s], [np.empty_like(x)], target)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", targets())
def test_all_quotients(name: str, kind: Any) -> None:
    generator = np.random.default_rng(31)
    x = patterns(generator, kind, COUNT)
    divisors = patterns(generator, kind, 400)
    run, got = division(x, divisors[:1], targets()[name]), np.empty_like(x)
    for number in range(0, len(divisors), 1 if name == "host" else 7):
        s = divisors[number : number + 1]
        run(x, s, got)
        with np.errstate(all="ignore"):
            wanted = x / s
        same = (got.view(BITS[kind]) == wanted.view(BITS[kind])) | (
            np.isnan(got) & np.isnan(wanted)
        )
        assert same.all(), (x[~same][:3], s, got[~same][:3], wanted[~same][:3])


def test_long_vectors_use_it_where_the_processor_multiplies_and_adds_at_once() -> None:
    for target in (host_target(), targets()["baseline"]):
        x, s = np.ones(1000, np.float32), np.ones(1, np.float32)
        a, b = (placeholder(n, TensorType(v.shape, of_array(v))) for n, v in (("a", x), ("b", s)))
        module = Module(target)
        layouts = [layout_of(x), layout_of(s)]
        build_kernel(module, Graph((a, b), {"r": div(a, b)}), layouts, [layout_of(x)])
        assert ("rare" in module.text()) == target.fma
