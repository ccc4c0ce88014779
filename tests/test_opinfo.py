"""Every operator that PyTorch has samples for: same results, gradients and second gradients."""

import re
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import pytest

import graphc as gc
from graphc.errors import GraphcError, RecordingError, SymbolicValueError
from tests.both_modes import cotangent
from tests.opinfo.comparison import assert_alike, assert_gradients_alike
from tests.opinfo.differences import ABSENT, DIFFERENT, NOT_RECORDED, RANDOM, REFUSED
from tests.opinfo.operators import OPERATORS, function_of, is_absent, present
from tests.opinfo.samples import Sample, samples_of, tensors_in, with_leaves
from tests.torch_oracle import assert_near

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore"),  # PyTorch warns of what it deprecates
]

SAMPLES = 20
DTYPES = "float64 float32 int64 bool complex128 uint8 float16".split()
SAMPLES_TO_COMPILE = 3
LARGEST_TO_COMPILE = 10_000
KINDS_TO_COMPILE = (torch.float32, torch.float64, torch.int64, torch.bool, torch.complex64)
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


def test_what_is_absent_has_a_reason() -> None:
    without = [op for op in OPERATORS.values() if function_of(op) is None]
    assert [op.name for op in without if not is_absent(op)] == []


def test_reasons_are_for_what_is_absent() -> None:
    for pattern in ABSENT:
        known = [op for op in OPERATORS.values() if fnmatch(op.name, pattern)]
        assert known, pattern
        assert all(function_of(op) is None for op in known), pattern


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


def _compiled_like(function: Callable[..., Any], sample: Sample) -> Callable[..., Any]:
    """What gives the results of a sample's call and the gradients of its leaves, as one list."""

    def program(*leaves: gc.Tensor) -> list[gc.Tensor]:
        args, kwargs = with_leaves(sample, leaves)
        results = [x for x in tensors_in(function(*args, **kwargs)) if isinstance(x, gc.Tensor)]
        ends = [x for x in results if x.requires_grad]
        wanted = [x for x in leaves if x.requires_grad]
        if not ends or not wanted:
            return results
        starts = [gc.tensor(cotangent(i, x.shape, x.dtype.numpy)) for i, x in enumerate(ends)]
        grads = gc.autograd.grad(ends, wanted, starts, allow_unused=True)
        return [*results, *(grad for grad in grads if grad is not None)]

    return program


@pytest.mark.parametrize("name", present())
def test_compiled(name: str) -> None:
    op = OPERATORS[name]
    dtype = next((kind for kind in KINDS_TO_COMPILE if kind in op.supported_dtypes("cpu")), None)
    if dtype is None:
        pytest.skip("no dtype that this test has")
    grads = dtype in op.supported_backward_dtypes("cpu")
    function = function_of(op)
    assert function is not None
    for sample in samples_of(op, dtype, grads=grads, most=SAMPLES_TO_COMPILE):
        if not sample.leaves or any(leaf.numel() > LARGEST_TO_COMPILE for _, leaf in sample.leaves):
            continue
        leaves = [leaf for _, leaf in sample.leaves]
        program = _compiled_like(function, sample)
        try:
            expected = program(*leaves)
            found = gc.compile(program)(*leaves)
        except (GraphcError, TypeError) as error:
            is_dynamic = isinstance(error, SymbolicValueError | RecordingError)
            if is_dynamic and name in NOT_RECORDED:
                continue
            if name in REFUSED and re.search(REFUSED[name], str(error)):
                continue
            raise
        for a, b in zip(found, expected, strict=True):
            assert (a.dtype, a.shape) == (b.dtype, b.shape), str(sample)
            if not _is_random(op, sample):
                assert_near(a.detach().numpy(), b.detach().numpy(), loose=50.0, what=str(sample))
