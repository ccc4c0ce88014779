"""Gradient modes as decorators, and inference mode with its rules."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError
from tests.torch_oracle import torch


def leaf(value: Any) -> gc.Tensor:
    return gc.tensor(value, requires_grad=True)


@pytest.mark.parametrize("mode", [gc.no_grad, gc.inference_mode, gc.enable_grad])
def test_decorators_with_and_without_parentheses(mode: Any) -> None:
    def function(x: gc.Tensor, factor: float = 1.0) -> bool:
        """Say whether the product has a gradient."""
        return (x * factor).requires_grad

    with gc.set_grad_enabled(mode is not gc.enable_grad):
        expected = mode is gc.enable_grad
        for decorated in (mode(function), mode()(function)):
            assert decorated(leaf(1.0), factor=2.0) is expected
            assert decorated.__name__ == "function"
            assert decorated.__doc__ == function.__doc__
        assert gc.is_grad_enabled() is not expected


def generator() -> Iterator[Any]:
    sent = yield gc.is_grad_enabled()
    try:
        yield (sent, gc.is_grad_enabled())
    except KeyError:
        yield ("caught", gc.is_grad_enabled())
    return gc.is_grad_enabled()


@pytest.mark.parametrize(
    "mode", [gc.no_grad, lambda: gc.set_grad_enabled(False), gc.inference_mode]
)
def test_generators_run_inside_the_mode_and_their_users_outside(mode: Any) -> None:
    running = mode()(generator)()
    assert next(running) is False
    assert gc.is_grad_enabled()
    assert running.send("hello") == ("hello", False)
    assert gc.is_grad_enabled()
    assert running.throw(KeyError()) == ("caught", False)
    with pytest.raises(StopIteration) as end:
        next(running)
    assert end.value.value is False
    assert gc.is_grad_enabled()


def test_closed_generators_clean_up_inside_the_mode() -> None:
    seen: list[bool] = []

    @gc.no_grad()
    def cleaning() -> Iterator[int]:
        try:
            yield 1
        finally:
            seen.append(gc.is_grad_enabled())

    running = cleaning()
    next(running)
    running.close()
    assert seen == [False]
    with pytest.raises(ZeroDivisionError):
        next(gc.no_grad(lambda: (_ for _ in [1 / 0]))())


def inference_facts(m: Any) -> list[Any]:
    """What a program sees of inference mode."""
    x = m.tensor([1.0, 2.0], requires_grad=True)
    plain = m.ones(2)
    facts: list[Any] = [m.is_inference_mode_enabled(), plain.is_inference()]
    with m.inference_mode():
        inside = m.ones(2)
        product = x * 2
        view = x[:1]
        facts += [inside.is_inference(), product.is_inference(), view.is_inference()]
        facts += [product.requires_grad, m.is_grad_enabled(), m.is_inference_mode_enabled()]
        inside.add_(1)
        plain.add_(1)
        with m.inference_mode(False):
            facts += [(x * 2).requires_grad, m.ones(1).is_inference(), m.is_grad_enabled()]
        with m.enable_grad():
            facts.append(m.ones(1).is_inference())
    facts += [plain.is_inference(), inside[:1].is_inference(), m.is_inference(inside.clone())]
    facts += [(inside + 1).is_inference(), inside.detach().is_inference()]
    for use in (
        lambda: inside.add_(1),
        lambda: inside[:1].zero_(),
        lambda: inside.requires_grad_(),
        lambda: x * inside,
        lambda: (x + inside).sum().backward(),
        lambda: (x * inside.clone()).sum().backward(),
    ):
        try:
            use()
            facts.append("fine")
        except RuntimeError:
            facts.append("error")
    return facts


@pytest.mark.parity
def test_inference_mode_is_as_pytorch_has_it() -> None:
    assert inference_facts(gc) == inference_facts(torch())


def test_inference_mode_by_hand() -> None:
    assert inference_facts(gc) == [
        False, False, True, True, False, False, False, True, True, False, True, True,
        False, True, False, False, True,
        "error", "error", "error", "error", "fine", "fine",
    ]  # fmt: skip


def test_inference_tensors_cannot_be_saved_by_custom_functions() -> None:
    with gc.inference_mode():
        inside = gc.ones(2)

    class Times(gc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
            ctx.save_for_backward(y)
            return x * y

    with pytest.raises(AutogradError, match="inference mode"):
        Times.apply(leaf([1.0, 2.0]), inside)


def test_compiled_functions_give_inference_tensors_inside() -> None:
    function = gc.compile(lambda x: x * 2)
    x = gc.tensor(np.ones(3, np.float32))
    for _ in range(3):
        assert not function(x).is_inference()
        with gc.inference_mode():
            assert function(x).is_inference()
            assert function(x).tolist() == [2.0, 2.0, 2.0]


def test_inference_mode_ends_with_an_error() -> None:
    with pytest.raises(ZeroDivisionError), gc.inference_mode():
        raise ZeroDivisionError
    assert gc.is_grad_enabled()
    assert not gc.is_inference_mode_enabled()
