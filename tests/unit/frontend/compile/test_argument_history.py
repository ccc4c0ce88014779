"""Gradients inside a compiled function that reach an argument of which more hangs than the program.

What they would do outside of it must not be left out without a word.
"""

from collections.abc import Callable

import pytest

import graphc as gc
from graphc.autograd.graph import register_multi_grad_hook
from graphc.errors import AutogradError

Step = Callable[[gc.Tensor], gc.Tensor]


def adding(x: gc.Tensor) -> gc.Tensor:
    loss = (x * x).sum()
    loss.backward()
    return loss


def reading(x: gc.Tensor) -> gc.Tensor:
    return gc.grad((x * x).sum(), [x])[0]


def leaf() -> gc.Tensor:
    return gc.tensor([1.0, 2.0], requires_grad=True)


@pytest.mark.parametrize("step", [adding, reading])
@pytest.mark.parametrize("called_before", [0, 1, 3])
def test_hooks_of_an_argument_are_not_left_out(step: Step, called_before: int) -> None:
    run = gc.compile(step)
    x = leaf()
    for _ in range(called_before):
        run(x)
    before = None if x.grad is None else x.grad.tolist()
    for register in (
        lambda: x.register_hook(lambda grad: grad * 3),
        lambda: x.register_post_accumulate_grad_hook(lambda tensor: None),
        lambda: register_multi_grad_hook([x], lambda grads: None),
    ):
        with register(), pytest.raises(AutogradError, match="argument with hooks"):
            run(x)
    assert (None if x.grad is None else x.grad.tolist()) == before
    run(x)
    run(leaf())


@pytest.mark.parametrize("called_before", [0, 1, 3])
def test_backward_does_not_end_at_an_argument_that_was_computed(called_before: int) -> None:
    run = gc.compile(adding)
    for _ in range(called_before):
        run(leaf())
    x = leaf()
    y = x * 2
    with pytest.raises(AutogradError, match=r"'x'.* computed from other tensors"):
        run(y)
    assert y.grad is None
    assert x.grad is None


def test_what_needs_neither_is_compiled() -> None:
    x = leaf()
    y = x * 2
    calls = []
    handle = y.register_hook(lambda grad: calls.append(grad.tolist()))
    gc.compile(lambda y: (y * y).sum())(y).backward()  # outside, hooks and history count
    assert calls == [[4.0, 8.0]]
    assert x.grad is not None
    assert x.grad.tolist() == [8.0, 16.0]
    handle.remove()
    assert gc.compile(reading)(x * 2).tolist() == [4.0, 8.0]  # it wants no more than this

    def step(x: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
        loss = (x * w).sum()
        loss.backward(inputs=[w])
        return loss

    weight = leaf()
    gc.compile(step)(x * 2, weight)
    assert weight.grad is not None
    assert weight.grad.tolist() == [2.0, 4.0]


def test_hooks_that_are_registered_inside_are_called() -> None:
    def step(x: gc.Tensor) -> gc.Tensor:
        x.register_hook(lambda grad: grad * 3)
        return adding(x)

    x = leaf()
    gc.compile(step)(x)
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 12.0]
