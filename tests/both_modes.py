"""Run one function dynamically and recorded, with gradients, and compare bit for bit."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import graphc as gc
from graphc.evaluate import evaluate
from graphc.frontend.graph import Graph
from graphc.frontend.structure import flatten
from tests.closeness import assert_same

Array = npt.NDArray[Any]


class Outcome(NamedTuple):
    """What a function gave: its outputs, and the gradient of each input (None: it has none)."""

    outputs: list[Array]
    grads: list[Array | None]


def leaf(array: Any) -> gc.Tensor:
    """A tensor that requires a gradient where gradients exist."""
    made = gc.tensor(array)
    return made.requires_grad_() if made.dtype.is_differentiable else made


def cotangent(position: int, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """The fixed gradient that flows into an output."""
    rng = np.random.default_rng(position)
    values = rng.uniform(-1, 1, tuple(shape))
    if dtype.kind == "c":
        values = values + 1j * rng.uniform(-1, 1, tuple(shape))
    return values.astype(dtype)


def dynamic(function: Callable[..., Any], *arrays: Any, grads: bool = True) -> Outcome:
    """Run the function now."""
    leaves = [leaf(array) for array in arrays]
    outputs = flatten(function(*leaves))[1]
    return Outcome([x.detach().numpy() for x in outputs], _grads(outputs, leaves) if grads else [])


def _grads(outputs: list[gc.Tensor], leaves: list[gc.Tensor]) -> list[Any]:
    ends = [(i, x) for i, x in enumerate(outputs) if x.requires_grad]
    wanted = [x for x in leaves if x.requires_grad]
    if not ends or not wanted:
        return [None] * len(leaves)
    starts = [gc.tensor(cotangent(i, x.shape, x.dtype.numpy)) for i, x in ends]
    found = gc.grad([x for _, x in ends], wanted, starts, allow_unused=True)
    by_id = {id(x): None if g is None else g for x, g in zip(wanted, found, strict=True)}
    given = [by_id.get(id(x)) for x in leaves]
    return [g if g is None or g.is_symbolic else g.detach().numpy() for g in given]


def recorded(function: Callable[..., Any], *arrays: Any, grads: bool = True) -> Outcome:
    """Record the function with its inputs as variables, then evaluate the graph."""
    leaves = [leaf(array) for array in arrays]
    for each in leaves:
        each.is_state = True
    with Graph() as graph:
        outputs = flatten(function(*leaves))[1]
        found = _grads(outputs, leaves) if grads else []
    wanted = {f"output{i}": x for i, x in enumerate(outputs)}
    wanted |= {f"grad{i}": g for i, g in enumerate(found) if g is not None}
    values, _ = evaluate(graph.recorder.program(wanted), {})
    return Outcome(
        [values[f"output{i}"] for i in range(len(outputs))],
        [None if g is None else values[f"grad{i}"] for i, g in enumerate(found)],
    )


def check_both(function: Callable[..., Any], *arrays: Any, grads: bool = True) -> Outcome:
    """Check that the recorded function gives the dynamic one's bits; return them.

    Args:
        function: takes one tensor per array, returns a tensor or a structure of tensors.
        arrays: the inputs.
        grads: compare gradients, too.
    """
    now = dynamic(function, *arrays, grads=grads)
    later = recorded(function, *arrays, grads=grads)
    assert len(now.outputs) == len(later.outputs)
    for one, other in zip(now.outputs, later.outputs, strict=True):
        assert_same(np.asarray(other), one, what="recorded output")
    for one_grad, other_grad in zip(now.grads, later.grads, strict=True):
        assert (one_grad is None) == (other_grad is None), "a gradient in one mode only"
        if one_grad is not None and other_grad is not None:
            assert_same(np.asarray(other_grad), one_grad, what="recorded gradient")
    return now
