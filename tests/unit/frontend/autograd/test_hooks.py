"""Hooks of tensors and steps, several outputs, chosen inputs, batches of gradients: as PyTorch."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, AutogradError, DTypeError, ShapeError
from tests.torch_oracle import check, torch


def leaf(value: Any) -> gc.Tensor:
    return gc.tensor(value, dtype=gc.float64, requires_grad=True)


X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


def tensor_hooks(m: Any, x: Any) -> Any:
    y = x * 3
    y.register_hook(lambda g: g * 2)
    z = y.exp()
    z.register_hook(lambda g: g + 1)
    return z * y


def step_hooks(m: Any, x: Any) -> Any:
    y = x * x.exp()
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2, inputs[1] + outputs[0]))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 5,))
    y.register_hook(lambda g: g.sin())
    return y * 2


def step_hook_of_one(m: Any, x: Any) -> Any:
    y = x.exp()
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2,))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * outputs[0],))
    return y


def removed_hooks(m: Any, x: Any) -> Any:
    y = x.exp()
    handles = [
        y.register_hook(lambda g: g * 2),
        y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2,)),
        y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 2,)),
    ]
    for handle in handles:
        handle.remove()
    return y


@pytest.mark.parity
@pytest.mark.parametrize("function", [tensor_hooks, step_hooks, step_hook_of_one, removed_hooks])
def test_hooks_against_torch(function: Any) -> None:
    check(function, X, loose=10)


@pytest.mark.parametrize("recorded", [False, True])
def test_hooks_come_in_order_and_see_what_flows(recorded: bool) -> None:
    seen: list[str] = []

    def run(x: gc.Tensor) -> gc.Tensor:
        y = x * 2
        y.grad_fn.register_hook(lambda inputs, outputs: seen.append("after"))
        y.grad_fn.register_prehook(lambda outputs: seen.append("before"))
        y.register_hook(lambda g: seen.append("arriving"))
        (y * 3).sum().backward()
        return x.grad

    x = leaf([1.0, 2.0])
    assert (gc.compile(run) if recorded else run)(x).tolist() == [6.0, 6.0]
    assert seen == ["arriving", "before", "after"]


def test_hooks_of_steps_that_do_not_run_are_not_called() -> None:
    x, w = leaf([1.0]), leaf([2.0])
    y = x * w
    calls: list[Any] = []
    y.grad_fn.register_hook(lambda inputs, outputs: calls.append(inputs))
    gc.grad(y, y, retain_graph=True)
    assert calls == []
    gc.grad(y, w)
    ((first, second),) = calls
    assert first is None
    assert second.tolist() == [1.0]


def test_wrong_results_of_hooks_raise() -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0],))
    with pytest.raises(AutogradError, match="as many gradients"):
        y.sum().backward()
    y = x * x
    y.grad_fn.register_prehook(lambda outputs: (gc.ones(3),))
    with pytest.raises(AutogradError, match="changed the type"):
        y.sum().backward()
    y = x * x
    y.grad_fn.register_prehook(lambda outputs: outputs[0])
    with pytest.raises(AutogradError, match="tuple"):
        y.sum().backward()
    with pytest.raises(AutogradError, match="callable"):
        x.register_hook(3)


def test_grad_fn_names_and_edges() -> None:
    x = leaf([1.0])
    y = (x * 2).exp()
    assert y.grad_fn.name() == "ExpBackward0"
    ((step, number),) = y.grad_fn.next_functions
    assert (step.name(), number) == ("MulBackward0", 0)
    (end, _), (nothing, _) = step.next_functions
    assert nothing is None
    assert end.name() == "AccumulateGrad"
    assert end.variable is x
    assert end.next_functions == ()
    assert end == (x * 3).grad_fn.next_functions[0][0]
    assert repr(end) == "<AccumulateGrad>"
    order: list[str] = []
    end.register_prehook(lambda grads: (order.append("before"), (grads[0] * 2,))[1])
    end.register_hook(lambda inputs, outputs: order.append("after"))
    y.backward()
    assert order == ["before", "after"]
    assert x.grad.item() == 4 * np.exp(2)


def test_optimizer_inside_backward() -> None:
    def update(parameter: gc.Tensor) -> None:
        with gc.no_grad():
            parameter -= 0.1 * parameter.grad
        parameter.grad = None

    def step(x: gc.Tensor, weight: gc.Tensor) -> gc.Tensor:
        loss = ((x * weight) ** 2).sum()
        loss.backward()
        return loss

    x = gc.tensor([1.0, 2.0])
    weights = [gc.nn.Parameter(gc.ones(2)) for _ in range(2)]
    compiled = gc.compile(step)
    for weight in weights:
        weight.register_post_accumulate_grad_hook(update)
    for _ in range(3):
        assert step(x, weights[0]).item() == compiled(x, weights[1]).item()
    assert weights[0].tolist() == weights[1].tolist() != [1.0, 1.0]
    assert weights[0].grad is weights[1].grad is None
    with pytest.raises(AutogradError, match="leaves"):
        (weights[0] * 2).register_post_accumulate_grad_hook(update)


def test_hooks_after_accumulation_with_chosen_inputs() -> None:
    x, w = leaf([1.0]), leaf([2.0])
    seen: list[float] = []
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.item()))
    w.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.item()))
    (x * w).backward(inputs=x)
    (x * w).backward(inputs=[x, x])
    gc.grad(x * w, x)
    assert seen == [2.0, 4.0]
    assert w.grad is None


def test_one_walk_for_several_outputs() -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    calls: list[Any] = []
    y.register_hook(lambda g: calls.append(g.tolist()))
    gc.autograd.backward([y.sum(), (y * 3).sum()])
    assert calls == [[4.0, 4.0]]
    assert x.grad.tolist() == [8.0, 16.0]
    with pytest.raises(AutogradError, match="one gradient per output"):
        gc.autograd.backward([y.sum(), y.sum()], [None])
    with pytest.raises(AutogradError, match="must not be empty"):
        (x * x).sum().backward(inputs=[])
    with pytest.raises(AutogradError, match="does not require"):
        (x * x).sum().backward(inputs=[gc.ones(2)])
    with pytest.raises(DTypeError):
        gc.autograd.backward([3.0])


def batched(m: Any, x: Any) -> Any:
    starts = m.stack([m.ones_like(x), x.cos(), x * 0 + 2]).detach()
    grad = m.autograd.grad
    y, unused = x.sin() * x, x * 2
    (found, nothing) = grad(
        y, [x, unused], starts, is_grads_batched=True, create_graph=True, allow_unused=True
    )
    assert nothing is None
    (zeros,) = grad(
        y, unused, starts, is_grads_batched=True, retain_graph=True, materialize_grads=True
    )
    return found, zeros


@pytest.mark.parity
def test_batches_of_gradients_against_torch() -> None:
    check(batched, X, loose=10)


def test_wrong_batches_raise() -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    for starts in (None, gc.ones(()), gc.ones(0, 2, dtype=gc.float64)):
        with pytest.raises(ShapeError, match="first dim"):
            gc.grad(y, x, starts, is_grads_batched=True, retain_graph=True)
    with pytest.raises(ShapeError, match="shape"):
        gc.grad(y, x, gc.ones(3, 5, dtype=gc.float64), is_grads_batched=True, retain_graph=True)


def test_materialized_zeros_do_not_depend_on_values() -> None:
    x, y = leaf([np.inf, np.nan]), leaf(1.0)
    (zeros,) = gc.grad(y * 2, x, materialize_grads=True)
    assert zeros.tolist() == [0.0, 0.0]
    for options in ({"only_inputs": False}, {"materialize_grads": True, "allow_unused": False}):
        with pytest.raises(ArgumentError):
            gc.grad(y * 2, x, **options)


@pytest.mark.parity
def test_same_argument_order_as_torch() -> None:
    import inspect

    ours = list(inspect.signature(gc.autograd.grad).parameters)
    assert ours == list(inspect.signature(torch().autograd.grad).parameters)
    ours = list(inspect.signature(gc.Tensor.backward).parameters)
    assert ours == list(inspect.signature(torch().Tensor.backward).parameters)


@pytest.mark.parametrize("recorded", [False, True])
def test_only_freed_values_stop_a_second_backward(recorded: bool) -> None:
    def run(x: gc.Tensor) -> gc.Tensor:
        total = (x + 1).sum()
        total.backward()
        total.backward()
        product = (x * x).sum()
        product.backward(retain_graph=True)
        product.backward()
        with pytest.raises(AutogradError, match="second time"):
            product.backward()
        return x.grad * 1

    x = leaf([1.0, 2.0])
    assert (gc.compile(run) if recorded else run)(x).tolist() == [6.0, 10.0]
