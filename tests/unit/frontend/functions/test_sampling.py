"""Random tensors: repeatable, of the right distribution and dtype."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import graphc as gc
from graphc.errors import ArgumentError, DTypeError

DRAWS: list[Callable[[], gc.Tensor]] = [
    lambda: gc.rand(100), lambda: gc.randn(100), lambda: gc.randint(0, 1000, (100,)),
    lambda: gc.randperm(100), lambda: gc.bernoulli(gc.full((100,), 0.5)),
    lambda: gc.normal(0.0, 1.0, (100,)), lambda: gc.zeros(100).normal_(),
    lambda: gc.zeros(100).uniform_(),
]  # fmt: skip


@pytest.mark.parametrize("draw", DRAWS)
def test_seeds_repeat_and_calls_differ(draw: Callable[[], gc.Tensor]) -> None:
    gc.manual_seed(5)
    first, second = draw().tolist(), draw().tolist()
    state = gc.get_rng_state()
    third = draw().tolist()
    gc.manual_seed(5)
    assert draw().tolist() == first
    assert draw().tolist() == second
    assert first != second
    gc.set_rng_state(state)
    assert draw().tolist() == third
    gc.manual_seed(6)
    assert draw().tolist() != first


def test_the_tensor_of_a_state_is_a_copy() -> None:
    gc.manual_seed(1)
    state = gc.get_rng_state()
    gc.rand(3)
    assert state.tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16, gc.float32, gc.float64])
def test_uniform(dtype: gc.DType) -> None:
    gc.manual_seed(0)
    x = gc.rand(1000, 100, dtype=dtype)
    assert x.dtype is dtype
    assert x.shape == (1000, 100)
    values = x.numpy().astype(np.float64)
    assert values.min() >= 0
    assert values.max() < 1
    assert abs(values.mean() - 0.5) < 0.01
    assert abs(values.var() - 1 / 12) < 0.005


def test_normal_distribution() -> None:
    gc.manual_seed(0)
    assert stats.kstest(gc.randn(20_000).numpy(), "norm").pvalue > 0.01
    x = gc.normal(3.0, 2.0, (20_000,))
    assert stats.kstest((x.numpy() - 3) / 2, "norm").pvalue > 0.01
    mean = gc.tensor([0.0, 100.0])
    assert gc.normal(mean, 1.0).shape == (2,)
    assert gc.normal(mean, gc.ones(2))[1].item() > 50


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 4), (0, 2**31), (10, 13)])
def test_randint(low: int, high: int) -> None:
    gc.manual_seed(0)
    values = gc.randint(low, high, (5000,)).numpy()
    assert values.min() >= low
    assert values.max() < high
    if high - low < 10:
        assert sorted(set(values.tolist())) == list(range(low, high))
    assert gc.randint(5, (2, 3)).shape == (2, 3)
    assert gc.randint(5, size=(2,)).dtype is gc.int64
    assert gc.randint(0, 5, (2,), dtype=gc.int32).dtype is gc.int32


@pytest.mark.parametrize("args", [(0, 0, (2,)), (5, 3, (2,)), (0, 2**63 + 1, (2,)), (3,)])
def test_randint_errors(args: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError, match="randint"):
        gc.randint(*args)


def test_bernoulli_and_permutation() -> None:
    gc.manual_seed(0)
    p = gc.tensor([0.0, 1.0, 0.25]).expand(10_000, 3)
    mean = gc.bernoulli(p).mean(0)
    assert mean[0].item() == 0
    assert mean[1].item() == 1
    assert abs(mean[2].item() - 0.25) < 0.02
    assert sorted(gc.randperm(50).tolist()) == list(range(50))
    assert gc.randperm(0).shape == (0,)


def test_like_and_sizes() -> None:
    x = gc.ones(2, 0, 3, dtype=gc.float64)
    assert gc.rand_like(x).type == x.type
    assert gc.randn_like(x).type == x.type
    assert gc.randn(()).shape == ()
    assert gc.rand((2, 3)).shape == (2, 3)
    assert gc.randn(2, requires_grad=True).is_leaf
    for draw in (gc.rand, gc.randn):
        with pytest.raises(gc.GraphcError):
            draw(2, dtype=gc.int64)


def test_generators_are_independent() -> None:
    one, other = gc.Generator().manual_seed(1), gc.Generator().manual_seed(1)
    gc.manual_seed(9)
    assert gc.rand(4, generator=one).tolist() == gc.rand(4, generator=other).tolist()
    assert gc.get_rng_state().tolist() == [9, 0]
    assert gc.initial_seed() == 9
    assert one.initial_seed() == 1
    assert gc.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    first = one.seed()
    assert one.initial_seed() == first
    with pytest.raises(ArgumentError):
        one.set_state(gc.ones(3, dtype=gc.int64))
    with pytest.raises(DTypeError):
        gc.bernoulli(gc.ones(2, dtype=gc.int64))
