"""Rules of backward, leaves and writes: what runs, what raises and what it gives, as in PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.torch_oracle import torch


def leaf(m: Any, value: Any, **options: Any) -> Any:
    return m.tensor(value, requires_grad=True, **options)


def int_requires(m: Any) -> Any:
    m.tensor([1, 2], requires_grad=True)


def backward_int_output(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    x.argmax().backward()


def grad_wrong_shape_assign(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    x.grad = m.ones(3)


def grad_assign(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    x.grad = m.ones(2)
    (x * 2).sum().backward()
    return x.grad


def grad_scalar_shape1(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    (x.sum().reshape(1, 1)).backward()
    return x.grad


def grad_0d_for_1elem(m: Any) -> Any:
    x = leaf(m, [3.0])
    (x * 2).backward(m.tensor(1.0))
    return x.grad


def grad_broadcast(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    (x * 2).backward(m.ones(1))
    return x.grad


def backward_bool_grad(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    (x * 2).backward(m.ones(2) > 0)
    return x.grad


def backward_dtype(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    (x * 2).backward(m.ones(2).double())
    return x.grad


def second_backward(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = (x * x).sum()
    y.backward()
    y.backward()


def second_backward_linear(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = (x + x).sum()
    y.backward()
    y.backward()
    return x.grad


def second_exp(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x.exp().sum()
    y.backward()
    y.backward()


def partial_second(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x.exp()
    z = y * 2
    w = y * 3
    z.sum().backward()
    w.sum().backward()


def grad_then_backward_retain(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x.exp()
    m.autograd.grad(y.sum(), x, retain_graph=True)
    y.sum().backward()
    return x.grad


def create_graph_keeps(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = (x * x).sum()
    m.autograd.grad(y, x, create_graph=True)
    y.backward()
    return x.grad


def inplace_saved_view(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x * 2
    z = y * y
    y[0] = 5
    z.sum().backward()
    return x.grad


def inplace_const(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    w = m.ones(2)
    z = x * w
    w.add_(1)
    z.sum().backward()
    return x.grad


def inplace_param_nograd(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    z = (x * x).sum()
    with m.no_grad():
        x.add_(1)
    z.backward()


def inplace_add_not_saved(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    z = x + 1
    with m.no_grad():
        x.add_(1)
    z.sum().backward()
    return x.grad


def leaf_inplace(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    x.add_(1)


def leaf_view_inplace(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    x[0].add_(1)


def detach_inplace(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    z = x * x
    x.detach().add_(1)
    z.sum().backward()


def requires_grad_nonleaf_off(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x * 2
    y.requires_grad_(False)


def requires_grad_nonleaf_on(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x * 2
    y.requires_grad_()
    y.sum().backward()
    return x.grad


def retain_leaf(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    x.retain_grad()
    (x * 2).sum().backward()
    return x.grad


def retain_no_grad(m: Any) -> Any:
    m.ones(2).retain_grad()


def hook_no_grad(m: Any) -> Any:
    m.ones(2).register_hook(lambda g: g)


def retain_after_inplace(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * 5).sum().backward()
    return y.grad


def hook_then_inplace(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.mul_(3)
    (y * 5).sum().backward()
    return x.grad


def hook_after_inplace(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x * 2
    y.mul_(3)
    y.register_hook(lambda g: g * 10)
    (y * 5).sum().backward()
    return x.grad


def retained_in_every_walk(m: Any) -> Any:
    x = leaf(m, 2.0)
    y = x * 3
    y.retain_grad()
    z = y * y
    found = []
    for walk in (
        lambda: m.autograd.grad(z, x, retain_graph=True),
        lambda: m.autograd.grad(z, y, retain_graph=True),
        lambda: z.backward(inputs=[x], retain_graph=True),
        lambda: z.backward(inputs=[y], retain_graph=True),
        lambda: z.backward(inputs=[y, z], retain_graph=True),
        lambda: z.backward(retain_graph=True),
    ):
        walk()
        found.append(None if y.grad is None else y.grad * 1)
        y.grad = None
    return [*found, x.grad, z.grad]


def grad_wrt_nonleaf(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x * 2
    return m.autograd.grad((y * y).sum(), y)[0]


def grad_wrt_view(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x[0]
    return m.autograd.grad((x * x).sum(), y)[0]


def grad_wrt_view_allow(m: Any) -> Any:
    x = leaf(m, [3.0, 1.0])
    y = x[0]
    return m.autograd.grad((x * x).sum(), y, allow_unused=True)[0] is None


def grad_self(m: Any) -> Any:
    x = leaf(m, 3.0)
    return m.autograd.grad(x, x)[0]


def backward_leaf(m: Any) -> Any:
    x = leaf(m, 3.0)
    x.backward()
    return x.grad


def grad_same_input_twice(m: Any) -> Any:
    x = leaf(m, 3.0)
    a, b = m.autograd.grad(x * x, [x, x])
    return a + b


def grad_notrequiring_input(m: Any) -> Any:
    x = leaf(m, 3.0)
    y = m.tensor(1.0)
    return m.autograd.grad(x * y, y)


def grad_output_not_requiring(m: Any) -> Any:
    x = leaf(m, 3.0)
    return m.autograd.grad(m.tensor(1.0), x, allow_unused=True)


def accumulate_create_graph(m: Any) -> Any:
    x = leaf(m, 3.0)
    (x * x * x).backward(create_graph=True)
    (x * x).backward(create_graph=True)
    g = x.grad
    x.grad = None
    g.backward()
    return x.grad


def grad_requires_of_plain(m: Any) -> Any:
    x = leaf(m, 3.0)
    (x * x).backward()
    return x.grad.requires_grad


def grad_in_nograd(m: Any) -> Any:
    x = leaf(m, 3.0)
    y = x * x
    with m.no_grad():
        y.backward()
    return x.grad


def create_graph_in_nograd(m: Any) -> Any:
    x = leaf(m, 3.0)
    y = x * x
    with m.no_grad():
        (g,) = m.autograd.grad(y, x, create_graph=True)
    return g.requires_grad


def nan_inf(m: Any) -> Any:
    x = leaf(m, [0.0, -1.0, float("inf")])
    x.sqrt().sum().backward()
    return x.grad


def zero_size(m: Any) -> Any:
    x = leaf(m, [])
    (x * 2).sum().backward()
    return x.grad


def numpy_grad(m: Any) -> Any:
    x = leaf(m, [1.0])
    (x * 2).numpy()


def clone_detach(m: Any) -> Any:
    x = leaf(m, [1.0])
    return x.clone().is_leaf, x.detach().is_leaf, x.clone().requires_grad


def backward_hook_error(m: Any) -> Any:
    x = leaf(m, [1.0])
    y = x * 2
    y.register_hook(lambda g: m.ones(5))
    y.sum().backward()


def hook_remove_inside(m: Any) -> Any:
    x = leaf(m, [1.0])
    y = x * 2
    n = []
    h = y.register_hook(lambda g: (n.append(1), h.remove())[1])
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return len(n)


def copy_cast_grad(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    y = x.double()
    (y * y).sum().backward()
    return x.grad


def inputs_nonleaf(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    (y * y).sum().backward(inputs=[y])
    return y.grad


def inputs_unused(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    z = leaf(m, [1.0])
    (x * x).sum().backward(inputs=[z])
    return z.grad is None


def detach_(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    y.detach_()
    return y.requires_grad, y.is_leaf


def graph_dtype_mixed(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    y = m.tensor([1.0, 2.0], dtype=m.float64, requires_grad=True)
    (x * y).sum().backward()
    return x.grad, y.grad


def stacked_duplicates(m: Any) -> Any:
    x = leaf(m, [1.0, 2.0])
    m.stack([x, x, x]).sum().backward()
    return x.grad


def item_of_grad(m: Any) -> Any:
    x = leaf(m, 2.0)
    x.backward(m.tensor(5.0))
    return x.grad


RULES: list[Callable[[Any], Any]] = [
    int_requires,
    backward_int_output,
    grad_wrong_shape_assign,
    grad_assign,
    grad_scalar_shape1,
    grad_0d_for_1elem,
    grad_broadcast,
    backward_bool_grad,
    backward_dtype,
    second_backward,
    second_backward_linear,
    second_exp,
    partial_second,
    grad_then_backward_retain,
    create_graph_keeps,
    inplace_saved_view,
    inplace_const,
    inplace_param_nograd,
    inplace_add_not_saved,
    leaf_inplace,
    leaf_view_inplace,
    detach_inplace,
    requires_grad_nonleaf_off,
    requires_grad_nonleaf_on,
    retain_leaf,
    retain_no_grad,
    hook_no_grad,
    retain_after_inplace,
    retained_in_every_walk,
    hook_then_inplace,
    hook_after_inplace,
    grad_wrt_nonleaf,
    grad_wrt_view,
    grad_wrt_view_allow,
    grad_self,
    backward_leaf,
    grad_same_input_twice,
    grad_notrequiring_input,
    grad_output_not_requiring,
    accumulate_create_graph,
    grad_requires_of_plain,
    grad_in_nograd,
    create_graph_in_nograd,
    nan_inf,
    zero_size,
    numpy_grad,
    clone_detach,
    backward_hook_error,
    hook_remove_inside,
    copy_cast_grad,
    inputs_nonleaf,
    inputs_unused,
    detach_,
    graph_dtype_mixed,
    stacked_duplicates,
    item_of_grad,
]  # fmt: skip

KEPT_VALUES = (inplace_saved_view, inplace_const)
"""Recorded values stay as they were, so what raises dynamically gives the right gradient there."""


def outcome(rule: Callable[[], Any]) -> Any:
    """What a rule gives, or that it raises."""
    try:
        result = rule()
    except (RuntimeError, TypeError, ValueError):
        return "raises"
    parts = result if isinstance(result, tuple | list) else (result,)
    return [plain(part) for part in parts]


def plain(value: Any) -> Any:
    if not hasattr(value, "detach"):
        return value
    return (str(value.dtype).split(".")[-1], np.array(value.detach().tolist()))


def assert_equal(one: Any, other: Any) -> None:
    assert isinstance(one, list) == isinstance(other, list), f"{one}, not {other}"
    for a, b in zip(one, other, strict=True):
        if isinstance(b, tuple):
            assert a[0] == b[0]
            np.testing.assert_allclose(a[1], b[1], rtol=1e-6)
        else:
            assert a == b


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
@pytest.mark.parametrize("rule", RULES)
def test_as_pytorch(rule: Callable[[Any], Any]) -> None:
    assert_equal(outcome(lambda: rule(gc)), outcome(lambda: rule(torch())))


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in KEPT_VALUES])
def test_compiled_as_dynamic(rule: Callable[[Any], Any]) -> None:
    compiled = gc.compile(lambda: rule(gc), backend="numpy")
    assert_equal(outcome(compiled), outcome(lambda: rule(gc)))


@pytest.mark.parametrize("rule", KEPT_VALUES)
def test_recorded_values_are_kept(rule: Callable[[Any], Any]) -> None:
    assert outcome(lambda: rule(gc)) == "raises"
    assert outcome(gc.compile(lambda: rule(gc), backend="numpy")) != "raises"
