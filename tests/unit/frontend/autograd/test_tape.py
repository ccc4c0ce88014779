"""Gradients in dynamic mode: the tape, hooks, modes, in-place writes, higher orders, memory."""

import gc as garbage
import weakref
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError
from tests.torch_oracle import check, from_torch, to_torch, torch


def leaf(value: Any, dtype: Any = gc.float64) -> gc.Tensor:
    return gc.tensor(value, dtype=dtype, requires_grad=True)


def test_accumulates_until_cleared() -> None:
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    memory = x.grad
    (x * 3).sum().backward()
    assert x.grad is memory
    assert x.grad.tolist() == [5.0, 7.0]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_grads_share_no_memory() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (a + b).sum().backward()
    a.grad.add_(10)
    assert b.grad.tolist() == [1.0, 1.0]
    start = gc.ones(2, dtype=gc.float64)
    c = leaf([0.0, 0.0])
    (c + 0).backward(start)
    c.grad.add_(1)
    assert start.tolist() == [1.0, 1.0]


def test_second_backward_needs_retain_graph() -> None:
    x = leaf(2.0)
    y = x.exp() * x
    y.backward(retain_graph=True)
    first = x.grad.item()
    y.backward()
    assert x.grad.item() == 2 * first
    with pytest.raises(AutogradError, match="second time") as caught:
        y.backward()
    assert "retain_graph" in str(caught.value)


def test_needs_a_start_for_several_elements() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(AutogradError, match="one element") as caught:
        (x * 2).backward()
    assert "test_tape.py" in str(caught.value)
    (x * 2).backward(gc.tensor([1.0, 10.0], dtype=gc.float64))
    assert x.grad.tolist() == [2.0, 20.0]
    with pytest.raises(gc.GraphcError, match="shape"):
        (x * 2).backward(gc.ones(3, dtype=gc.float64))


def test_start_of_another_dtype_is_cast() -> None:
    x = leaf([1.0, 2.0])
    (x * 2).backward(gc.tensor([1, 2]))
    assert x.grad.dtype is gc.float64
    assert x.grad.tolist() == [2.0, 4.0]
    with pytest.raises(gc.GraphcError, match="must be real"):
        (x * 2).backward(gc.tensor([1j, 2j]))


def test_untracked_results_have_no_backward() -> None:
    with pytest.raises(AutogradError, match="does not require"):
        gc.ones(()).backward()
    with pytest.raises(AutogradError):
        leaf(1.0).detach().exp().backward()


def test_integers_have_no_gradients() -> None:
    with pytest.raises(AutogradError, match="floating"):
        gc.tensor([1, 2], requires_grad=True)
    with pytest.raises(AutogradError):
        gc.tensor([True]).requires_grad_()
    x = leaf([1.0, -2.0])
    assert not (x > 0).requires_grad
    assert not x.long().requires_grad
    assert not x.argmax().requires_grad
    assert not x.bool().any().requires_grad


@pytest.mark.parity
@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize(
    "name", ["exp", "log", "sin", "tanh", "sigmoid", "sqrt", "erf", "rsqrt", "tan", "expm1"]
)
def test_higher_orders(name: str, order: int) -> None:
    def function(m: Any, x: Any) -> Any:
        grad = gc.grad if m is gc else m.autograd.grad
        y = getattr(m, name)(x)
        for _ in range(order - 1):
            (y,) = grad((y * y).sum() if y.ndim else y, x, create_graph=True)
        return y

    check(function, np.array([0.3, 0.7, 1.2]), loose=1e3)


@pytest.mark.parity
def test_higher_orders_of_products_and_softmax() -> None:
    def function(m: Any, x: Any, w: Any) -> Any:
        grad = gc.grad if m is gc else m.autograd.grad
        y = (m.softmax(x @ w, -1).log() * x.sum()).sum() + (x.var(0) / w.mean()).sum()
        gx, gw = grad(y, [x, w], create_graph=True)
        return (gx * gx).sum() + gw.prod()

    rng = np.random.default_rng(3)
    check(function, rng.uniform(1, 2, (3, 2)), rng.uniform(1, 2, (2, 4)), loose=1e5)


def test_create_graph_backward_keeps_the_gradient_on_the_tape() -> None:
    x = leaf(3.0)
    (x * x * x).backward(create_graph=True)
    grad = x.grad
    assert grad.requires_grad
    x.grad = None
    grad.backward()
    assert x.grad.item() == 18.0


def test_hooks_on_leaves_see_the_whole_gradient_once() -> None:
    x = leaf([1.0, 2.0])
    seen: list[Any] = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x * 3).sum().backward()
    assert seen == [[5.0, 5.0]]
    handle.remove()
    handle.remove()
    (x * 2).sum().backward()
    assert len(seen) == 1
    assert x.grad.tolist() == [7.0, 7.0]


def test_hooks_replace_gradients() -> None:
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: -g)
    y.backward()
    assert x.grad.item() == -33.0
    x.register_hook(lambda g: gc.ones(2, dtype=gc.float64))
    with pytest.raises(AutogradError, match="hook"):
        (x * 1).backward()


def test_retain_grad_and_is_leaf() -> None:
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    z = y * y
    assert (x.is_leaf, y.is_leaf, gc.ones(1).is_leaf) == (True, False, True)
    assert y.retains_grad
    assert not x.retains_grad
    z.backward()
    assert y.grad.item() == 12.0
    assert z.grad is None
    assert z.grad_fn.name() == "MulBackward0"
    assert x.grad_fn is None


def test_retained_gradient_is_the_one_after_hooks() -> None:
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    y.backward()
    assert y.grad.item() == 2.0


@pytest.mark.parametrize("recorded", [False, True])
def test_retained_gradient_of_what_was_written_in_place(recorded: bool) -> None:
    def run(x: gc.Tensor) -> gc.Tensor:
        y = x * 2
        y.retain_grad()
        first = y * y
        y.mul_(3)
        (first + y * 5).sum().backward()
        return y.grad * 1

    x = leaf([1.0, 2.0])
    assert (gc.compile(run) if recorded else run)(x).tolist() == [5.0, 5.0]


def test_detach_shares_memory() -> None:
    x = leaf([1.0, 2.0])
    y = x.detach()
    assert not y.requires_grad
    y.add_(1)
    assert x.tolist() == [2.0, 3.0]
    assert np.shares_memory(x.data.numpy(), y.numpy())


def test_modes_nest_and_decorate() -> None:
    x = leaf(1.0)
    with gc.no_grad():
        assert not gc.is_grad_enabled()
        assert not (x * 2).requires_grad
        with gc.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad

    @gc.no_grad()
    def quiet() -> bool:
        return (x * 2).requires_grad

    @gc.set_grad_enabled(False)
    def also_quiet() -> bool:
        return (x * 2).requires_grad

    assert not quiet()
    assert not also_quiet()
    assert gc.is_grad_enabled()
    with gc.set_grad_enabled(False):
        assert not gc.is_grad_enabled()
    gc.set_grad_enabled(False)
    assert not gc.is_grad_enabled()
    gc.set_grad_enabled(True)
    mode = gc.no_grad()
    with mode, mode:
        assert not gc.is_grad_enabled()
    assert gc.is_grad_enabled()
    with pytest.raises(ZeroDivisionError), gc.no_grad():
        raise ZeroDivisionError
    assert gc.is_grad_enabled()


def test_overwriting_a_saved_value_is_an_error() -> None:
    p = leaf([1.0, 2.0])
    loss = (p * p).sum()
    with gc.no_grad():
        p.add_(1)
    with pytest.raises(AutogradError, match="overwritten"):
        loss.backward()


def test_writing_a_view_of_a_saved_value_is_an_error() -> None:
    w = gc.ones(3, dtype=gc.float64)
    loss = (leaf([1.0, 2.0, 3.0]) * w).sum()
    w[1:].add_(1)
    with pytest.raises(AutogradError, match="overwritten"):
        loss.backward()


def test_backward_for_some_inputs() -> None:
    a, b = leaf(2.0), leaf(3.0)
    c = a * b
    c.backward(inputs=[a])
    assert (a.grad.item(), b.grad) == (3.0, None)
    (a * b).backward(inputs=[a])
    assert a.grad.item() == 6.0


def test_grad_runs_only_what_is_needed() -> None:
    a, b = leaf(2.0), leaf(3.0)
    c = a.exp()
    called: list[int] = []
    c.register_hook(lambda g: called.append(1))
    (found,) = gc.grad(c * b, b)
    assert found.item() == c.item()
    assert not called
    assert a.grad is None
    assert b.grad is None


def test_grad_of_results_and_several_outputs() -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    z = y.sum()
    gy, gx = gc.grad(z, [y, x], retain_graph=True)
    assert gy.tolist() == [1.0, 1.0]
    assert gx.tolist() == [2.0, 4.0]
    start = gc.tensor([1.0, 3.0], dtype=gc.float64)
    (gx,) = gc.grad([y, z], x, [start, None])
    assert gx.tolist() == [4.0, 16.0]
    assert x.grad is None


def test_grad_of_unused_inputs() -> None:
    a, b = leaf(2.0), leaf([3.0, 1.0])
    with pytest.raises(AutogradError, match="not used") as caught:
        gc.grad(a * a, [a, b])
    assert "allow_unused" in str(caught.value)
    assert gc.grad(a * a, [b], allow_unused=True) == (None,)
    (zeros,) = gc.grad(a * a, [b], materialize_grads=True)
    assert zeros.tolist() == [0.0, 0.0]
    with pytest.raises(AutogradError):
        gc.grad([a * a, a], [a], [None])


def test_inplace_on_results() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    y.mul_(x)
    y += 1
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]
    x = leaf([0.0, 0.0])
    y = x.exp()
    z = y * 2
    y.add_(1)
    (z + y).sum().backward()  # exp's saved result is its own, not the overwritten one
    assert x.grad.tolist() == [3.0, 3.0]
    plain = gc.zeros(2, dtype=gc.float64)
    plain.add_(leaf([1.0, 1.0]))
    assert plain.requires_grad
    assert not plain.is_leaf


def test_inplace_on_a_leaf_is_an_error() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(AutogradError, match="leaf") as caught:
        x.add_(1)
    assert "no_grad" in str(caught.value)
    with pytest.raises(AutogradError):
        x[0].mul_(2)
    with gc.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0, 3.0]


def test_inplace_and_views_do_not_lose_gradients() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    view = y[0]
    view.mul_(3)
    y.mul_(3)
    (view * 1 + y.sum()).backward()
    assert x.grad.tolist() == [36.0, 6.0]
    x.grad = None
    total = (x * x).sum(0)
    total.mul_(2)
    total.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_memory_is_freed_by_backward() -> None:
    x = leaf(np.ones(1000))
    y = x.exp()
    big = weakref.ref(y.storage)
    z = (y * 2).sum()
    del y
    garbage.disable()
    try:
        z.backward()
        assert big() is None
    finally:
        garbage.enable()


def test_memory_is_freed_without_backward() -> None:
    x = leaf(np.ones(1000))
    garbage.disable()
    try:
        y = x.exp()
        version = weakref.ref(y.storage.version)
        z = (y * y).sum()
        del y
        assert version() is not None
        del z
        assert version() is None
    finally:
        garbage.enable()


def test_values_that_no_rule_reads_are_not_kept() -> None:
    x = leaf(np.ones(1000))
    y = x + 1
    version = weakref.ref(y.storage.version)
    z = y.sum()
    del y
    assert version() is None
    z.backward()


def test_deep_chains() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    z = x
    for _ in range(20_000):
        z = z * 1.0
    del z, y


def test_wide_fan_in_visits_each_step_once() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


@pytest.mark.parity
def test_diamonds_against_torch() -> None:
    def function(m: Any, x: Any, y: Any) -> Any:
        a = x * y
        b = a.exp()
        c = (a + b) * b.sin() / (x + a)
        return (c * b).sum() + a.mean()

    rng = np.random.default_rng(5)
    check(function, rng.uniform(0.5, 1, (3, 4)), rng.uniform(0.5, 1, (4,)), loose=100)


@pytest.mark.parity
def test_float32_start_and_mixed_dtypes() -> None:
    check(lambda m, x, y: x * y, np.ones(3, np.float32), np.ones(3))
    check(lambda m, x, y: x.to(m.float64) + y.to(m.float32), np.ones(3, np.float32), np.ones(3))
    check(lambda m, x: x.to(m.int64).to(m.float32) + x, np.ones(3, np.float32))


@pytest.mark.parity
def test_training_loop_against_torch() -> None:
    rng = np.random.default_rng(0)
    data, wanted = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    ours = leaf(rng.normal(size=(3, 1)))
    theirs = to_torch(ours.detach().numpy())
    for _ in range(5):
        ((gc.tensor(data) @ ours - gc.tensor(wanted)) ** 2).mean().backward()
        ((to_torch(data).detach() @ theirs - to_torch(wanted).detach()) ** 2).mean().backward()
        with gc.no_grad():
            ours -= 0.1 * ours.grad
            ours.grad.zero_()
        with torch().no_grad():
            theirs -= 0.1 * theirs.grad
            theirs.grad.zero_()
    np.testing.assert_allclose(ours.detach().numpy(), from_torch(theirs), rtol=1e-12)
