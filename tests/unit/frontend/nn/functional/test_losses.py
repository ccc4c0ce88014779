"""Losses of every reduction against PyTorch and formulas, in both executions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, IndexRangeError, ShapeError
from tests.both_modes import check_both
from tests.torch_oracle import check

REDUCTIONS = ("mean", "sum", "none")


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


def compare(name: str, *arrays: Any, tracked: int = 9, loose: float = 8, **options: Any) -> None:
    """Compare one loss with PyTorch's for every reduction; the first operands have gradients."""
    for reduction in REDUCTIONS:
        check(
            lambda m, *xs, how=reduction: getattr(_functional(m), name)(
                *xs[:tracked], *(x.detach() for x in xs[tracked:]), reduction=how, **options
            ),
            *arrays, loose=loose,
        )  # fmt: skip


def signs(rng: np.random.Generator, shape: Any) -> Any:
    return rng.choice([-1, 1], size=shape)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (3, 0)])
def test_errors_of_predictions(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x, y = 2 * rng.normal(size=shape), rng.normal(size=shape)
    for beta in (0, 0.5, 1.0):
        compare("smooth_l1_loss", x, y, beta=beta)
    for delta in (0.3, 1.0):
        compare("huber_loss", x, y, delta=delta)
    compare("mse_loss", x, y)
    compare("l1_loss", x, y)


@pytest.mark.parity
def test_errors_exactly_at_the_bend() -> None:
    x, y = np.array([-2.0, -1, -0.5, 0, 0.5, 1, 2]), np.zeros(7)
    compare("smooth_l1_loss", x, y, beta=1.0)
    compare("huber_loss", x, y, delta=0.5)


@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss"])
def test_an_infinite_error_has_a_finite_gradient(name: str) -> None:
    outcome = check_both(lambda x, y: getattr(F, name)(x, y), np.array([math.inf]), np.zeros(1))
    assert outcome.outputs[0] == math.inf
    np.testing.assert_allclose(np.abs(outcome.grads), 0.273923, rtol=1e-5)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_binary_cross_entropy(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    p, y = rng.uniform(0.01, 0.99, size=shape), rng.uniform(size=shape)
    compare("binary_cross_entropy", p, y)
    compare("binary_cross_entropy", p.astype(np.float32), y.astype(np.float32))
    for reduction in REDUCTIONS:
        check(
            lambda m, p, y, w, how=reduction: _functional(m).binary_cross_entropy(
                p, y, w.detach(), reduction=how
            ),
            p, y, rng.uniform(size=shape[-1:]), loose=8,
        )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_of_certain_predictions(dtype: Any) -> None:
    p = np.array([0, 0, 0, 1, 1, 1, 1e-30, 1e-13, 1 - 1e-16], dtype)
    y = np.array([0, 1, 0.5, 0, 1, 0.5, 1, 1, 0], dtype)
    check(
        lambda m, p: _functional(m).binary_cross_entropy(
            p, m.tensor(y.tolist(), dtype=p.dtype), reduction="none"
        ),
        p, loose=1e6 if dtype is np.float64 else 8,  # PyTorch's limit is a float32 1e-12
    )  # fmt: skip


@pytest.mark.parity
def test_binary_cross_entropy_with_logits(rng: np.random.Generator) -> None:
    x, y = 30 * rng.normal(size=(3, 4)), rng.uniform(size=(3, 4))
    compare("binary_cross_entropy_with_logits", x, y)
    for reduction in REDUCTIONS:
        check(
            lambda m, x, y, w, how=reduction: _functional(m).binary_cross_entropy_with_logits(
                x, y, weight=w.detach(), pos_weight=w.detach() + 1, reduction=how
            ),
            x, y, rng.uniform(size=4), loose=8,
        )  # fmt: skip


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
def test_kl_div(rng: np.random.Generator) -> None:
    logs, p = np.log(rng.dirichlet(np.ones(4), 3)), rng.dirichlet(np.ones(4), 3)
    compare("kl_div", logs, p)
    compare("kl_div", logs, np.log(p), log_target=True)
    for log_target in (False, True):
        check(
            lambda m, x, y, log=log_target: _functional(m).kl_div(
                x, y, reduction="batchmean", log_target=log
            ),
            logs, np.log(p) if log_target else p, loose=8,
        )  # fmt: skip
    zeros = np.where(p < 0.3, 0.0, p)
    check(lambda m, x, y: _functional(m).kl_div(x, y, reduction="none"), logs, zeros)


@pytest.mark.parity
def test_poisson_nll(rng: np.random.Generator) -> None:
    x, counts = rng.normal(size=(3, 5)), rng.poisson(2, size=(3, 5)).astype(float)
    counts[0, :3] = 0, 1, 2
    for full in (False, True):
        compare("poisson_nll_loss", x, counts, full=full, tracked=1)
        compare(
            "poisson_nll_loss", np.exp(x), counts, log_input=False, full=full, eps=1e-4, tracked=1
        )


@pytest.mark.parity
def test_gaussian_nll(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    for shape in ((3, 5), (3, 1), (3,)):
        for full in (False, True):
            compare("gaussian_nll_loss", x, y, rng.uniform(0.1, 2, size=shape), full=full)
    compare("gaussian_nll_loss", x, y, np.full((3, 5), 1e-9), eps=1e-3)
    compare("gaussian_nll_loss", x, y, np.zeros((3, 5)), eps=0.5)
    check(lambda m, x, y: _functional(m).gaussian_nll_loss(x, y, 0.7), x, y)


@pytest.mark.parity
def test_embedding_and_ranking_losses(rng: np.random.Generator) -> None:
    for shape in ((), (6,), (2, 3)):
        x, other, y = 2 * rng.normal(size=shape), rng.normal(size=shape), signs(rng, shape)
        compare("hinge_embedding_loss", x, y)
        compare("hinge_embedding_loss", x, y.astype(float), margin=0.3)
        compare("margin_ranking_loss", x, other, y)
        compare("margin_ranking_loss", x, other, y, margin=0.5)
        compare("soft_margin_loss", x, y.astype(float), tracked=1)
    compare("margin_ranking_loss", np.ones(3), np.ones(3), np.ones(3))  # every element is a tie
    assert F.soft_margin_loss(gc.tensor([1e4]), gc.tensor([-1.0])).item() == 1e4


@pytest.mark.parity
def test_cosine_embedding(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
    for margin in (0, 0.3, -0.5):
        compare("cosine_embedding_loss", a, b, signs(rng, 6), margin=margin)
    compare("cosine_embedding_loss", a[0], b[0], np.array(-1))


@pytest.mark.parity
def test_multi_margin(rng: np.random.Generator) -> None:
    x, y, w = rng.normal(size=(5, 4)), rng.integers(0, 4, 5), rng.uniform(size=4)
    for p in (1, 2):
        for margin in (1.0, 0.3):
            compare("multi_margin_loss", x, y, p=p, margin=margin)
        for how in REDUCTIONS:
            check(
                lambda m, x, y, w, p=p, how=how: _functional(m).multi_margin_loss(
                    x, y, p, 1.0, w.detach(), reduction=how
                ),
                x, y, w, loose=8,
            )  # fmt: skip
    compare("multi_margin_loss", x[0], np.array(2))


@pytest.mark.parity
def test_multilabel_margin(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 4))
    y = np.array([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [1, 1, -1, -1]])
    compare("multilabel_margin_loss", x, y)
    compare("multilabel_margin_loss", x[0], y[0])
    targets = rng.integers(0, 2, (4, 4)).astype(float)
    compare("multilabel_soft_margin_loss", x, targets)
    check(
        lambda m, x, y, w: _functional(m).multilabel_soft_margin_loss(x, y, w.detach()),
        x, targets, rng.uniform(size=4), loose=8,
    )  # fmt: skip


@pytest.mark.parity
def test_triplets(rng: np.random.Generator) -> None:
    a, b, c = rng.normal(size=(3, 5, 4))
    for p in (1, 2, 3):
        for swap in (False, True):
            compare("triplet_margin_loss", a, b, c, p=p, swap=swap, margin=2.0)
    compare("triplet_margin_loss", a[0], b[0], c[0])
    compare("triplet_margin_with_distance_loss", a, b, c, swap=True)
    compare(
        "triplet_margin_with_distance_loss", a, b, c, margin=0.5,
        distance_function=lambda x, y: (x - y).abs().sum(-1),
    )  # fmt: skip


SECOND: dict[str, tuple[Callable[..., Any], Callable[[np.random.Generator], Any]]] = {
    "smooth_l1": (lambda x: F.smooth_l1_loss(x, gc.full((4,), 0.4)), lambda r: r.normal(size=4)),
    "bce": (
        lambda x: F.binary_cross_entropy(x, gc.full((4,), 0.3, dtype=gc.float64)),
        lambda r: r.uniform(0.2, 0.8, 4),
    ),
    "kl_div": (lambda x: F.kl_div(gc.zeros(4), x, reduction="sum"), lambda r: r.uniform(1, 2, 4)),
    "poisson": (lambda x: F.poisson_nll_loss(x, gc.ones(4)), lambda r: r.normal(size=4)),
    "gaussian": (
        lambda x: F.gaussian_nll_loss(gc.zeros(4), gc.ones(4), x),
        lambda r: r.uniform(1, 2, 4),
    ),
    "soft_margin": (lambda x: F.soft_margin_loss(x, gc.ones(4)), lambda r: r.normal(size=4)),
    "triplet": (
        lambda x: F.triplet_margin_loss(x, gc.zeros(4), gc.ones(4), margin=9.0),
        lambda r: r.normal(size=4),
    ),
    "cosine": (
        lambda x: F.cosine_embedding_loss(x, gc.ones(4), gc.tensor(1)),
        lambda r: r.normal(size=4),
    ),
}


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives(name: str, rng: np.random.Generator) -> None:
    loss, make = SECOND[name]

    def gradient(x: gc.Tensor) -> gc.Tensor:
        return gc.grad(loss(x), x, create_graph=True)[0]

    assert gc.autograd.gradcheck(gradient, [gc.tensor(make(rng), requires_grad=True)])


def test_values_by_hand() -> None:
    x, y = gc.tensor([[0.1, 0.2, 0.4, 0.8]]), gc.tensor([[3, 0, -1, 1]])
    expected = 0.25 * (
        (1 - (0.1 - 0.2)) + (1 - (0.1 - 0.4)) + (1 - (0.8 - 0.2)) + (1 - (0.8 - 0.4))
    )
    assert F.multilabel_margin_loss(x, y).item() == pytest.approx(expected)
    p = gc.tensor([0.0, 1.0, 0.5])
    got = F.binary_cross_entropy(p, gc.tensor([1.0, 0.0, 1.0]), reduction="none")
    assert got.tolist() == pytest.approx([100, 100, math.log(2)])


def test_losses_of_an_unknown_batch() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((None, 4), gc.float64, name="x")
        y = gc.placeholder((None,), gc.int64, name="y")
        graph.output(F.multi_margin_loss(x, y), "margin")
        graph.output(F.kl_div(x, x.exp(), reduction="batchmean"), "kl")
    session = graph.compile()
    values = np.random.default_rng(0).normal(size=(3, 4))
    classes = np.array([0, 3, 1])
    found = session.run({"x": values, "y": classes})
    t, c = gc.tensor(values), gc.tensor(classes)
    assert found["margin"] == pytest.approx(F.multi_margin_loss(t, c).item(), rel=1e-12)
    kl = F.kl_div(t, t.exp(), reduction="batchmean").item()
    assert found["kl"] == pytest.approx(kl, rel=1e-12)


TWO = gc.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.smooth_l1_loss(TWO, TWO, beta=-1), ArgumentError, "beta"),
        (lambda: F.huber_loss(TWO, TWO, delta=0), ArgumentError, "delta"),
        (lambda: F.huber_loss(TWO, TWO, reduction="average"), ArgumentError, "reduction"),
        (lambda: F.binary_cross_entropy(TWO, gc.ones(3)), ShapeError, "one shape"),
        (lambda: F.binary_cross_entropy(TWO * 2, TWO), ArgumentError, "probabilities"),
        (lambda: F.gaussian_nll_loss(TWO, TWO, gc.ones(3)), ShapeError, "variances"),
        (lambda: F.gaussian_nll_loss(TWO, TWO, -1.0), ArgumentError, "negative"),
        (lambda: F.margin_ranking_loss(TWO, TWO, gc.ones(3)), ShapeError, "dims"),
        (lambda: F.cosine_embedding_loss(TWO, TWO, TWO), ShapeError, "batch"),
        (lambda: F.multi_margin_loss(TWO, gc.tensor([0, 1]), p=3), ArgumentError, "p must"),
        (lambda: F.multi_margin_loss(TWO, gc.tensor([0])), ShapeError, "target"),
        (lambda: F.multi_margin_loss(TWO, gc.tensor([0, 3])), IndexRangeError, "range"),
        (lambda: F.multi_margin_loss(gc.ones(1, 2, 3), gc.tensor([0])), ShapeError, "batch"),
        (lambda: F.multilabel_margin_loss(TWO, TWO), ShapeError, "int64"),
        (lambda: F.triplet_margin_loss(TWO, TWO, TWO, margin=0), ArgumentError, "margin"),
        (lambda: F.triplet_margin_loss(TWO, TWO, gc.ones(3)), ShapeError, "dims"),
    ],
)  # fmt: skip
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def _curvature(loss: Any) -> Any:
    def curvature(m: Any, x: Any) -> Any:
        grad = m.autograd.grad(loss(m, x), [x], create_graph=True)[0]
        return m.autograd.grad((grad * grad).sum(), [x], create_graph=True)[0]

    return curvature


@pytest.mark.parity
@pytest.mark.parametrize(
    "loss",
    [
        lambda m, x: m.nn.functional.logsigmoid(x).sum(),
        lambda m, x: m.nn.functional.softplus(x).sum(),
        lambda m, x: m.nn.functional.mish(x).sum(),
        lambda m, x: m.nn.functional.binary_cross_entropy_with_logits(x, m.ones_like(x) * 0.3),
        lambda m, x: m.nn.functional.soft_margin_loss(x, m.ones_like(x)),
        lambda m, x: m.nn.functional.multilabel_soft_margin_loss(x, m.ones_like(x)),
    ],
)
def test_second_derivatives_of_smooth_losses_at_0(loss: Any) -> None:
    check(_curvature(loss), np.array([[0.0, -0.0, 1e-3], [2.0, -30.0, 40.0]]))
