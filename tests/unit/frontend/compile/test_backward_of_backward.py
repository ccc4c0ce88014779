"""Gradients of gradients, and transforms, through calls of compiled functions and modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import AutogradError
from graphc.func import functional_call, grad, hessian, jacfwd, jacrev, vmap


def assert_close(got: gc.Tensor, want: gc.Tensor) -> None:
    np.testing.assert_allclose(got.detach(), want.detach(), rtol=1e-4, atol=1e-6)


class Gate(nn.Module):
    """Reads its parameters twice, and takes one or two arguments."""

    def __init__(self) -> None:
        super().__init__()
        gc.manual_seed(1)
        self.fc = nn.Linear(3, 3)

    def forward(self, x: gc.Tensor, y: gc.Tensor | None = None) -> gc.Tensor:
        return gc.tanh(self.fc(x)) * (self.fc(x) if y is None else y)


X = gc.tensor([0.3, -1.0, 0.7])

TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "jacrev": lambda f: jacrev(f)(X),
    "jacfwd": lambda f: jacfwd(f)(X),
    "hessian": lambda f: hessian(lambda x: f(x).sum())(X),
    "hessian, one argument twice": lambda f: hessian(lambda x: f(x, x).sum())(X),
    "hessian, one argument made of another": lambda f: hessian(lambda x: f(x * 2, x).sum())(X),
    "hessian, a call of a call": lambda f: hessian(lambda x: f(f(x)).sum())(X),
    "jacrev by name": lambda f: jacrev(lambda x: f(x.sin(), y=x))(X),
    "jacrev of vmap": lambda f: jacrev(vmap(f))(gc.stack([X, -X])),
    "vmap of jacrev": lambda f: vmap(jacrev(f))(gc.stack([X, -X])),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_of_compiled_modules(name: str) -> None:
    model = Gate()
    assert_close(TRANSFORMS[name](gc.compile(model)), TRANSFORMS[name](model))


OTHER_WEIGHTS: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda f, p: grad(lambda q: f(q).sum())(p),
    "jacrev": lambda f, p: jacrev(f)(p),
    "jacfwd": lambda f, p: jacfwd(f)(p),
    "hessian": lambda f, p: hessian(lambda q: f(q).sum())(p),
}


@pytest.mark.parametrize("name", OTHER_WEIGHTS)
def test_functional_call_of_compiled_modules(name: str) -> None:
    model = Gate()
    others = {path: 2 * x.detach() for path, x in model.named_parameters()}

    def found(called: Any) -> Any:
        run = OTHER_WEIGHTS[name]
        return run(lambda q: functional_call(called, q, (X,)), others)

    got, want = found(gc.compile(model)), found(model)
    for path in others:
        if name == "hessian":
            assert_close(got[path]["fc.weight"], want[path]["fc.weight"])
        else:
            assert_close(got[path], want[path])


def test_a_parameter_on_both_sides_of_a_call() -> None:
    """The second call's argument depends on the parameters that it reads, too."""

    def penalty(called: Callable[..., gc.Tensor], model: nn.Module) -> list[gc.Tensor]:
        x = gc.tensor([[0.2, 0.4, -0.9]], requires_grad=True)
        model.zero_grad()
        found = gc.grad(called(called(x)).sum(), [x, *model.parameters()], create_graph=True)
        sum((each**2).sum() for each in found).backward()
        return [*found, x.grad, *(p.grad for p in model.parameters())]

    model = Gate()
    for got, want in zip(penalty(gc.compile(model), model), penalty(model, model), strict=True):
        assert_close(got, want)


def test_hooks_of_leaves_run_once_for_gradients_with_gradients() -> None:
    weight = gc.tensor([2.0], requires_grad=True)
    weight.register_hook(lambda grad: grad * 3)
    result = gc.compile(lambda: weight**3)()
    (first,) = gc.grad(result.sum(), weight, create_graph=True)
    np.testing.assert_allclose(first.detach(), [36.0])


def test_parameters_that_were_replaced_before_the_second_derivative() -> None:
    model = Gate()
    result = gc.compile(model)(X).sum()
    weight = model.fc.weight
    model.fc.weight = nn.Parameter(gc.ones(3, 3))
    with pytest.raises(AutogradError, match="not in it any more"):
        gc.grad(result, weight, create_graph=True)
