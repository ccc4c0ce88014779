"""Normalization, distances and the order of channels against PyTorch, in both executions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, ShapeError
from tests.both_modes import check_both
from tests.torch_oracle import check, torch


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(2, 6), (3, 6, 4), (2, 6, 3, 5), (0, 6, 2)])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm(shape: tuple[int, ...], groups: int, rng: np.random.Generator) -> None:
    if len(shape) == 2 and groups == 6:
        shape = (2, 6, 1)
    x, w, b = rng.normal(2, 3, size=shape), rng.normal(size=6), rng.normal(size=6)
    check(lambda m, x: _functional(m).group_norm(x, groups), x, loose=100)
    check(
        lambda m, x, w, b: _functional(m).group_norm(x, groups, w, b, eps=0.1), x, w, b, loose=100
    )


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 4, 3, 5), (1, 4, 2, 2, 2)])
def test_instance_norm(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x, w, b = rng.normal(2, 3, size=shape), rng.normal(size=4), rng.normal(size=4)

    def train(m: Any, x: Any, w: Any, b: Any) -> Any:
        mean, var = (m.full((4,), v, dtype=m.float64) for v in (0.5, 2.0))
        out = _functional(m).instance_norm(x, mean, var, w, b, momentum=0.3)
        return out, mean, var

    check(train, x, w, b, loose=100, record=False)
    check(lambda m, x: _functional(m).instance_norm(x), x, loose=100)
    check(
        lambda m, x, w: _functional(m).instance_norm(
            x, w.detach(), w.detach() ** 2 + 1, w, use_input_stats=False
        ),
        x, w, loose=100,
    )  # fmt: skip


def test_instance_norm_records_its_running_statistics(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 4))
    results = []
    for compiled in (False, True):
        mean, var = gc.zeros(3, dtype=gc.float64), gc.ones(3, dtype=gc.float64)
        mean.is_state = var.is_state = True

        def run(x: gc.Tensor, mean: gc.Tensor = mean, var: gc.Tensor = var) -> gc.Tensor:
            return F.instance_norm(x, mean, var)

        (gc.compile(run, backend="numpy") if compiled else run)(gc.tensor(x))
        results.append((mean.numpy(), var.numpy()))
    np.testing.assert_array_equal(*(np.array(result) for result in results))
    np.testing.assert_allclose(results[0][0], 0.1 * x.mean((0, 2)), rtol=1e-12)
    np.testing.assert_allclose(results[0][1], 0.9 + 0.1 * x.var(2, ddof=1).mean(0), rtol=1e-12)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0, 4)])
def test_rms_norm(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x, w = rng.normal(size=shape), rng.normal(size=4)
    check(lambda m, x, w: _functional(m).rms_norm(x, (4,), w), x, w, loose=20)
    check(lambda m, x: _functional(m).rms_norm(x, [4], eps=0.1), x, loose=20)
    check(lambda m, x: _functional(m).rms_norm(x * 1e-8, [4]), x.astype(np.float32), loose=20)


@pytest.mark.parity
@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_local_response_norm(size: int, rng: np.random.Generator) -> None:
    for shape in ((2, 4, 3), (1, 4, 2, 3), (2, 4, 1, 2, 2)):
        check(
            lambda m, x: _functional(m).local_response_norm(x, size, 0.5, 0.6, k=2.0),
            rng.normal(size=shape), loose=20,
        )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("p", [0.5, 1, 2, 3, math.inf])
def test_normalize_and_distances(p: float, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    for dim in (0, 1, -1):
        check(lambda m, x, dim=dim: _functional(m).normalize(x, p, dim), x, loose=20)
    check(lambda m, x, y: _functional(m).pairwise_distance(x, y, p), x, y, loose=20)
    check(
        lambda m, x, y: _functional(m).pairwise_distance(x, y, p=p, keepdim=True), x, y[0], loose=20
    )
    check(lambda m, x: _functional(m).pdist(x, p), x, loose=20)
    for rows in (0, 1, 2):
        # PyTorch's backward of no pairs ends the process
        check(lambda m, x: _functional(m).pdist(x, p), x[:rows], loose=20, grads=rows > 1)


@pytest.mark.parity
def test_distances_of_equal_rows_have_no_gradient() -> None:
    x = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 2.0]])
    for p in (1, 2, 3):
        check(lambda m, x, p=p: _functional(m).pdist(x, p), x, loose=20)
        out = check_both(lambda x, p=p: F.normalize(x, p), np.zeros((2, 3)))
        assert np.all(np.isfinite(np.asarray(out.grads[0])))
    check(lambda m, x: _functional(m).pdist(x, 0.0), x)


@pytest.mark.parity
def test_cosine_similarity(rng: np.random.Generator) -> None:
    for first, second, dim in (
        ((5, 4), (5, 4), 1), ((5, 4), (5, 4), 0), ((2, 3, 4), (3, 4), -1), ((3, 4), (2, 3, 4), 2),
        ((2, 3, 4), (2, 1, 4), 1), ((4,), (4,), 0), ((5, 4), (4,), 0), ((2, 0), (2, 0), 1),
    ):  # fmt: skip
        x, y = rng.normal(size=first), rng.normal(size=second)
        check(lambda m, x, y, d=dim: _functional(m).cosine_similarity(x, y, dim=d), x, y, loose=20)
    check(
        lambda m, x, y: _functional(m).cosine_similarity(x, y), np.zeros((2, 3)),
        rng.normal(size=(2, 3)), grads=False,
    )  # fmt: skip


@pytest.mark.parity
def test_channel_shuffle(rng: np.random.Generator) -> None:
    for shape in ((2, 6, 3), (1, 6, 2, 2)):
        for groups in (1, 2, 3, 6):
            check(
                lambda m, x, g=groups: _functional(m).channel_shuffle(x, g), rng.normal(size=shape)
            )


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.group_norm(x, 2),
        lambda x: F.rms_norm(x, [3]),
        lambda x: F.instance_norm(x),
        lambda x: F.local_response_norm(x, 2),
        lambda x: F.pdist(x.reshape(2, -1)),
        lambda x: F.normalize(x, 3.0),
    ],
)
def test_second_derivatives(
    function: Callable[[gc.Tensor], gc.Tensor], rng: np.random.Generator
) -> None:
    def gradient(x: gc.Tensor) -> gc.Tensor:
        out = function(x)
        weights = gc.tensor(np.linspace(-1, 1, int(out.numel())).reshape(out.shape))
        return gc.grad((out * weights).sum(), x, create_graph=True)[0]

    x = gc.tensor(rng.normal(size=(2, 4, 3)), requires_grad=True)
    assert gc.autograd.gradcheck(gradient, [x])


def test_norms_of_an_unknown_batch_compile(rng: np.random.Generator) -> None:
    def norms(x: gc.Tensor) -> dict[str, gc.Tensor]:
        return {
            "group": F.group_norm(x, 2),
            "instance": F.instance_norm(x),
            "rms": F.rms_norm(x, (3,)),
            "response": F.local_response_norm(x, 3),
            "normalize": F.normalize(x),
            "shuffle": F.channel_shuffle(x, 2),
        }

    with gc.Graph() as graph:
        x = gc.placeholder((None, 4, 3), name="x")
        outputs = norms(x)
    session = graph.compile(outputs=outputs)
    values = rng.normal(size=(5, 4, 3)).astype(np.float32)
    found = session.run({"x": values})
    for name, expected in norms(gc.tensor(values)).items():
        np.testing.assert_allclose(found[name], expected.numpy(), rtol=2e-5, atol=2e-6)


X = gc.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.group_norm(X, 2), ShapeError, "groups"),
        (lambda: F.group_norm(gc.ones(3), 1), ShapeError, "batch"),
        (lambda: F.group_norm(X, 3, gc.ones(2)), ShapeError, "channels"),
        (lambda: F.instance_norm(gc.ones(2, 3, 1)), ShapeError, "one value"),
        (lambda: F.instance_norm(X, use_input_stats=False), ArgumentError, "running"),
        (lambda: F.rms_norm(X, (2,)), ShapeError, "normalized_shape"),
        (lambda: F.local_response_norm(X, 2), ShapeError, "three dims"),
        (lambda: F.local_response_norm(gc.ones(1, 2, 3), 0), ArgumentError, "size"),
        (lambda: F.channel_shuffle(X, 2), ShapeError, "groups"),
        (lambda: F.normalize(X, out=X), ArgumentError, "out"),
        (lambda: F.pdist(gc.ones(3)), ShapeError, "matrix"),
        (lambda: F.pdist(X, -1.0), ArgumentError, "negative"),
        (lambda: F.cosine_similarity(X, X, dim=2), ArgumentError, "dim"),
    ],
)
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


COMPLEX_SIZES: dict[str, Callable[[Any, Any], Any]] = {
    "norm of all": lambda m, z: m.linalg.vector_norm(z),
    "norms": lambda m, z: m.linalg.norm(z, dim=1),
    "matrix": lambda m, z: m.linalg.matrix_norm(z),
    "var": lambda m, z: m.var(z, 0),
    "std": lambda m, z: m.std(z),
    "normalize": lambda m, z: z / m.linalg.vector_norm(z, dim=1, keepdim=True),
}


@pytest.mark.parity
@pytest.mark.parametrize("name", COMPLEX_SIZES)
def test_second_derivatives_at_complex_zeros(name: str) -> None:
    """The size of a number has no derivative at 0, the square of its size has."""
    z = np.array([[0, 1 + 2j, 0.5], [-1 - 1j, 0, 2j], [1 + 1j, -1 - 2j, 0]])

    def second(m: Any, z: Any) -> Any:
        grad = gc.grad if m is gc else torch().autograd.grad
        result = COMPLEX_SIZES[name](m, z)
        (slope,) = grad((result * (0.5 - 2j)).real.sum(), z, create_graph=True)
        return slope, result

    check(second, z, loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("order", [1, 2, "fro", "nuc", math.inf])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3), (0, 0)])
def test_norms_of_matrices_without_elements(order: Any, shape: tuple[int, ...]) -> None:
    check(lambda m, x: m.linalg.matrix_norm(x, order), np.ones(shape))
    check(lambda m, x: m.linalg.matrix_norm(x, order, keepdim=True), np.ones(shape))
