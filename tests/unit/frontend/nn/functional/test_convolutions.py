"""Convolutions, transposed ones, and windows as columns against PyTorch, in both executions."""

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


CASES: list[tuple[int, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    (1, (2, 3, 8), (4, 3, 3), {}),
    (1, (3, 8), (4, 3, 3), {"padding": 2}),
    (1, (2, 4, 9), (6, 2, 2), {"stride": 3, "groups": 2, "dilation": 2}),
    (1, (2, 3, 8), (4, 3, 4), {"padding": "same", "dilation": 2}),
    (1, (2, 3, 8), (4, 3, 4), {"padding": "valid"}),
    (1, (0, 3, 8), (4, 3, 3), {"padding": 1}),
    (2, (2, 3, 6, 7), (4, 3, 3, 2), {"padding": (1, 0), "stride": (2, 1)}),
    (2, (3, 6, 7), (4, 3, 3, 3), {"padding": 1}),
    (2, (2, 4, 7, 7), (4, 1, 3, 3), {"groups": 4, "padding": 1, "stride": 2}),
    (2, (1, 1, 1, 1), (1, 1, 1, 1), {}),
    (2, (2, 2, 6, 5), (3, 2, 2, 4), {"padding": "same"}),
    (2, (2, 4, 7, 9), (6, 2, 2, 3), {"dilation": (1, 3), "groups": 2, "stride": [2, 3]}),
    (3, (2, 2, 4, 5, 3), (3, 2, 2, 3, 1), {"padding": (0, 1, 1), "stride": (1, 2, 1)}),
    (3, (2, 3, 4, 3), (4, 1, 2, 2, 2), {"groups": 2}),
]


@pytest.mark.parity
def test_complex_convolutions(rng: np.random.Generator) -> None:
    def normal(*shape: int) -> Any:
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    check(
        lambda m, x, w, b: _functional(m).conv1d(x, w, b, stride=2, padding=1),
        normal(2, 3, 8), normal(4, 3, 3), normal(4), loose=100,
    )  # fmt: skip
    check(
        lambda m, x, w, b: _functional(m).conv_transpose2d(x, w, b, stride=2, groups=2),
        normal(2, 4, 3, 3), normal(4, 3, 2, 2), normal(6), loose=100,
    )  # fmt: skip
    check(
        lambda m, x, w: _functional(m).conv2d(x, w, padding=1),
        normal(2, 5, 5).astype(np.complex64), normal(3, 2, 3, 3).astype(np.complex64), loose=100,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("dims", "shape", "kernel", "options"), CASES)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_convolutions(
    dims: int, shape: Any, kernel: Any, options: dict[str, Any], rng: np.random.Generator
) -> None:
    x, w, b = (rng.normal(size=s) for s in (shape, kernel, kernel[:1]))
    run = lambda m: getattr(_functional(m), f"conv{dims}d")  # noqa: E731 - one expression
    check(lambda m, x, w, b: run(m)(x, w, b, **options), x, w, b, loose=50)
    check(lambda m, x, w: run(m)(x, w, **options), x, w, loose=50)
    halves = [each.astype(np.float32) for each in (x, w, b)]
    check(lambda m, x, w, b: run(m)(x, w, b, **options), *halves, loose=50)


TRANSPOSED: list[tuple[int, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    (1, (2, 3, 5), (3, 4, 3), {}),
    (1, (3, 5), (3, 4, 3), {"padding": 1}),
    (1, (2, 4, 5), (4, 3, 2), {"stride": 3, "groups": 2, "output_padding": 2}),
    (1, (2, 4, 5), (4, 3, 2), {"stride": 3, "padding": 3, "dilation": 2}),
    (2, (2, 3, 4, 5), (3, 2, 3, 2), {"stride": (2, 1), "padding": (1, 0)}),
    (2, (2, 4, 3, 3), (4, 1, 3, 3), {"groups": 4, "stride": 2, "output_padding": (1, 0)}),
    (2, (0, 3, 4, 5), (3, 2, 3, 2), {}),
    (3, (1, 2, 3, 2, 3), (2, 3, 2, 2, 1), {"stride": 2, "output_padding": (1, 0, 1)}),
]


@pytest.mark.parity
@pytest.mark.parametrize(("dims", "shape", "kernel", "options"), TRANSPOSED)
def test_transposed(
    dims: int, shape: Any, kernel: Any, options: dict[str, Any], rng: np.random.Generator
) -> None:
    out = kernel[1] * options.get("groups", 1)
    x, w, b = (rng.normal(size=s) for s in (shape, kernel, (out,)))
    run = lambda m: getattr(_functional(m), f"conv_transpose{dims}d")  # noqa: E731
    check(lambda m, x, w, b: run(m)(x, w, b, **options), x, w, b, loose=50)
    check(lambda m, x, w: run(m)(x, w, **options), x, w, loose=50)


def test_a_transposed_convolution_is_the_gradient_of_a_convolution(
    rng: np.random.Generator,
) -> None:
    x = gc.tensor(rng.normal(size=(2, 3, 8, 9)), requires_grad=True)
    w = gc.tensor(rng.normal(size=(4, 3, 3, 2)))
    out = F.conv2d(x, w, stride=(2, 3), padding=1)
    g = gc.tensor(rng.normal(size=out.shape))
    (expected,) = gc.grad((out * g).sum(), x)
    back = F.conv_transpose2d(g, w, stride=(2, 3), padding=1, output_padding=(1, 0))
    np.testing.assert_allclose(back.numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)


def test_values_by_hand() -> None:
    x = gc.tensor([[[1.0, 2.0, 4.0]]])
    w = gc.tensor([[[1.0, -1.0]]])
    assert F.conv1d(x, w).tolist() == [[[-1, -2]]]
    assert F.conv1d(x, w, padding=1).tolist() == [[[-1, -1, -2, 4]]]
    assert F.conv_transpose1d(x, w, stride=2).tolist() == [[[1, -1, 2, -2, 4, -4]]]
    assert F.conv1d(gc.ones(1, 1, 3, dtype=gc.float16), w.half()).dtype is gc.float16


@pytest.mark.parity
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((2, 3, 5, 6), {"kernel_size": 2}),
        ((2, 3, 5, 6), {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 2)}),
        ((3, 5, 6), {"kernel_size": (3, 2), "dilation": 2}),
        ((0, 3, 5, 6), {"kernel_size": 3, "padding": 1}),
    ],
)
def test_unfold_and_fold(
    shape: tuple[int, ...], options: dict[str, Any], rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape)
    check(lambda m, x: _functional(m).unfold(x, **options), x)
    columns = F.unfold(gc.tensor(x), **options)
    y = rng.normal(size=columns.shape)
    check(lambda m, y: _functional(m).fold(y, shape[-2:], **options), y, loose=4)


def test_second_derivatives(rng: np.random.Generator) -> None:
    w = gc.tensor(rng.normal(size=(2, 1, 2, 2)), requires_grad=True)

    def gradient(x: gc.Tensor, w: gc.Tensor) -> tuple[gc.Tensor, ...]:
        out = F.conv2d(x, w, stride=2, padding=1, groups=2)
        return gc.grad((out * out).sum(), (x, w), create_graph=True)

    x = gc.tensor(rng.normal(size=(1, 2, 3, 4)), requires_grad=True)
    assert gc.autograd.gradcheck(gradient, [x, w])


def test_a_training_step_compiles_with_an_unknown_batch(rng: np.random.Generator) -> None:
    w = gc.tensor(rng.normal(size=(4, 3, 3, 3)).astype(np.float32), requires_grad=True)
    values = rng.normal(size=(5, 3, 8, 8)).astype(np.float32)

    def loss(x: gc.Tensor) -> gc.Tensor:
        return (F.relu(F.conv2d(x, w, stride=2, padding=1)) ** 2).mean()

    expected = loss(gc.tensor(values))
    (grad,) = gc.grad(expected, w)
    with gc.Graph() as graph:
        x = gc.placeholder((None, 3, 8, 8), name="x")
        value = loss(x)
        outputs = {"loss": value, "grad": gc.grad(value, w)[0]}
    for backend in ("numpy", "llvm"):
        found = graph.compile(outputs=outputs, backend=backend).run({"x": values})
        np.testing.assert_allclose(found["loss"], expected.item(), rtol=1e-5)
        np.testing.assert_allclose(found["grad"], grad.numpy(), rtol=1e-3, atol=1e-5)


def test_an_image_of_unknown_size_compiles(rng: np.random.Generator) -> None:
    w = gc.tensor(rng.normal(size=(2, 1, 3, 3)))
    with gc.Graph() as graph:
        x = gc.placeholder((None, 1, "height", "width"), gc.float64, name="x")
        out = F.conv2d(x, w, padding=1, stride=2)
    session = graph.compile(outputs=out)
    for height, width in ((4, 5), (7, 3)):
        values = rng.normal(size=(2, 1, height, width))
        expected = F.conv2d(gc.tensor(values), w, padding=1, stride=2).numpy()
        np.testing.assert_allclose(session.run({"x": values}), expected, rtol=1e-12, atol=1e-12)


X, W = gc.ones(1, 2, 5, 5), gc.ones(3, 2, 3, 3)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.conv2d(gc.ones(2, 5), W), ShapeError, "spatial"),
        (lambda: F.conv2d(X, gc.ones(3, 2, 3)), ShapeError, "4 dims"),
        (lambda: F.conv2d(X, gc.ones(3, 1, 3, 3)), ShapeError, "channels"),
        (lambda: F.conv2d(X, gc.ones(3, 1, 3, 3), groups=2), ShapeError, "groups"),
        (lambda: F.conv2d(X, gc.ones(3, 2, 6, 3)), ShapeError, "fit into"),
        (lambda: F.conv2d(X, W.double()), DTypeError, "one floating"),
        (lambda: F.conv2d(X.long(), W.long()), DTypeError, "floating"),
        (lambda: F.conv2d(X, W, gc.ones(2)), ShapeError, "bias"),
        (lambda: F.conv2d(X, W, stride=0), ArgumentError, "stride"),
        (lambda: F.conv2d(X, W, stride=(1, 1, 1)), ArgumentError, "stride"),
        (lambda: F.conv2d(X, W, padding=-1), ArgumentError, "padding"),
        (lambda: F.conv2d(X, W, padding="full"), ArgumentError, "'same'"),
        (lambda: F.conv2d(X, W, padding="same", stride=2), ArgumentError, "'same'"),
        (lambda: F.conv_transpose2d(X, W), ShapeError, "channels"),
        (
            lambda: F.conv_transpose2d(X, gc.ones(2, 3, 3, 3), output_padding=1),
            ArgumentError, "output_padding",
        ),
        (lambda: F.unfold(X, 6), ShapeError, "fit"),
        (lambda: F.unfold(X, 0), ArgumentError, "kernel_size"),
        (lambda: F.fold(gc.ones(1, 7, 4), 3, 2), ShapeError, "columns"),
        (lambda: F.fold(gc.ones(1, 8, 5), 3, 2), ShapeError, "columns"),
    ],
)  # fmt: skip
def test_wrong_arguments(call: Callable[[], Any], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
