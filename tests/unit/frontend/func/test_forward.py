"""Forward mode of every operation: it is the transpose of the gradient rule, to any order."""

import numpy as np
import pytest

import graphc as gc
from graphc.dtypes import complex128, float64
from graphc.opdef import get_op
from tests.gradients.test_primitives import DIFFERENTIABLE, FIXED, smooth_cases
from tests.op_samples import Array, Sample


def _like(x: gc.Tensor, rng: np.random.Generator) -> gc.Tensor:
    values = rng.normal(size=x.shape)
    if x.dtype is complex128:
        values = values + 1j * rng.normal(size=x.shape)
    return gc.tensor(np.asarray(values))


def _product(a: gc.Tensor, b: gc.Tensor) -> float:
    return float(np.sum(np.real(np.conj(a.numpy()) * b.numpy())))


def _split(name: str, sample: Sample) -> tuple[list[int], list[Array]]:
    places = [
        place
        for place, array in enumerate(sample.arrays)
        if array.dtype in (np.float64, np.complex128) and (name, place) not in FIXED
    ]
    return places, [sample.arrays[place] for place in places]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_tangents_and_cotangents_agree(name: str, rng: np.random.Generator) -> None:
    tried = 0
    for sample in smooth_cases(name, rng)[::3]:
        places, moving = _split(name, sample)

        def call(
            *values: gc.Tensor, sample: Sample = sample, places: list[int] = places
        ) -> gc.Tensor:
            operands = [gc.tensor(array) for array in sample.arrays]
            for place, value in zip(places, values, strict=True):
                operands[place] = value
            return get_op(name)(*operands, **sample.attrs)

        primals = tuple(map(gc.tensor, moving))
        tangents = tuple(_like(x, rng) for x in primals)
        value, moved = gc.func.jvp(call, primals, tangents)
        again, pull = gc.func.vjp(call, *primals)
        np.testing.assert_array_equal(value.numpy(), again.numpy())
        assert moved.type == value.type
        if value.dtype not in (float64, complex128):
            continue
        cotangent = _like(value, rng)
        left = _product(cotangent, moved)
        right = sum(_product(g, t) for g, t in zip(pull(cotangent), tangents, strict=True))
        assert left == pytest.approx(right, rel=1e-9, abs=1e-9 * (1 + abs(right))), str(sample)
        tried += 1
    assert tried


def test_a_linear_function_runs_once() -> None:
    calls = []

    def traced(x: gc.Tensor) -> gc.Tensor:
        calls.append(x)
        return x * x

    value, push = gc.func.linearize(traced, gc.tensor([1.0, 2.0]))
    assert push(gc.tensor([1.0, 0.0])).tolist() == [2.0, 0.0]
    assert push(gc.tensor([1.0, 1.0])).tolist() == [2.0, 4.0]
    assert value.tolist() == [1.0, 4.0]
    assert len(calls) == 1


def test_values_may_decide_in_forward_and_reverse_mode() -> None:
    def branchy(x: gc.Tensor) -> gc.Tensor:
        return x * x if x.sum().item() > 0 else -x

    for sign in (1.0, -1.0):
        x = gc.tensor([sign, 2 * sign])
        wanted = np.diag([2 * sign, 4 * sign]) if sign > 0 else -np.eye(2)
        np.testing.assert_array_equal(gc.func.jacrev(branchy)(x).numpy(), wanted)
        np.testing.assert_array_equal(gc.func.jacfwd(branchy)(x).numpy(), wanted)
