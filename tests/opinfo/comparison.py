"""Results, gradients and second gradients of both, compared."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.both_modes import cotangent
from tests.opinfo.samples import Sample, as_array, tensors_in
from tests.torch_oracle import to_torch

torch = pytest.importorskip("torch")

TOLERANCE = {
    "bfloat16": 5e-2, "float16": 5e-3, "float32": 2e-4, "float64": 1e-7,
    "complex64": 5e-4, "complex128": 1e-7,
}  # fmt: skip
"""By dtype, how far results may be apart: orders of summation differ."""


def assert_alike(ours: Any, theirs: Any, what: str, *, low: bool = False) -> None:
    """Same type, dtype and shape; values within the dtype's tolerance.

    Args:
        ours: graphc's result.
        theirs: PyTorch's.
        what: what they are, for the message.
        low: whether the result was computed in half precision, whatever its dtype is.
    """
    if not isinstance(theirs, torch.Tensor):
        assert not isinstance(ours, gc.Tensor), f"{what}: a tensor, not {theirs!r}"
        if isinstance(theirs, int | float | complex):
            assert ours == pytest.approx(theirs, nan_ok=True), what
        return
    assert isinstance(ours, gc.Tensor), f"{what}: {type(ours).__name__}, not a tensor"
    name = str(theirs.dtype).removeprefix("torch.")
    assert ours.dtype is getattr(gc, name), f"{what}: {ours.dtype}, not {name}"
    assert tuple(ours.shape) == tuple(theirs.shape), f"{what}: {ours.shape}, not {theirs.shape}"
    tolerance = TOLERANCE["float16"] * 10 if low else TOLERANCE.get(name, 0)
    np.testing.assert_allclose(
        _wide(ours), _wide(theirs), rtol=tolerance, atol=tolerance, equal_nan=True, err_msg=what
    )


def _wide(tensor: Any) -> Any:
    array = as_array(tensor)
    return array.astype(np.float64) if array.dtype.name in ("float16", "bfloat16") else array


def assert_gradients_alike(ours: Any, theirs: Any, sample: Sample, *, twice: bool) -> None:
    """The gradients of what the sample's call gave, and if asked for, those of the gradients.

    Where PyTorch's result requires a gradient that is zero everywhere, graphc's need not.
    """
    pairs = list(zip(tensors_in(ours), tensors_in(theirs), strict=True))
    ends = [(a, b) for a, b in pairs if isinstance(b, torch.Tensor) and b.requires_grad]
    for a, b in pairs:
        if isinstance(b, torch.Tensor):
            assert b.requires_grad or not a.requires_grad, f"{sample}: requires_grad"
    if not ends or not sample.trained:
        return
    found = _gradients(ends, sample, create_graph=twice)
    for index, (a, b) in enumerate(found):
        assert_alike(a, b, f"{sample}: gradient {index}")
    again = [(a, b) for a, b in found if b.requires_grad]
    if twice and again:
        for index, (a, b) in enumerate(_gradients(again, sample, create_graph=False)):
            assert_alike(a, b, f"{sample}: second gradient {index}")


def _gradients(
    ends: list[tuple[gc.Tensor, Any]], sample: Sample, *, create_graph: bool
) -> list[tuple[gc.Tensor, Any]]:
    """The gradients of both with respect to the sample's leaves; zeros where there are none."""
    starts = [cotangent(i, b.shape, as_array(b).dtype) for i, (_, b) in enumerate(ends)]
    theirs = torch.autograd.grad(
        [b for _, b in ends], [b for b, _ in sample.trained],
        [to_torch(start).detach() for start in starts],
        create_graph=create_graph, allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    connected = [(a, start) for (a, _), start in zip(ends, starts, strict=True) if a.requires_grad]
    leaves = [a for _, a in sample.trained]
    ours = gc.autograd.grad(
        [a for a, _ in connected], leaves, [gc.tensor(start) for _, start in connected],
        create_graph=create_graph, allow_unused=True,
    ) if connected else [None] * len(leaves)  # fmt: skip
    filled = [
        gc.zeros_like(leaf) if grad is None else grad
        for leaf, grad in zip(leaves, ours, strict=True)
    ]
    return list(zip(filled, theirs, strict=True))
