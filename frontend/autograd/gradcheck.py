"""Compare gradients with finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dtypes import float64
from graphc.errors import AutogradError
from graphc.frontend.autograd.api import grad
from graphc.frontend.base import TensorBase, concrete, is_tensor
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """True if gradients agree with central differences, element by element.

    Args:
        func: takes the inputs, returns a tensor or several.
        inputs: float64 tensors that require gradients are checked; others are passed on.
        eps: step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.
        raise_exception: raise instead of returning False.

    Raises:
        AutogradError: if they disagree, or no input is float64 and requires a gradient.

    Source: ``torch.autograd.gradcheck``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([0.5, 2.0], dtype=gc.float64, requires_grad=True)
        >>> gc.autograd.gradcheck(lambda x: x.exp() * x, x)
        True
    """
    given = [inputs] if isinstance(inputs, TensorBase) else list(inputs)
    checked = [x for x in given if isinstance(x, TensorBase) and x._requires_grad]
    if not checked or any(x.dtype is not float64 for x in checked):
        raise AutogradError(
            "gradcheck: the inputs to check must be float64 and require a gradient",
            got=", ".join(str(x.type) for x in checked) or "none",
        )
    for number, output in enumerate(_outputs(func, given)):
        for position, x in enumerate(checked):
            analytic = _analytic(output, x)
            numeric = _numeric(func, given, number, x, eps)
            if not np.allclose(analytic, numeric, rtol, atol):
                if not raise_exception:
                    return False
                worst = float(np.abs(analytic - numeric).max())
                raise AutogradError(
                    f"gradcheck: the gradient of output {number} by input {position} is wrong",
                    got=f"differences up to {worst:.3g}",
                    expected=f"within {atol} + {rtol} * |numeric|",
                )
    return True


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    result = func(*inputs)
    results = [result] if is_tensor(result) else list(result)
    return [x for x in results if x._requires_grad]


def _analytic(output: Tensor, x: Any) -> Array:
    """One row per element of the output, one column per element of the input."""
    rows = []
    for element in range(output.storage.array.size):
        start = np.zeros(output.shape)
        start.reshape(-1)[element] = 1.0
        (row,) = grad(output, x, concrete(start), retain_graph=True, materialize_grads=True)
        rows.append(np.array(row).reshape(-1))  # a copy: gradients may be views
    return np.array(rows).reshape(len(rows), x.storage.array.size)


def _numeric(
    func: Callable[..., Any], inputs: Sequence[Any], number: int, x: Any, eps: float
) -> Array:
    values = x.storage.array
    columns = []
    for element in np.ndindex(values.shape):
        kept = values[element]
        values[element] = kept + eps
        above = _outputs(func, inputs)[number].storage.array.copy()
        values[element] = kept - eps
        below = _outputs(func, inputs)[number].storage.array.copy()
        values[element] = kept
        columns.append(((above - below) / (2 * eps)).reshape(-1))
    return np.array(columns).T
