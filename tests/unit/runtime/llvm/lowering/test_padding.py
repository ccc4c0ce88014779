"""Padding in native code against its definition, between guard pages and in divided units."""

import numpy as np
import pytest

from graphc.dtypes import of_array
from graphc.evaluate import evaluate_nodes
from graphc.ops.leaf import placeholder
from graphc.ops.shape import pad
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels import scheduler
from graphc.runtime.llvm.lowering.padding import build_pad
from graphc.types import TensorType
from tests.unit.runtime.llvm.guard import Runnable, guarded, layout_of
from tests.unit.runtime.llvm.harness import targets

CASES = [
    ((5,), (2,), (3,), (0,)),
    ((5,), (0,), (0,), (0,)),
    ((7, 40), (1, 0), (0, 2), (0, 0)),
    ((7, 40), (1, 3), (2, 0), (2, 1)),
    ((3, 4, 9), (0, 1, 2), (2, 1, 0), (1, 0, 3)),
    ((0, 4), (2, 1), (1, 1), (1, 1)),
    ((1, 1), (0, 2), (3, 0), (4, 4)),
    ((), (), (), ()),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "value"), [("float32", -1.5), ("int16", 7.0), ("bool", 1.0)])
def test_padding(
    case: tuple[tuple[int, ...], ...], dtype: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "UNIT_NANOSECONDS", 4.0)
    shape, low, high, interior = case
    generator = np.random.default_rng(3)
    for order in ("C", "F"):
        x = np.asarray(generator.integers(0, 50, shape).astype(dtype), order=order)
        leaf = placeholder("a0", TensorType(shape, of_array(x)))
        node = pad(leaf, low=low, high=high, interior=interior, value=value)
        wanted = np.asarray(evaluate_nodes([node], {leaf: x})[node])
        for target in targets().values():
            module = Module(target)
            source, out = guarded(x), guarded(np.zeros_like(wanted, order="C"))
            native = build_pad(module, node, layout_of(source), layout_of(out))
            run = Runnable(module, native, 2)
            for cuts in ((), (0.3, 0.7)):
                out[...] = 0
                run(source, out, cuts=cuts)
                np.testing.assert_array_equal(out, wanted)
