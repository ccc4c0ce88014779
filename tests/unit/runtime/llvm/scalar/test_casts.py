"""Casts from float64 to 16 bits in native code: beside the middle between two numbers, too."""

import ml_dtypes
import numpy as np
import pytest

from graphc.dtypes import DType, bfloat16, float16, float64
from graphc.graph import Graph
from graphc.ops.leaf import placeholder
from graphc.ops.select import cast
from graphc.types import TensorType
from tests.unit.runtime.llvm.guard import reference, run_kernel


@pytest.mark.parametrize("dtype", [float16, bfloat16])
def test_values_beside_ties_round_as_numpys(dtype: DType, rng: np.random.Generator) -> None:
    """float32 makes ties of them: bfloat16 is rounded from those, float16 is not."""
    kind = np.float16 if dtype is float16 else ml_dtypes.bfloat16
    lower = rng.normal(size=200).astype(kind)
    upper = np.nextafter(lower, np.array(np.inf, kind))
    middle = (lower.astype(np.float64) + upper.astype(np.float64)) / 2
    steps = np.array([0, 1e-15, -1e-15, 1e-11, -1e-11, 1e-5, -1e-5])
    values = np.concatenate([middle * (1 + step) for step in steps])
    values = np.concatenate([values, [0.0, -0.0, np.inf, -np.inf, np.nan, 1e300, 1e-300, 65519.99]])
    x = placeholder("x", TensorType(values.shape, float64))
    body = Graph([x], {"y": cast(x, dtype=dtype)})
    with np.errstate(over="ignore"):
        (expected,) = reference(body, [values])
    (found,) = run_kernel(body, [values])
    places = ~np.isnan(values)
    np.testing.assert_array_equal(found[places].view(np.uint16), expected[places].view(np.uint16))
    assert np.isnan(found[~places].astype(np.float32)).all()
