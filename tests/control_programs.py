"""Run one function dynamically and in every compiled form, with gradients of two orders."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import graphc as gc
from graphc.frontend.structure import flatten
from tests.backends import EXECUTIONS, Execution

Array = npt.NDArray[Any]
Function = Callable[..., Any]


def values_and_gradients(function: Function, tensors: Sequence[gc.Tensor], order: int) -> list[Any]:
    """The outputs, and the gradients of a weighted sum of them by the inputs that have some."""
    found = list(flatten(function(*tensors))[1])
    wanted = [x for x in tensors if x.requires_grad]
    ends: list[gc.Tensor | None] = list(found)
    for _ in range(order):
        parts = [_weighted(x, i) for i, x in enumerate(ends) if x is not None and x.requires_grad]
        total = sum(parts[1:], parts[0]) if parts else None
        ends = [None] * len(wanted)
        if total is not None:
            ends = list(gc.grad(total, wanted, create_graph=True, allow_unused=True))
        found += [gc.zeros_like(x) if g is None else g for x, g in zip(wanted, ends, strict=True)]
    return found


def _weighted(x: gc.Tensor, number: int) -> gc.Tensor:
    weight = 0.5 + 0.25 * number
    return (x * x * weight).sum() + (x * weight).sum()


def inputs(arrays: Sequence[Any]) -> list[gc.Tensor]:
    """Tensors that require gradients where these exist."""
    made = [gc.tensor(array) for array in arrays]
    return [x.requires_grad_() if x.dtype.is_differentiable else x for x in made]


def dynamic(function: Function, arrays: Sequence[Any], order: int = 2) -> list[Array]:
    """The outputs and gradients of a Python loop."""
    found = values_and_gradients(function, inputs(arrays), order)
    return [x.detach().numpy().copy() for x in found]


def compiled(
    function: Function, arrays: Sequence[Any], how: Execution, order: int = 2,
    shapes: Sequence[Sequence[Any]] | None = None,
) -> list[Array]:  # fmt: skip
    """The same of the recorded function.

    Args:
        function: takes tensors.
        arrays: its arguments.
        how: the backend and its options.
        order: how often it is differentiated.
        shapes: of the placeholders; sizes may be None.
    """
    with gc.Graph() as graph:
        given = []
        for position, array in enumerate(arrays):
            known = gc.tensor(array)
            shape = known.shape if shapes is None else shapes[position]
            tracked = known.dtype.is_differentiable
            given.append(gc.placeholder(shape, known.dtype, f"a{position}", tracked))
        found = values_and_gradients(function, given, order)
    session = graph.compile(outputs=found, **how.options())
    return [np.asarray(x) for x in session.run({f"a{i}": a for i, a in enumerate(arrays)})]


def check(
    function: Function, *arrays: Any, order: int = 2, tolerance: float = 1e-11,
    shapes: Sequence[Sequence[Any]] | None = None, outputs: int | None = None,
    executions: Sequence[Execution] = EXECUTIONS,
) -> list[Array]:  # fmt: skip
    """Assert that all forms agree; the outputs of exact ones have the same bits.

    Args:
        function: takes tensors.
        arrays: its arguments.
        order: how often it is differentiated.
        tolerance: relative, for gradients and for native code.
        shapes: of the placeholders; sizes may be None.
        outputs: how many of the results are outputs, which have the same bits; None for none.
        executions: the forms.

    Returns:
        What dynamic mode gives.
    """
    expected = dynamic(function, arrays, order)
    for how in executions:
        found = compiled(function, arrays, how, order, shapes)
        assert len(found) == len(expected)
        for position, (got, want) in enumerate(zip(found, expected, strict=True)):
            what = f"{how}: result {position}"
            assert got.dtype == want.dtype, what
            assert got.shape == want.shape, what
            if how.exact and outputs is not None and position < outputs:
                np.testing.assert_array_equal(got, want, err_msg=what)
            else:
                scale = np.abs(want[np.isfinite(want)]).max(initial=1.0)
                np.testing.assert_allclose(
                    got, want, rtol=tolerance, atol=tolerance * scale, err_msg=what
                )
    return expected
