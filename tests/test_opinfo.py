"""Every operator that PyTorch has samples for: same results, gradients and second gradients."""

import re
from typing import Any

import pytest

from graphc.errors import GraphcError
from tests.opinfo.comparison import assert_alike, assert_gradients_alike
from tests.opinfo.differences import ABSENT, DIFFERENT, RANDOM, REFUSED
from tests.opinfo.operators import OPERATORS, function_of, present
from tests.opinfo.samples import Sample, samples_of, tensors_in

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

SAMPLES = 20
DTYPES = "float64 float32 int64 bool complex128 uint8 float16".split()
CASES = [
    pytest.param(name, dtype, id=f"{name}-{dtype}")
    for name in present()
    for dtype in DTYPES
    if getattr(torch, dtype) in OPERATORS[name].supported_dtypes("cpu")
]


def _theirs(op: Any, sample: Sample) -> Any:
    """PyTorch's answer, or None where it has none for its own sample."""
    args, kwargs = sample.theirs
    try:
        return op.op(*args, **kwargs)
    except (RuntimeError, ValueError, TypeError):
        return None


def _is_random(op: Any, sample: Sample) -> bool:
    return op.name in RANDOM or sample.ours[1].get("dropout_p", 0) > 0


def test_what_is_absent_is_absent() -> None:
    unexplained = {op.name for op in OPERATORS.values() if function_of(op) is None} - set(ABSENT)
    assert not unexplained
    assert not [name for name in ABSENT if not any(op.name == name for op in OPERATORS.values())]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_dynamic(name: str, dtype: str) -> None:
    op, kind = OPERATORS[name], getattr(torch, dtype)
    reason = DIFFERENT.get(f"{name} {dtype}", DIFFERENT.get(name))
    if reason is not None:
        pytest.skip(reason)
    grads = dtype in ("float64", "complex128") and kind in op.supported_backward_dtypes("cpu")
    function = function_of(op)
    assert function is not None
    for index, sample in enumerate(samples_of(op, kind, grads=grads, most=SAMPLES)):
        theirs = _theirs(op, sample)
        if theirs is None:
            continue
        args, kwargs = sample.ours
        try:
            ours = function(*args, **kwargs)
        except (GraphcError, TypeError) as error:
            if name in REFUSED and re.search(REFUSED[name], str(error)):
                continue
            raise
        for a, b in zip(tensors_in(ours), tensors_in(theirs), strict=True):
            if _is_random(op, sample):
                assert (f"torch.{a.dtype.name}", a.shape) == (str(b.dtype), tuple(b.shape)), str(
                    sample
                )
            else:
                assert_alike(a, b, str(sample), low=dtype == "float16")
        if _is_random(op, sample):
            continue
        if grads:
            assert_gradients_alike(ours, theirs, sample, twice=op.supports_gradgrad and index < 5)
