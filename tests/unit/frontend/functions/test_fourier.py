"""Fourier transforms against PyTorch and scipy: sizes, dims, norms, gradients, both modes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.fft

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, ShapeError
from tests.backends import EXECUTIONS, Execution
from tests.closeness import assert_same
from tests.torch_oracle import check

REAL = ["rfft", "ihfft"]
OTHERS = ["fft", "ifft", "irfft", "hfft"]
SHAPES = [(5,), (4,), (2,), (3, 4), (2, 3, 5)]


def operand(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    values = rng.normal(size=shape)
    return values if name.startswith(("rfft", "ihfft")) else values + 1j * rng.normal(size=shape)


ONE_DIM: list[dict[str, Any]] = [
    *({"norm": norm} for norm in (None, "backward", "forward", "ortho")),
    *({"n": n} for n in (1, 3, 4, 7)), *({"n": n, "dim": 0, "norm": "ortho"} for n in (1, 3, 6)),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("options", ONE_DIM, ids=str)
@pytest.mark.parametrize("name", REAL + OTHERS)
def test_one_dim(name: str, options: dict[str, Any], rng: np.random.Generator) -> None:
    for shape in SHAPES:
        x = operand(name, shape, rng)
        check(lambda m, x: getattr(m.fft, name)(x, **options), x, loose=20)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "hfft", "irfft", "ihfft"])
def test_dtypes(name: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4)) * 4
    for dtype in ("float32", "float64", "int64", "uint8", "bool"):
        check(lambda m, x: getattr(m.fft, name)(x), np.abs(x).astype(dtype), loose=20)
    if name not in REAL:
        check(lambda m, x: getattr(m.fft, name)(x), x.astype(np.complex64), loose=20)


LISTS: list[dict[str, Any]] = [
    {}, {"s": (3, 4)}, {"s": (-1, 6)}, {"dim": (0, 1)}, {"dim": (1, 0), "s": (2, 5)},
    {"dim": (-1, -2), "s": (5, -1), "norm": "ortho"}, {"dim": (1,)}, {"norm": "forward"},
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("options", LISTS, ids=str)
@pytest.mark.parametrize("kind", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_several_dims(kind: str, options: dict[str, Any], rng: np.random.Generator) -> None:
    for shape in ((4, 3), (2, 3, 5)):
        x = operand(kind, shape, rng)
        check(lambda m, x: getattr(m.fft, f"{kind}2")(x, **options), x, loose=20)
        check(lambda m, x: getattr(m.fft, f"{kind}n")(x, **options), x, loose=20)


@pytest.mark.parity
@pytest.mark.parametrize("options", [{"s": (2,)}, {"s": (1, 2, 3)}, {"dim": 1}], ids=str)
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn"])
def test_shorter_lists(name: str, options: dict[str, Any], rng: np.random.Generator) -> None:
    x = operand(name, (2, 3, 5), rng)
    check(lambda m, x: getattr(m.fft, name)(x, **options), x, loose=20)


@pytest.mark.parity
def test_layouts_and_shifts(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 6)) + 1j * rng.normal(size=(4, 6))
    check(lambda m, x: m.fft.fft(x.mT[::2], dim=0), x, loose=20)
    check(lambda m, x: m.fft.irfft(x[:, 1:4].mT, 5, 0), x, loose=20)
    check(lambda m, x: m.fft.rfft(m.real(x)[1:, ::2]), x, loose=20)
    check(lambda m, x: m.fft.fftshift(m.fft.fftn(x)), x, loose=20)
    check(lambda m, x: m.fft.ifftshift(x, dim=(1,)), x)


@pytest.mark.parametrize("norm", ["backward", "forward", "ortho"])
def test_scipy_agrees(norm: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 8)).astype(np.float32)
    z = scipy.fft.rfft(x)
    pairs = [
        (gc.fft.fft(gc.tensor(z), norm=norm), scipy.fft.fft(z, norm=norm)),
        (gc.fft.rfft(gc.tensor(x), norm=norm), scipy.fft.rfft(x, norm=norm)),
        (gc.fft.irfft(gc.tensor(z), norm=norm), scipy.fft.irfft(z, norm=norm)),
        (gc.fft.hfft(gc.tensor(z), norm=norm), scipy.fft.hfft(z, norm=norm)),
        (gc.fft.ihfft(gc.tensor(x), norm=norm), scipy.fft.ihfft(x, norm=norm)),
    ]
    for got, want in pairs:
        assert_same(got.numpy(), want, ulps=8, absolute=1e-6, signed_zero=False)


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
@pytest.mark.parametrize("name", ["fft", "ifft", "hfft", "irfft", "rfft", "ihfft"])
def test_compiled(name: str, execution: Execution, rng: np.random.Generator) -> None:
    """Of every size, with gradients, and other operations before and after."""
    function: Callable[..., Any] = getattr(gc.fft, name)

    def loss(x: gc.Tensor) -> gc.Tensor:
        return (function(x * 2 + 1) * 0.5).abs().sum()

    with gc.Graph() as graph:
        x = gc.placeholder((2, "points"), gc.float32, name="x").requires_grad_()
        total = loss(x)
        total.backward()
    session = graph.compile(outputs={"loss": total, "grad": x.grad}, **execution.options())
    for size in (2, 5, 8):
        value = rng.normal(size=(2, size)).astype(np.float32)
        leaf = gc.tensor(value, requires_grad=True)
        now = loss(leaf)
        now.backward()
        found = session.run({"x": value})
        assert leaf.grad is not None
        slack = {} if execution.exact else {"ulps": 16, "absolute": 1e-5}
        assert_same(found["loss"], now.detach().numpy(), **slack)
        assert_same(found["grad"], leaf.grad.numpy(), **slack)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_second_derivatives(name: str, rng: np.random.Generator) -> None:
    x = gc.tensor(operand(name, (5,), rng), requires_grad=True)

    def function(x: gc.Tensor) -> gc.Tensor:
        transformed = getattr(gc.fft, name)(x * x, 6)
        return transformed.abs().pow(3).sum()

    (first,) = gc.grad(function(x), x, create_graph=True)
    direction = gc.tensor(operand(name, (5,), rng))
    along = lambda g: (g * direction.conj()).sum()  # noqa: E731 - one expression
    slope = along(first).real if first.dtype.is_complex else along(first)
    (second,) = gc.grad(slope, x)
    step = 1e-6
    ends = []
    for sign in (1, -1):
        moved = (x.detach() + direction * (sign * step)).requires_grad_()
        ends.append(gc.grad(function(moved), moved)[0])
    numeric = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(second.numpy(), numeric.numpy(), rtol=1e-6, atol=1e-6)


def test_refuses() -> None:
    real, whole = gc.ones(2, 3), gc.complex(gc.ones(2, 3), gc.ones(2, 3))
    for name in ("rfft", "ihfft", "rfft2", "ihfftn"):
        with pytest.raises(DTypeError, match="real numbers"):
            getattr(gc.fft, name)(whole)
    for dtype in (gc.float16, gc.bfloat16):
        with pytest.raises(DTypeError, match=r"fft: unsupported dtype(.|\n)*x.float\(\)"):
            gc.fft.fft(real.to(dtype))
    with pytest.raises(ArgumentError, match="unknown norm"):
        gc.fft.fft(real, norm="unitary")
    with pytest.raises(ArgumentError, match="data points"):
        gc.fft.fft(real, 0)
    with pytest.raises(ShapeError, match="data points"):
        gc.fft.fft(gc.ones(2, 0))
    with pytest.raises(ShapeError, match="data points"):
        gc.fft.irfft(gc.ones(2, 1))
    with pytest.raises(ArgumentError, match="out of range"):
        gc.fft.fft(real, dim=2)
    with pytest.raises(ArgumentError, match="no dims"):
        gc.fft.fft(gc.tensor(1.0))
    with pytest.raises(ArgumentError, match="twice"):
        gc.fft.fftn(real, dim=(0, -2))
    with pytest.raises(ArgumentError, match="one size per dim"):
        gc.fft.fftn(real, s=(2, 3), dim=(0,))
    with pytest.raises(ArgumentError, match="more sizes than dims"):
        gc.fft.fftn(real, s=(2, 3, 4))
    with pytest.raises(ArgumentError, match="one dim or more"):
        gc.fft.rfftn(gc.tensor(1.0))
    assert gc.fft.fftn(gc.tensor(2.0)).item() == 2 + 0j
