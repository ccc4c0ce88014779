"""backward() through the results of compiled functions, outside of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.errors import AutogradError

BACKENDS = ("numpy", "llvm")


def _network(kind: str) -> nn.Module:
    gc.manual_seed(3)
    return {
        "mlp": lambda: nn.Sequential(
            nn.Linear(6, 9), nn.BatchNorm1d(9), nn.GELU(), nn.Dropout(0.4), nn.Linear(9, 6)
        ),
        "norms": lambda: nn.Sequential(
            nn.LayerNorm(6), nn.Linear(6, 8), nn.SiLU(), nn.RMSNorm(8), nn.Linear(8, 6),
            nn.Softmax(-1),
        ),
        "convolution": lambda: nn.Sequential(
            nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2),
            nn.Flatten(), nn.Linear(12, 6),
        ),
        "attention": lambda: nn.Sequential(
            nn.Unflatten(1, (3, 2)), nn.TransformerEncoderLayer(2, 1, 4, batch_first=True),
            nn.Flatten(),
        ),
    }[kind]()  # fmt: skip


def _trained(
    kind: str, wrap: Callable[[nn.Module], Callable[..., Any]]
) -> tuple[list[float], dict[str, Any]]:
    """Losses, weights and buffers of some steps of an ordinary training loop."""
    model = _network(kind)
    run = wrap(model)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    gc.manual_seed(7)
    rng = np.random.default_rng(5)
    losses = []
    for _ in range(4):
        x = gc.tensor(rng.normal(size=(8, 6)).astype("f"))
        y = gc.tensor(rng.integers(0, 6, 8))
        optimizer.zero_grad()
        loss = F.cross_entropy(run(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {name: x.numpy().copy() for name, x in model.state_dict().items()}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["mlp", "norms", "convolution", "attention"])
def test_training_loops_around_compiled_models(kind: str, backend: str) -> None:
    want, want_state = _trained(kind, lambda model: model)
    got, got_state = _trained(kind, lambda model: gc.compile(model, backend=backend))
    np.testing.assert_allclose(got, want, rtol=2e-5)
    for name, value in want_state.items():
        np.testing.assert_allclose(got_state[name], value, rtol=2e-3, atol=2e-5, err_msg=name)


def _leaf(*values: float) -> gc.Tensor:
    return gc.tensor(list(values), requires_grad=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_arguments_flow_on_to_what_made_them(backend: str) -> None:
    scale = _leaf(2.0, 3.0)
    fast = gc.compile(lambda x: (x.exp() * scale).sum(), backend=backend)
    for _ in range(3):  # the third call takes the short way
        scale.grad = None
        leaf = _leaf(0.5, -1.0)
        fast(leaf * 2).backward()
        np.testing.assert_allclose(leaf.grad, 2 * np.exp([1.0, -2.0]) * [2, 3], rtol=1e-6)
        np.testing.assert_allclose(scale.grad, np.exp([1.0, -2.0]), rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_results_of_which_some_are_used(backend: str) -> None:
    fast = gc.compile(lambda x: {"a": x * x, "n": x > 0, "b": (x.sin(), x.sum())}, backend=backend)
    x = _leaf(1.0, 2.0, -3.0)
    out = fast(x)
    assert not out["n"].requires_grad
    out["b"][0].sum().backward(retain_graph=True)
    np.testing.assert_allclose(x.grad, np.cos([1.0, 2.0, -3.0]), rtol=1e-6)
    (out["a"].sum() + out["b"][1]).backward()
    np.testing.assert_allclose(x.grad, np.add(np.cos([1, 2, -3.0]), [3, 5, -5]), rtol=1e-6)


@pytest.mark.parametrize("create_graph", [False, True])
def test_results_that_are_not_used_leave_no_gradients(create_graph: bool) -> None:
    """An optimizer must not move weights of which the loss knows nothing."""
    first, second, both = _leaf(2.0), _leaf(3.0), _leaf(1.0)
    fast = gc.compile(lambda x: (first * both * x, second * both * x, x.detach()))
    used = fast(gc.tensor([5.0]))[1]
    used.sum().backward(create_graph=create_graph)
    assert first.grad is None
    np.testing.assert_array_equal(second.grad.detach(), [5.0])
    np.testing.assert_array_equal(both.grad.detach(), [15.0])


def test_gradients_add_up_over_calls() -> None:
    weight = _leaf(2.0)
    fast = gc.compile(lambda x: x * weight)
    (fast(gc.tensor([3.0])) + fast(gc.tensor([4.0]))).sum().backward()
    np.testing.assert_array_equal(weight.grad, [7.0])


def test_what_no_gradient_reaches_has_none() -> None:
    used, unused = _leaf(2.0), _leaf(5.0)
    fast = gc.compile(lambda x, y: x * used + unused.detach() + y.detach())
    x, y = _leaf(3.0), _leaf(4.0)
    fast(x, y).backward()
    assert unused.grad is None
    assert y.grad is None
    np.testing.assert_array_equal(used.grad, [3.0])


def test_random_numbers_are_those_of_the_forward_run() -> None:
    fast = gc.compile(lambda x: F.dropout(x, 0.5))
    x = gc.ones(1000, requires_grad=True)
    for _ in range(3):
        x.grad = None
        out = fast(x)
        out.sum().backward()
        np.testing.assert_array_equal(x.grad, out.detach())
        assert 300 < int((out != 0).sum()) < 700


def test_hooks_of_leaves_run_once() -> None:
    weight = _leaf(2.0)
    seen = []
    weight.register_hook(lambda grad: seen.append(grad.item()) or grad * 10)
    gc.compile(lambda x: x * weight)(gc.tensor([3.0])).backward()
    assert seen == [3.0]
    np.testing.assert_array_equal(weight.grad, [30.0])


def test_a_second_walk_needs_retain_graph() -> None:
    weight = _leaf(2.0)
    loss = gc.compile(lambda: weight * weight)()
    loss.backward()
    with pytest.raises(AutogradError, match="already freed"):
        loss.backward()


@pytest.mark.parametrize("which", ["weight", "argument"])
def test_what_backward_reads_must_not_be_overwritten(which: str) -> None:
    weight, x = _leaf(2.0), gc.tensor([3.0]) * 1
    x.requires_grad_()
    loss = gc.compile(lambda x: x * weight)(x)
    with gc.no_grad():
        (weight if which == "weight" else x).mul_(2)
    with pytest.raises(AutogradError, match="overwritten"):
        loss.backward()


def test_an_array_may_be_written_after_the_call() -> None:
    weight = _leaf(2.0)
    data = np.array([3.0], "f")
    loss = gc.compile(lambda x: x * weight)(data)
    data[:] = 100
    loss.backward()
    np.testing.assert_array_equal(weight.grad, [3.0])


def test_a_buffer_that_the_run_writes_is_kept_as_it_was() -> None:
    class Average(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(gc.tensor([2.0]))
            self.register_buffer("mean", gc.tensor([5.0]))

        def forward(self, x: gc.Tensor) -> gc.Tensor:
            result = self.weight * self.mean.clone() * x
            self.mean.mul_(0.5)
            return result

    model = Average()
    gc.compile(model)(gc.tensor([1.0])).backward()
    np.testing.assert_array_equal(model.weight.grad, [5.0])
    np.testing.assert_array_equal(model.mean, [2.5])


def test_derivatives_of_any_order() -> None:
    scale = _leaf(3.0)
    fast = gc.compile(lambda x, *, more: {"y": (scale * x**4).sum() + more.sum()})
    for _ in range(3):
        x = _leaf(2.0)
        (first,) = gc.grad(fast(x, more=gc.ones(1))["y"], x, create_graph=True)
        (second,) = gc.grad(first, x, create_graph=True)
        third = gc.grad(second, (x, scale))
        np.testing.assert_allclose(first.detach(), [96.0])
        np.testing.assert_allclose(second.detach(), [144.0])
        np.testing.assert_allclose(third, [[144.0], [48.0]])


def test_second_derivatives_need_a_pure_function() -> None:
    x = _leaf(2.0)
    result = gc.compile(lambda x: F.dropout(x**3, 0.5))(x)
    with pytest.raises(AutogradError, match="no second derivatives outside"):
        gc.grad(result, x, create_graph=True)


def test_a_function_that_goes_backward_itself_leaves_no_tape() -> None:
    weight = _leaf(2.0)

    def step() -> gc.Tensor:
        loss = weight * weight
        loss.backward()
        return loss

    with pytest.raises(AutogradError, match="used up its tape"):
        gc.compile(step)().backward()


def test_nothing_is_kept_without_gradients() -> None:
    weight = _leaf(2.0)
    fast = gc.compile(lambda x: (x * weight).exp())
    with gc.no_grad():
        assert not fast(gc.tensor([1.0])).requires_grad
        assert fast.entry(gc.tensor([1.0])).backward is None


def test_gradients_that_a_function_switches_on_itself() -> None:
    weight = _leaf(2.0)

    def function(x: gc.Tensor) -> tuple[gc.Tensor, ...]:
        with gc.enable_grad():
            tracked = x * weight
        return tracked, x * weight, weight

    fast = gc.compile(function)
    x = gc.tensor([5.0])
    for _ in range(3):
        with gc.no_grad():
            results = fast(x)
        assert [each.requires_grad for each in results] == [True, False, True]
        weight.grad = None
        (results[0] + results[2]).sum().backward()
        np.testing.assert_array_equal(weight.grad, [6.0])
    with gc.inference_mode():
        assert not any(each.requires_grad for each in fast(x)[:2])


def test_few_values_are_kept() -> None:
    """The chain behind gelu is computed again from its operand."""
    model = nn.Sequential(nn.Linear(4, 64), nn.GELU(), nn.Linear(64, 4))
    fast = gc.compile(model)
    entry = fast.compiled_function().entry(gc.randn(8, 4))
    assert [x.shape for x in entry.backward.kept] == [(8, 64)]


def test_unused_steps_are_freed() -> None:
    import gc as collector
    import weakref

    weight = _leaf(2.0)
    loss = gc.compile(lambda: weight * weight)()
    step = weakref.ref(loss.grad_fn)
    collector.disable()
    try:
        del loss
        assert step() is None
    finally:
        collector.enable()
