"""Result dtypes: PyTorch's rules, for every pair, with and without dims, and in both modes."""

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.dtypes import DTYPES
from tests.both_modes import recorded
from tests.torch_oracle import torch

NAMES = [dtype.name for dtype in DTYPES]
SCALARS: list[Any] = [True, 2, 1.5, 1j]


def ones(m: Any, name: str, rank: int) -> Any:
    return m.ones((1,) * rank, dtype=getattr(m, name))


@pytest.mark.parity
@pytest.mark.parametrize(("left", "right"), list(itertools.combinations_with_replacement(NAMES, 2)))
def test_pairs(left: str, right: str) -> None:
    if left == "float16" and right.startswith("complex"):
        pytest.skip("torch has a complex32 for float16")
    for ranks in ((1, 1), (0, 1), (1, 0), (0, 0)):
        ours = ones(gc, left, ranks[0]) * ones(gc, right, ranks[1])
        theirs = ones(torch(), left, ranks[0]) * ones(torch(), right, ranks[1])
        assert f"torch.{ours.dtype.name}" == str(theirs.dtype), f"{left} {right} {ranks}"
    assert gc.promote_types(getattr(gc, left), getattr(gc, right)).name in str(
        torch().promote_types(getattr(torch(), left), getattr(torch(), right))
    )


@pytest.mark.parity
@pytest.mark.parametrize("scalar", SCALARS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_scalars(name: str, scalar: Any) -> None:
    if name == "float16" and scalar == 1j:
        pytest.skip("torch has a complex32 for float16")
    for rank in (0, 1):
        for op in (lambda x: x * scalar, lambda x: scalar + x, lambda x: x / 2):
            ours, theirs = op(ones(gc, name, rank)), op(ones(torch(), name, rank))
            assert f"torch.{ours.dtype.name}" == str(theirs.dtype), f"{name} {scalar} {rank}"


@pytest.mark.parametrize("scalar", [np.float64(1.5), np.int64(2), np.float32(0.5), np.bool_(True)])
def test_numpy_scalars_count_as_python_numbers(scalar: Any) -> None:
    x = gc.ones(2)
    assert (x * scalar).dtype is gc.float32
    assert (x * scalar).tolist() == [float(scalar)] * 2
    assert recorded(lambda x: x * scalar, np.ones(2, np.float32)).outputs[0].dtype == np.float32


@pytest.mark.parametrize("scalar", [300, -1, 2**40])
def test_numbers_wrap_in_the_tensors_type(scalar: int) -> None:
    x = gc.tensor([1, 2], dtype=gc.uint8)
    assert (x + scalar).tolist() == [(1 + scalar) % 256, (2 + scalar) % 256]


def test_what_is_no_operand() -> None:
    for wrong in ("a", None, [1], np.ones(2), {}):
        with pytest.raises(gc.GraphcError) as caught:
            gc.ones(2) + wrong  # type: ignore[operator]  # the error is what is tested
        assert "test_promotion.py" in str(caught.value)
