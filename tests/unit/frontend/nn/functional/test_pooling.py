"""Pooling and its inverse against PyTorch: windows, padding, ties, NaN, places, both executions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.errors import ArgumentError, DTypeError, ShapeError
from tests.torch_oracle import check


def _functional(module: Any) -> Any:
    return F if module is gc else module.nn.functional


CASES: list[tuple[int, tuple[int, ...], dict[str, Any]]] = [
    (1, (2, 3, 8), {"kernel_size": 3}),
    (1, (3, 8), {"kernel_size": 3, "stride": 2, "padding": 1}),
    (1, (2, 3, 8), {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    (1, (2, 1, 1), {"kernel_size": 1}),
    (2, (2, 3, 6, 7), {"kernel_size": 2}),
    (2, (3, 6, 7), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
    (2, (2, 2, 6, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    (2, (1, 2, 5, 5), {"kernel_size": 2, "stride": 4, "padding": 1, "ceil_mode": True}),
    (2, (2, 2, 6, 7), {"kernel_size": (1, 3), "stride": 1}),
    (2, (2, 2, 4, 4), {"kernel_size": 4}),
    (3, (2, 2, 4, 5, 3), {"kernel_size": 2, "stride": (1, 2, 1), "padding": 1}),
    (3, (2, 4, 5, 3), {"kernel_size": (2, 1, 3)}),
]


@pytest.mark.parity
@pytest.mark.parametrize(("dims", "shape", "options"), CASES)
@pytest.mark.parametrize("indexed", [False, True])
def test_max_pool(
    dims: int, shape: Any, options: dict[str, Any], indexed: bool, rng: np.random.Generator
) -> None:
    def run(m: Any, x: Any) -> Any:
        pool = getattr(_functional(m), f"max_pool{dims}d")
        return pool(x, return_indices=indexed, **options)

    check(run, rng.normal(size=shape))
    check(run, rng.integers(0, 2, shape).astype(float))  # ties: the first has the gradient
    check(run, np.maximum(rng.normal(size=shape), 0).astype(np.float32))


@pytest.mark.parity
def test_max_pool_with_dilation_and_values_that_are_not_finite(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 2, 7, 8))
    for dilation in (2, (1, 3)):
        check(
            lambda m, x, d=dilation: _functional(m).max_pool2d(
                x, 2, 1, dilation=d, return_indices=True
            ),
            x,
        )  # fmt: skip
    x.flat[::7], x.flat[3::11] = math.nan, -math.inf
    check(lambda m, x: _functional(m).max_pool2d(x, 3, 2, 1, return_indices=True), x, grads=False)
    nothing = np.full((1, 1, 4, 4), -math.inf)
    check(
        lambda m, x: _functional(m).max_pool2d(x, 3, 2, 1, return_indices=True), nothing,
        grads=False,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("dims", "shape", "options"), CASES)
@pytest.mark.parametrize("counted", [False, True])
def test_avg_pool(
    dims: int, shape: Any, options: dict[str, Any], counted: bool, rng: np.random.Generator
) -> None:
    def run(m: Any, x: Any, **more: Any) -> Any:
        pool = getattr(_functional(m), f"avg_pool{dims}d")
        return pool(x, count_include_pad=counted, **options, **more)

    x = rng.normal(size=shape)
    check(run, x, loose=8)
    check(run, x.astype(np.float32), loose=8)
    if dims > 1:
        check(lambda m, x: run(m, x, divisor_override=5), x, loose=8)


@pytest.mark.parity
@pytest.mark.parametrize("norm", [1.0, 2.0, 3.0])
def test_lp_pool(norm: float, rng: np.random.Generator) -> None:
    for dims in (1, 2, 3):
        shape = (2, 2, 5, 4, 6)[: dims + 2]
        x = rng.uniform(0.1, 1, size=shape)
        for more in ({}, {"stride": 1}, {"ceil_mode": True}):
            check(
                lambda m, x, d=dims, o=more: getattr(_functional(m), f"lp_pool{d}d")(
                    x, norm, 2, **o
                ),
                x, loose=50,
            )  # fmt: skip


ADAPTIVE: list[tuple[int, tuple[int, ...], Any]] = [
    (1, (2, 3, 7), 3), (1, (3, 7), 1), (1, (2, 3, 4), 9), (1, (2, 3, 6), 2),
    (2, (2, 3, 5, 7), (2, 3)), (2, (3, 5, 7), 1), (2, (2, 3, 6, 4), (3, None)),
    (2, (2, 3, 6, 6), 3), (3, (1, 2, 4, 5, 3), (2, 2, 5)), (3, (2, 4, 5, 3), 1),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("dims", "shape", "size"), ADAPTIVE)
def test_adaptive(dims: int, shape: Any, size: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=shape)
    check(lambda m, x: getattr(_functional(m), f"adaptive_avg_pool{dims}d")(x, size), x, loose=8)
    for values in (x, np.round(x)):
        for indexed in (False, True):
            check(
                lambda m, x, i=indexed: getattr(_functional(m), f"adaptive_max_pool{dims}d")(
                    x, size, return_indices=i
                ),
                values,
            )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("dims", "shape"), [(1, (2, 3, 8)), (2, (2, 3, 6, 8)), (2, (3, 6, 8)),
                                             (3, (1, 2, 4, 6, 4))])  # fmt: skip
def test_unpooling(dims: int, shape: Any, rng: np.random.Generator) -> None:
    def run(m: Any, x: Any, **options: Any) -> Any:
        f = _functional(m)
        values, places = getattr(f, f"max_pool{dims}d_with_indices")(x, 2)
        return getattr(f, f"max_unpool{dims}d")(values * 2, places, 2, **options)

    x = rng.normal(size=shape)
    check(run, x)
    odd = rng.normal(size=(*shape[:-1], shape[-1] + 1))
    check(lambda m, x: run(m, x, output_size=odd.shape[-dims:]), odd)


def test_overlapping_windows_put_their_value_back_once() -> None:
    x = gc.tensor([[[1.0, 5.0, 2.0, 0.0]]])
    values, places = F.max_pool1d_with_indices(x, 2, 1)
    back = F.max_unpool1d(values, places, 2, 1)
    assert back.tolist() == [[[0, 5, 2, 0]]]


def test_second_derivatives(rng: np.random.Generator) -> None:
    def gradient(x: gc.Tensor) -> gc.Tensor:
        pooled = F.max_pool2d(x, 2, 1) ** 2
        mean = F.adaptive_avg_pool2d(pooled, 2) ** 2
        return gc.grad((F.avg_pool2d(mean, 2) ** 2).sum(), x, create_graph=True)[0]

    assert gc.autograd.gradcheck(
        gradient, [gc.tensor(rng.normal(size=(1, 1, 4, 4)), requires_grad=True)]
    )


def test_pooling_of_unknown_sizes_compiles(rng: np.random.Generator) -> None:
    def pools(x: gc.Tensor) -> dict[str, gc.Tensor]:
        values, places = F.max_pool2d(x, 3, 2, 1, return_indices=True)
        return {
            "values": values, "places": places, "mean": F.avg_pool2d(x, 2),
            "inner": F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        }  # fmt: skip

    with gc.Graph() as graph:
        x = gc.placeholder((None, 2, "height", "width"), name="x")
        outputs = pools(x)
    session = graph.compile(outputs=outputs)
    for height, width in ((6, 7), (3, 4)):
        values = rng.normal(size=(2, 2, height, width)).astype(np.float32)
        found = session.run({"x": values})
        for name, expected in pools(gc.tensor(values)).items():
            np.testing.assert_allclose(found[name], expected.numpy(), rtol=1e-6)


X = gc.ones(1, 2, 5, 5)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.max_pool2d(gc.ones(5, 5), 2), ShapeError, "spatial"),
        (lambda: F.max_pool2d(X, 6), ShapeError, "no window"),
        (lambda: F.max_pool2d(X, 2, padding=2), ArgumentError, "half"),
        (lambda: F.max_pool2d(X, 0), ArgumentError, "kernel_size"),
        (lambda: F.max_pool2d(X, (2, 2, 2)), ArgumentError, "kernel_size"),
        (lambda: F.max_pool2d(X, 2, stride=0), ArgumentError, "stride"),
        (lambda: F.avg_pool2d(X, 2, divisor_override=0), ArgumentError, "divisor"),
        (lambda: F.avg_pool1d(X, 2), ShapeError, "spatial"),
        (lambda: F.adaptive_avg_pool2d(X, -1), ArgumentError, "output_size"),
        (lambda: F.adaptive_max_pool2d(X, (1, 2, 3)), ArgumentError, "output_size"),
        (lambda: F.adaptive_max_pool2d(X[:, :, :0], 1), ShapeError, "not 0"),
        (lambda: F.max_unpool2d(X, X, 2), DTypeError, "int64"),
        (lambda: F.max_unpool2d(X, X[0].long(), 2), ShapeError, "one shape"),
        (
            lambda: F.max_unpool2d(X, X.long(), 2, output_size=(20, 20)),
            ArgumentError,
            "output_size",
        ),
    ],
)
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("dtype", [gc.bool, gc.complex64])
@pytest.mark.parametrize("pool", [F.max_pool1d, F.max_pool1d_with_indices])
def test_there_is_no_largest_of_bools_and_complex_numbers(pool: Any, dtype: gc.DType) -> None:
    with pytest.raises(DTypeError, match="expected integers or floating point numbers"):
        pool(gc.ones(1, 2, 6, dtype=dtype), 2)


@pytest.mark.parity
def test_places_in_windows_of_nothing_but_minus_infinity() -> None:
    x = np.full((1, 1, 6), -np.inf)
    check(
        lambda m, x: m.nn.functional.max_pool1d(x, 2, 3, 1, 2, return_indices=True), x, grads=False
    )
