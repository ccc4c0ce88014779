"""``vmap`` of every operator that PyTorch has samples for, and of its gradient, against a loop."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError, RecordingError, SymbolicValueError
from graphc.frontend.structure import flatten, map_leaves
from tests.opinfo.differences import RANDOM
from tests.opinfo.operators import OPERATORS, function_of, present
from tests.opinfo.samples import Sample, samples_of

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore"),  # PyTorch warns of what it deprecates
]

SAMPLES = 3
LARGEST = 500

REFUSED = frozenset(
    "allclose argwhere bincount equal histogram histogramdd index_put item linspace "
    "linspace_tensor_overload logspace logspace_tensor_overload masked_select narrow "
    "nn_functional_batch_norm nn_functional_embedding nn_functional_instance_norm "
    "nn_functional_one_hot nonzero repeat_interleave resize_ resize_as_ tensor_split unique "
    "unique_consecutive".split()
)
"""Operators that need values, or write to their arguments, with some samples."""

NAMES = [
    name
    for name in present()
    if OPERATORS[name].name not in RANDOM
    and function_of(OPERATORS[name]) not in (None, gc.trace)
    and torch.float64 in OPERATORS[name].supported_dtypes("cpu")
]


def _two(x: gc.Tensor) -> gc.Tensor:
    array = x.detach().numpy()
    if array.dtype.kind in "fc":
        other = array * 0.75
    else:
        other = ~array if array.dtype == bool else np.flip(array)
    return gc.tensor(np.stack([array, other]).astype(array.dtype))


def _call(function: Callable[..., Any], sample: Sample) -> Callable[..., list[gc.Tensor]]:
    def call(*leaves: gc.Tensor) -> list[gc.Tensor]:
        place = {id(old): new for (_, old), new in zip(sample.leaves, leaves, strict=True)}
        args, kwargs = map_leaves(sample.ours, "", lambda _, x: place.get(id(x), x))
        found: list[gc.Tensor] = flatten(function(*args, **kwargs))[1]
        return found

    return call


def _cases(name: str) -> list[tuple[Callable[..., list[gc.Tensor]], list[gc.Tensor]]]:
    """The first sample, and the next one with as many dims as possible."""
    op = OPERATORS[name]
    function = function_of(op)
    assert function is not None
    found = []
    for sample in samples_of(op, torch.float64, grads=False, most=SAMPLES):
        sizes = [x.numel() for _, x in sample.leaves]
        if not sizes or max(sizes) > LARGEST or sample.ours[1].get("dropout_p"):
            continue
        call, many = _call(function, sample), [_two(x) for _, x in sample.leaves]
        try:
            results = [call(*(x[i] for x in many)) for i in range(2)]
        except GraphcError:
            continue  # the other example's values are no operands
        if results[0]:
            found.append((call, many))
    return [*found[:1], *sorted(found[1:], key=lambda case: case[1][0].ndim)[-1:]]


@pytest.mark.parametrize("name", NAMES)
def test_maps_and_their_gradients_are_the_loops(name: str) -> None:
    for call, many in _cases(name):
        try:
            mapped = gc.vmap(call)(*many)
        except (SymbolicValueError, RecordingError):
            assert name in REFUSED
            continue
        single = [call(*(x[i] for x in many)) for i in range(2)]
        for one, first, second in zip(mapped, *single, strict=True):
            assert one.dtype is first.dtype
            _assert_stacked(one, first, second, 1e-6)
        _check_gradients(call, many, 5e-2 if name in ("bfloat16", "half") else 1e-6)


def _check_gradients(
    call: Callable[..., list[gc.Tensor]], many: list[gc.Tensor], tolerance: float
) -> None:
    """Of a map's sum, and inside of a map."""

    def total(*leaves: gc.Tensor) -> gc.Tensor:
        parts = [x.real if x.dtype.is_complex else x for x in call(*leaves)]
        kept = [x.double() for x in parts if x.dtype.is_floating_point]
        return sum(((x + 0.1 * x * x).sum() for x in kept), gc.zeros((), dtype=gc.float64))

    floats = tuple(i for i, x in enumerate(many) if x.dtype.is_floating_point)
    if not floats:
        return
    gradient = gc.func.grad(total, floats)
    try:
        single = [gradient(*(x[i] for x in many)) for i in range(2)]
    except GraphcError:
        return  # it has no gradient, and says so
    inside = gc.vmap(gradient)(*many)
    around = gc.func.grad(lambda *xs: gc.vmap(total)(*xs).sum(), floats)(*many)
    for one, other, first, second in zip(inside, around, *single, strict=True):
        _assert_stacked(one, first, second, tolerance)
        _assert_stacked(other, first, second, tolerance)


def _assert_stacked(all_: gc.Tensor, first: gc.Tensor, second: gc.Tensor, near: float) -> None:
    wanted = np.stack([first.detach().numpy(), second.detach().numpy()])
    np.testing.assert_allclose(all_.numpy(), wanted, rtol=near, atol=near, equal_nan=True)
