"""Jacobians, Hessians and products against PyTorch, in both modes, and their errors."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, AutogradError, DTypeError, ShapeError
from tests.both_modes import check_both
from tests.torch_oracle import check

RNG = np.random.default_rng(5)
X, Y = RNG.uniform(0.5, 1.5, (2, 3)), RNG.uniform(0.5, 1.5, 3)
V, W = RNG.uniform(-1, 1, (2, 3)), RNG.uniform(-1, 1, 3)


def one(m: Any, x: Any) -> Any:
    return (x * x.sum(-1, keepdim=True)).sin()


def scalar(m: Any, x: Any) -> Any:
    return (x * x.sum(-1, keepdim=True)).sin().sum()


def two(m: Any, x: Any, y: Any) -> Any:
    return x * y.exp(), y.sum() * y


def scalar_of_two(m: Any, x: Any, y: Any) -> Any:
    return (x.sin() * y).prod()


def flat(structure: Any) -> Any:
    """All tensors of nested tuples, in order."""
    if isinstance(structure, tuple):
        return tuple(x for part in structure for x in flat(part))
    return (structure,)


def of(m: Any) -> Any:
    return m.autograd.functional


def jacobian(m: Any, x: Any, y: Any, **options: Any) -> Any:
    return flat(
        (
            of(m).jacobian(lambda x: one(m, x), x, **options),
            of(m).jacobian(lambda x: one(m, x), (x,), **options),
            of(m).jacobian(lambda x, y: two(m, x, y), (x, y), **options),
            of(m).jacobian(lambda x: two(m, x, x[0]), x, **options),
            of(m).jacobian(lambda x: x[0, 0] * 2, x, **options),
        )
    )


def hessian(m: Any, x: Any, y: Any, **options: Any) -> Any:
    return flat(
        (
            of(m).hessian(lambda x: scalar(m, x), x, **options),
            of(m).hessian(lambda x, y: scalar_of_two(m, x, y), (x, y), **options),
            of(m).hessian(lambda x: x.sum(), x, **options),
        )
    )


def products(m: Any, x: Any, y: Any, v: Any, w: Any, **options: Any) -> Any:
    v, w = v.detach(), w.detach()
    functional = of(m)
    return flat(
        (
            functional.vjp(lambda x: one(m, x), x, v, **options),
            functional.vjp(lambda x, y: two(m, x, y), (x, y), (v, w), **options),
            functional.vjp(lambda x: x.sum(), x, **options),
            functional.jvp(lambda x: one(m, x), x, v, **options),
            functional.jvp(lambda x, y: two(m, x, y), (x, y), (v, w), **options),
            functional.jvp(lambda x: x * 2, x[0, :1], **options),
            functional.vhp(lambda x: scalar(m, x), x, v, **options),
            functional.vhp(lambda x, y: scalar_of_two(m, x, y), (x, y), (v, w), **options),
            functional.hvp(lambda x: scalar(m, x), x, v, **options),
            functional.hvp(lambda x, y: scalar_of_two(m, x, y), (x, y), (v, w), **options),
            functional.hvp(lambda x: x.sum() * 3, x, v, **options),
        )
    )


@pytest.mark.parity
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("function", [jacobian, hessian])
def test_jacobians_and_hessians_against_torch(function: Any, create_graph: bool) -> None:
    check(lambda m, x, y: function(m, x, y, create_graph=create_graph), X, Y, loose=1e3)


@pytest.mark.parity
@pytest.mark.parametrize("create_graph", [False, True])
def test_products_against_torch(create_graph: bool) -> None:
    check(
        lambda m, x, y, v, w: products(m, x, y, v, w, create_graph=create_graph),
        X, Y, V, W, loose=1e3,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_vectorized_gives_the_same() -> None:
    check(lambda m, x, y: jacobian(m, x, y, vectorize=True), X, Y, loose=1e3)
    check(lambda m, x, y: hessian(m, x, y, vectorize=True), X, Y, loose=1e3)
    check(
        lambda m, x: of(m).jacobian(
            lambda x: one(m, x), x, vectorize=True, strategy="forward-mode"
        ),
        X, loose=1e3, grads=False,  # PyTorch keeps these on the tape without create_graph
    )  # fmt: skip


def test_modes_agree() -> None:
    check_both(lambda x, y: jacobian(gc, x, y, create_graph=True), X, Y)
    check_both(lambda x, y: hessian(gc, x, y, create_graph=True), X, Y)
    check_both(lambda x, y, v, w: products(gc, x, y, v, w, create_graph=True), X, Y, V, W)


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_compiled(backend: str) -> None:
    def run(x: gc.Tensor, v: gc.Tensor) -> Any:
        return flat(
            (
                of(gc).jacobian(lambda x: one(gc, x), x),
                of(gc).hvp(lambda x: scalar(gc, x), x, v),
                of(gc).jvp(lambda x: one(gc, x), x, v),
            )
        )

    x, v = gc.tensor(X), gc.tensor(V)
    for now, later in zip(run(x, v), gc.compile(run, backend=backend)(x, v), strict=True):
        np.testing.assert_allclose(later.numpy(), now.numpy(), rtol=1e-12)


def test_forms_follow_inputs_and_outputs() -> None:
    x, y = gc.tensor(X), gc.tensor(Y)
    assert of(gc).jacobian(lambda x: one(gc, x), x).shape == (2, 3, 2, 3)
    (only,) = of(gc).jacobian(lambda x: one(gc, x), (x,))
    assert only.shape == (2, 3, 2, 3)
    (top, bottom) = of(gc).jacobian(lambda x, y: two(gc, x, y), (x, y))
    assert [each.shape for each in (*top, *bottom)] == [
        (2, 3, 2, 3), (2, 3, 3), (3, 2, 3), (3, 3),
    ]  # fmt: skip
    output, product = of(gc).vjp(lambda x: (x.sum(),), (x,), (gc.tensor(1.0, dtype=gc.float64),))
    assert isinstance(output, tuple)
    assert isinstance(product, tuple)
    ((block,),) = of(gc).hessian(lambda x: x.prod(), (x,))
    assert block.shape == (2, 3, 2, 3)
    assert not block.requires_grad
    assert of(gc).jacobian(lambda x: x[:0], x).shape == (0, 3, 2, 3)


def test_inputs_stay_as_they_are() -> None:
    x = gc.tensor(X, requires_grad=True)
    result = of(gc).jacobian(lambda x: x * 2, x)
    assert not result.requires_grad
    assert x.grad is None
    assert x.is_leaf
    with gc.no_grad():
        assert of(gc).jacobian(lambda x: x * 2, gc.tensor(1.0)).item() == 2.0


def constant(x: gc.Tensor) -> gc.Tensor:
    return gc.ones(())


@pytest.mark.parametrize("name", ["jacobian", "hessian", "vjp", "jvp", "hvp", "vhp"])
def test_strict_refuses_independent_outputs(name: str) -> None:
    x = gc.tensor(1.0)
    getattr(of(gc), name)(constant, x)
    with pytest.raises(AutogradError, match="strict"):
        getattr(of(gc), name)(constant, x, strict=True)
    with pytest.raises(AutogradError, match="input 1"):
        getattr(of(gc), name)(
            lambda x, y: x * x, (x, x), strict=True,
            **({"v": (x, x)} if name in ("hvp", "vhp", "jvp") else {}),
        )  # fmt: skip


def test_strict_refuses_constant_derivatives() -> None:
    x = gc.tensor(1.0)
    for name in ("hessian", "hvp", "vhp"):
        with pytest.raises(AutogradError, match="strict"):
            getattr(of(gc), name)(lambda x: x * 2, x, strict=True)
    with pytest.raises(AutogradError, match="derivative"):
        of(gc).jacobian(lambda x: x * 2, x, strict=True, create_graph=True)
    assert of(gc).jacobian(lambda x: x * 2, x, strict=True).item() == 2.0


def test_wrong_arguments_raise() -> None:
    functional, x = of(gc), gc.tensor(X)
    with pytest.raises(DTypeError, match="inputs"):
        functional.jacobian(lambda x: x, 3.0)
    with pytest.raises(DTypeError, match="function returns"):
        functional.vjp(lambda x: [1, 2], x)
    with pytest.raises(AutogradError, match="left out"):
        functional.vjp(lambda x: x, x)
    with pytest.raises(AutogradError, match="left out"):
        functional.jvp(lambda x: x.sum(), x)
    with pytest.raises(ShapeError, match="shapes"):
        functional.vjp(lambda x: x, x, gc.ones(2, dtype=gc.float64))
    with pytest.raises(ShapeError, match="one element"):
        functional.hessian(lambda x: x, x)
    with pytest.raises(ShapeError, match="one element"):
        functional.hvp(lambda x: (x.sum(), x.sum()), x, x)
    with pytest.raises(ArgumentError, match="strategy"):
        functional.jacobian(lambda x: x, x, strategy="sideways")
    with pytest.raises(ArgumentError, match="vectorize"):
        functional.jacobian(lambda x: x, x, strategy="forward-mode")
    with pytest.raises(ArgumentError, match="vectorize"):
        functional.hessian(lambda x: x.sum(), x, strict=True, vectorize=True)
    with pytest.raises(AutogradError, match="floating"):
        functional.jacobian(lambda x: x, gc.tensor([1, 2]))


def test_outputs_of_unknown_size_are_refused() -> None:
    with gc.Graph():
        x = gc.placeholder((None,), gc.float32, name="x")
        with pytest.raises(ShapeError, match="known sizes"):
            of(gc).jacobian(lambda x: x * 2, x)
        assert of(gc).jacobian(lambda x: x.sum(), x).shape == x.shape
