"""PyTorch as an independent oracle for functions, dtypes, shapes and gradients."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import graphc as gc
from tests.both_modes import Array, Outcome, check_both, cotangent, dynamic

EPS = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6, "float64": 4e-15}


def torch() -> Any:
    """The module, or skip the test."""
    return pytest.importorskip("torch")


def to_torch(array: Any) -> Any:
    """An array as a torch tensor that requires a gradient where gradients exist."""
    array = np.array(gc.tensor(array).detach().numpy())
    if array.dtype == ml_dtypes.bfloat16:
        made = torch().tensor(array.astype(np.float32)).to(torch().bfloat16)
    else:
        made = torch().tensor(array)
    differentiable = made.is_floating_point() or made.is_complex()
    return made.requires_grad_() if differentiable else made


def from_torch(tensor: Any) -> Array:
    """A torch tensor as an array with graphc's dtype."""
    if tensor.dtype == torch().bfloat16:
        return np.array(tensor.float().numpy(force=True).astype(ml_dtypes.bfloat16))
    return np.array(tensor.numpy(force=True))


def run_torch(function: Callable[..., Any], *arrays: Any, grads: bool = True) -> Outcome:
    """Run a function of torch tensors."""
    leaves = [to_torch(array) for array in arrays]
    result = function(*leaves)
    outputs = list(result) if isinstance(result, tuple | list) else [result]
    values = [from_torch(x) for x in outputs]
    ends = [(i, x) for i, x in enumerate(outputs) if x.requires_grad]
    wanted = [x for x in leaves if x.requires_grad]
    if not grads or not ends or not wanted:
        return Outcome(values, [None] * len(leaves) if grads else [])
    starts = [to_torch(cotangent(i, x.shape, values[i].dtype)).detach() for i, x in ends]
    found = torch().autograd.grad([x for _, x in ends], wanted, starts, allow_unused=True)
    by_id = {id(x): g for x, g in zip(wanted, found, strict=True)}
    return Outcome(
        values, [from_torch(g) if (g := by_id.get(id(x))) is not None else None for x in leaves]
    )


def assert_near(actual: Array, expected: Array, *, loose: float = 1.0, what: str = "") -> None:
    """Same dtype, shape and places of NaN; values within the dtype's rounding."""
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype}, not {expected.dtype}"
    assert actual.shape == expected.shape, f"{what}: {actual.shape}, not {expected.shape}"
    if actual.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, expected, what)
        return
    if actual.dtype.kind == "c":
        assert_near(actual.real, expected.real, loose=loose, what=what)
        assert_near(actual.imag, expected.imag, loose=loose, what=what)
        return
    eps = EPS[actual.dtype.name] * loose
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            actual.astype(np.float64), expected.astype(np.float64),
            rtol=4 * eps, atol=eps, equal_nan=True, err_msg=what,
        )  # fmt: skip


def check(
    function: Callable[..., Any], *arrays: Any, grads: bool = True, loose: float = 1.0,
    record: bool = True,
) -> None:  # fmt: skip
    """Compare ``function(gc, *tensors)`` in both modes, and with ``function(torch, *tensors)``.

    Args:
        function: takes the module (``gc`` or ``torch``) and one tensor per array.
        arrays: the inputs.
        grads: compare gradients, too.
        loose: factor of the tolerance against torch.
        record: also record the function.
    """
    expected = run_torch(lambda *tensors: function(torch(), *tensors), *arrays, grads=grads)
    ours = lambda *tensors: function(gc, *tensors)  # noqa: E731 - one expression
    got = check_both(ours, *arrays, grads=grads) if record else dynamic(ours, *arrays, grads=grads)
    assert len(got.outputs) == len(expected.outputs)
    for position, (one, other) in enumerate(zip(got.outputs, expected.outputs, strict=True)):
        assert_near(one, other, loose=loose, what=f"output {position}")
    for position, (grad, wanted) in enumerate(zip(got.grads, expected.grads, strict=True)):
        if wanted is None:
            assert grad is None or not np.any(grad), f"gradient {position}: {grad}, not none"
        else:
            zero = np.zeros_like(wanted)  # no path means zero
            assert_near(zero if grad is None else grad, wanted, loose=loose,
                        what=f"gradient {position}")  # fmt: skip
