"""Random numbers of every distribution: their law, their bits in every execution, errors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, GraphcError, RecordingError, ShapeError

COUNT = 20_000


@pytest.fixture(autouse=True)
def _seeded() -> None:
    gc.manual_seed(11)


def wide(dtype: gc.DType = gc.float64) -> gc.Tensor:
    return gc.zeros(COUNT, dtype=dtype)


CONTINUOUS: dict[str, tuple[Callable[[], gc.Tensor], Any]] = {
    "rand": (lambda: gc.rand(COUNT, dtype=gc.float64), stats.uniform()),
    "randn": (lambda: gc.randn_like(wide()), stats.norm()),
    "normal": (lambda: gc.normal(2.0, 3.0, (COUNT,)), stats.norm(2, 3)),
    "normal of tensors": (lambda: gc.normal(wide() + 2, wide() + 3), stats.norm(2, 3)),
    "uniform_": (lambda: wide().uniform_(-2, 3), stats.uniform(-2, 5)),
    "normal_": (lambda: wide().normal_(1, 4), stats.norm(1, 4)),
    "exponential_": (lambda: wide(gc.float32).exponential_(2), stats.expon(scale=0.5)),
    "log_normal_": (lambda: wide().log_normal_(0.5, 0.25), stats.lognorm(0.25, 0, np.exp(0.5))),
    "cauchy_": (lambda: wide().cauchy_(3, 0.5), stats.cauchy(3, 0.5)),
    "complex": (
        lambda: gc.view_as_real(gc.randn(COUNT, dtype=gc.complex64)), stats.norm(0, np.sqrt(0.5)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str) -> None:
    draw, law = CONTINUOUS[name]
    values = draw().numpy().astype(np.float64).reshape(-1)
    assert stats.kstest(values, law.cdf).pvalue > 1e-3


DISCRETE: dict[str, tuple[Callable[[], gc.Tensor], Any]] = {
    "randint": (lambda: gc.randint(-3, 5, (COUNT,)), stats.randint(-3, 5)),
    "randint_like": (lambda: gc.randint_like(wide(), 7), stats.randint(0, 7)),
    "random_": (lambda: wide(gc.int8).random_(2, 9), stats.randint(2, 9)),
    "bernoulli": (lambda: gc.bernoulli(wide(), 0.3), stats.bernoulli(0.3)),
    "bernoulli_": (lambda: wide(gc.int32).bernoulli_(0.7), stats.bernoulli(0.7)),
    "geometric_": (lambda: wide(gc.int64).geometric_(0.25), stats.geom(0.25)),
    "poisson": (lambda: gc.poisson(wide() + 3.5), stats.poisson(3.5)),
    "poisson, rare": (lambda: gc.poisson(wide(gc.float32) + 0.01), stats.poisson(0.01)),
    "poisson, frequent": (lambda: gc.poisson(wide() + 80), stats.poisson(80)),
    "binomial": (lambda: gc.binomial(wide() + 9, wide() + 0.4), stats.binom(9, 0.4)),
    "multinomial": (
        lambda: gc.multinomial(gc.tensor([2.0, 0.0, 5.0, 3.0]), COUNT, replacement=True),
        stats.rv_discrete(values=([0, 2, 3], [0.2, 0.5, 0.3])),
    ),
    "multinomial, first of all": (
        lambda: gc.multinomial(gc.tensor([2.0, 1.0, 5.0]).expand(COUNT, 3), 3)[:, 0],
        stats.rv_discrete(values=([0, 1, 2], [0.25, 0.125, 0.625])),
    ),
    "randperm": (
        lambda: gc.stack([gc.randperm(6)[1] for _ in range(COUNT // 10)]), stats.randint(0, 6)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str) -> None:
    draw, law = DISCRETE[name]
    values = draw().numpy().astype(np.int64).reshape(-1)
    found, counts = np.unique(values, return_counts=True)
    low, high = int(found[0]), int(found[-1])
    chances = np.array([law.pmf(k) for k in range(low, high + 1)])
    assert all(law.pmf(int(k)) > 0 for k in found)
    seen = np.zeros(high - low + 1)
    seen[found - low] = counts
    common = chances * values.size >= 5
    expected = np.append(chances[common], 1 - chances[common].sum()) * values.size
    got = np.append(seen[common], values.size - seen[common].sum())
    distance = float(((got - expected) ** 2 / np.maximum(expected, 1)).sum())
    assert stats.chi2(max(common.sum(), 1)).sf(distance) > 1e-3


@pytest.mark.parametrize("rate", [9e4, 2e5, 1e7, 1e12])
def test_frequent_events_are_nearly_normal(rate: float) -> None:
    values = gc.poisson(gc.full((COUNT,), rate, dtype=gc.float64)).numpy()
    assert (values == np.floor(values)).all()
    assert stats.kstest((values - rate) / np.sqrt(rate), "norm").pvalue > 1e-3
    tries = gc.binomial(gc.full((COUNT,), 4 * rate, dtype=gc.float64),
                        gc.full((COUNT,), 0.5, dtype=gc.float64)).numpy()  # fmt: skip
    assert stats.kstest((tries - 2 * rate) / np.sqrt(rate), "norm").pvalue > 1e-3


def test_the_quantiles_are_exact() -> None:
    from graphc.ops.quantiles import binomial_quantile, poisson_quantile

    u = np.random.default_rng(0).random(400)
    for rate in (1e-3, 0.7, 12.5, 900.0, 2e5):
        got = poisson_quantile.eval(u, np.full_like(u, rate))
        np.testing.assert_allclose(got, stats.poisson(rate).ppf(u), atol=1 if rate > 1e5 else 0)
    for n, p in ((1.0, 0.5), (7.0, 0.01), (40.0, 0.9), (1e6, 0.3)):
        got = binomial_quantile.eval(u, np.full_like(u, n), np.full_like(u, p))
        np.testing.assert_allclose(got, stats.binom(n, p).ppf(u), atol=1 if n > 1e5 else 0)


def test_edges_of_distributions() -> None:
    assert gc.poisson(gc.tensor([0.0, float("nan")])).isnan().tolist() == [False, True]
    n, p = gc.tensor([0.0, 5.0, 5.0, 3.9, -2.0]), gc.tensor([0.5, 0.0, 1.0, 1.0, 0.5])
    assert gc.binomial(n, p).tolist() == [0, 0, 5, 3, 0]
    assert gc.binomial(gc.ones(3, 1), gc.ones(2)).shape == (3, 2)
    assert sorted(gc.multinomial(gc.tensor([1.0, 0.0, 1.0]), 3).tolist()[:2]) == [0, 2]
    assert gc.multinomial(gc.ones(0, 2), 1).shape == (0, 1)
    assert gc.normal(gc.zeros(3), gc.ones(2, 1)).shape == (2, 3)
    assert gc.normal(gc.zeros(2, dtype=gc.float64), 0.0).dtype is gc.float64
    assert gc.rand(0, 3).shape == (0, 3)
    assert gc.zeros(1000).exponential_().min().item() > 0


@pytest.mark.parametrize("count", [2**24, 2**24 + 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1, 2**64])
def test_wide_ranges(count: int) -> None:
    low = -(2**63) if count > 2**62 else -5
    values = gc.randint(low, low + count, (COUNT,)).numpy()
    assert int(values.min()) >= low
    assert int(values.max()) < low + count
    shares = (values.astype(np.float64) - low) / count
    assert stats.kstest(shares, "uniform").pvalue > 1e-3


def test_random_fills_of_whole_types() -> None:
    assert gc.zeros(100, dtype=gc.int64).random_().numpy().max() > 2**60
    assert gc.zeros(1000, dtype=gc.uint8).random_().max().item() > 250
    assert gc.zeros(100, dtype=gc.bool).random_().sum().item() > 20
    assert gc.zeros(100).random_(-5, 0).max().item() < 0
    assert gc.randint(0, 2, (9,), dtype=gc.bool).dtype is gc.bool
    assert gc.randint_like(gc.ones(2), 2, 5).dtype is gc.float32
    assert gc.randperm(5, dtype=gc.float32).dtype is gc.float32


def everything() -> list[gc.Tensor]:
    x = gc.ones(3, 40)
    y = x * 1
    return [
        gc.rand(50), gc.rand(7, dtype=gc.float64), gc.randn(3, 3), gc.randn(5, dtype=gc.float16),
        gc.randint(-7, 9, (40,)), gc.randint(0, 2**60, (40,)), gc.randint(-2**63, 2**63, (40,)),
        gc.randperm(60), gc.normal(x, 2.0), gc.bernoulli(x * 0.5), gc.poisson(x * 3),
        gc.binomial(x * 4, x * 0.25), gc.multinomial(x, 20), gc.multinomial(x, 50, True),
        gc.rand_like(x), gc.randn_like(x), gc.randint_like(x, 5), y.uniform_(-1, 1).clone(),
        y.normal_(1, 2).clone(), y.exponential_(0.5).clone(), y.geometric_(0.2).clone(),
        y.log_normal_().clone(), y.cauchy_().clone(), y.bernoulli_().clone(), y.random_().clone(),
        gc.rand(4, dtype=gc.complex64),
    ]  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_compiled_programs_draw_what_dynamic_ones_draw(backend: str) -> None:
    gc.manual_seed(3)
    dynamic = [everything(), everything()]
    gc.manual_seed(3)
    compiled = gc.compile(everything, backend=backend)
    for expected in dynamic:
        for one, other in zip(compiled(), expected, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_threads_do_not_change_what_is_drawn() -> None:
    def draw() -> list[gc.Tensor]:
        return [gc.randn(60_000), gc.zeros(60_000).exponential_(), gc.randint(0, 2**50, (60_000,))]

    results = []
    for threads in (1, 2, 3):
        gc.manual_seed(8)
        results.append([x.numpy() for x in gc.compile(draw, threads=threads)()])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_no_gradients_flow_to_parameters() -> None:
    p = gc.full((4,), 0.5, requires_grad=True)
    draws = [gc.bernoulli(p), gc.poisson(p), gc.normal(p, p), gc.binomial(p * 8, p)]
    assert not any(x.requires_grad for x in draws)
    assert gc.normal(0.0, 1.0, (2,), requires_grad=True).is_leaf


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: gc.rand(2, dtype=gc.int32), lambda: gc.randint(0, 300, (2,), dtype=gc.int8),
        lambda: gc.randint(0, 3, (2,), dtype=gc.bool),
        lambda: gc.randint(0, 2, (2,), dtype="cfloat"),
        lambda: gc.randint(0.5, 2, (2,)), lambda: gc.randint(3, 3, (2,)), lambda: gc.randperm(-1),
        lambda: gc.randperm(300, dtype=gc.int8), lambda: gc.bernoulli(gc.tensor([2.0])),
        lambda: gc.bernoulli(gc.tensor([float("nan")])), lambda: gc.bernoulli(gc.ones(2), -0.1),
        lambda: gc.bernoulli(gc.ones(2, dtype=gc.int64)), lambda: gc.poisson(gc.tensor([-1.0])),
        lambda: gc.poisson(gc.tensor([1])), lambda: gc.normal(0.0, 1.0),
        lambda: gc.normal(gc.ones(2), 1.0, (2,)), lambda: gc.normal(0.0, -1.0, (2,)),
        lambda: gc.normal(gc.ones(2), -gc.ones(2)), lambda: gc.normal(gc.ones(2).long(), 1.0),
        lambda: gc.normal(gc.ones(2), gc.ones(3)),
        lambda: gc.binomial(gc.tensor([3]), gc.tensor([0.5])),
        lambda: gc.binomial(gc.tensor([3.0]), gc.tensor([0.5], dtype=gc.float64)),
        lambda: gc.binomial(gc.tensor([3.0]), gc.tensor([1.5])),
        lambda: gc.binomial(gc.ones(2), gc.ones(3)), lambda: gc.multinomial(gc.ones(3), 4),
        lambda: gc.multinomial(gc.ones(3), 0), lambda: gc.multinomial(gc.zeros(3), 1),
        lambda: gc.multinomial(gc.tensor([1.0, -1.0]), 1),
        lambda: gc.multinomial(gc.ones(1, 2, 3), 1),
        lambda: gc.multinomial(gc.tensor([1.0, float("inf")]), 1),
        lambda: gc.multinomial(gc.tensor([1, 2]), 1), lambda: gc.rand(2, device="cuda"),
        lambda: gc.ones(2).random_(5, 5), lambda: gc.ones(2).long().normal_(),
        lambda: gc.ones(2, dtype=gc.bool).geometric_(0.5),
        lambda: gc.ones(2).bernoulli_(gc.tensor(3.0)),
        lambda: gc.ones(2).int().exponential_(),
    ],
)  # fmt: skip
def test_errors(wrong: Callable[[], object]) -> None:
    with pytest.raises(GraphcError, match=r"test_distributions\.py") as caught:
        wrong()
    assert issubclass(caught.type, (ArgumentError, DTypeError, ShapeError))


def test_generators() -> None:
    source = gc.Generator(device="cpu").manual_seed(4)
    assert source.device == gc.device("cpu")
    twin = source.clone_state()
    assert gc.randn(3, generator=source).tolist() == gc.randn(3, generator=twin).tolist()
    assert (
        gc.rand_like(gc.ones(2), generator=source).tolist() == gc.rand(2, generator=twin).tolist()
    )
    with pytest.raises(ArgumentError, match="device"):
        gc.Generator("cuda")
    assert gc.default_generator.initial_seed() == 11


def test_forked_state_comes_back() -> None:
    before = gc.get_rng_state()
    with gc.random.fork_rng():
        gc.rand(3)
    assert (gc.get_rng_state() == before).all()
    with gc.random.fork_rng(enabled=False):
        gc.rand(3)
    assert not (gc.get_rng_state() == before).all()


@pytest.mark.parametrize(
    "change",
    [lambda: gc.manual_seed(1), gc.get_rng_state, gc.seed,
     lambda: gc.set_rng_state(gc.tensor([1, 2])), lambda: gc.Generator().clone_state()],
)  # fmt: skip
def test_states_while_recording(change: Callable[[], object]) -> None:
    with gc.Graph(), pytest.raises(RecordingError, match="generator"):
        change()
