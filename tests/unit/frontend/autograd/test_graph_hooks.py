"""``graphc.autograd.graph``: hooks of saved tensors and of several gradients."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.autograd.graph import (
    disable_saved_tensors_hooks,
    register_multi_grad_hook,
    save_on_cpu,
    saved_tensors_hooks,
)
from graphc.errors import ArgumentError, AutogradError, RecordingError


def grad_of(result: Any, x: gc.Tensor, create_graph: bool = False) -> Any:
    return gc.grad(result, [x], create_graph=create_graph)[0]


def cubes(x: gc.Tensor) -> gc.Tensor:
    return (x * x * x.exp()).sum()


def test_values_go_through_both_hooks() -> None:
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    kept: list[gc.Tensor] = []

    def pack(value: gc.Tensor) -> int:
        assert not value.requires_grad
        kept.append(value.clone())
        return len(kept) - 1

    with saved_tensors_hooks(pack, lambda place: kept[place] * 1):
        y = cubes(x)
    count = len(kept)
    first = grad_of(y, x, create_graph=True)
    assert len(kept) == count
    second = grad_of(first.sum(), x)
    v = x.detach()
    np.testing.assert_allclose(first.detach().numpy(), ((2 * v + v * v) * v.exp()).numpy())
    np.testing.assert_allclose(second.numpy(), ((2 + 4 * v + v * v) * v.exp()).numpy(), rtol=1e-6)


def test_backward_reads_what_unpack_returns() -> None:
    x = gc.tensor([3.0], requires_grad=True)
    with saved_tensors_hooks(lambda value: value, lambda value: value * 10):
        y = x * x
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 60.0


def test_what_hooks_compute_is_not_packed() -> None:
    x = gc.tensor([3.0], requires_grad=True)
    seen: list[gc.Tensor] = []

    def pack(value: gc.Tensor) -> gc.Tensor:
        leaf = value.clone().requires_grad_()
        with gc.enable_grad():
            seen.append(leaf * leaf)
        return value

    with saved_tensors_hooks(pack, lambda value: value):
        x.exp()
    assert len(seen) == 1


def test_nested_hooks_replace_the_outer_ones() -> None:
    x = gc.tensor([3.0], requires_grad=True)
    names: list[str] = []

    def named(name: str) -> saved_tensors_hooks:
        def pack(value: gc.Tensor) -> gc.Tensor:
            names.append(name)
            return value

        return saved_tensors_hooks(pack, lambda value: value)

    with named("outer"):
        x.exp()
        with named("inner"):
            x.exp()
        x.exp()
    x.exp()
    assert names == ["outer", "inner", "outer"]


class Square(gc.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: gc.Tensor) -> gc.Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, grad: gc.Tensor) -> gc.Tensor:
        x: gc.Tensor = ctx.saved_tensors[0]
        return grad * x * 2


def test_custom_functions_save_through_hooks() -> None:
    x = gc.tensor([3.0], requires_grad=True)
    with saved_tensors_hooks(lambda value: value.tolist(), gc.tensor):
        y = Square.apply(x)
    grad = grad_of(y, x, create_graph=True)
    assert grad.item() == 6.0
    assert grad_of(grad, x).item() == 2.0


def test_copies_do_not_mind_later_writes() -> None:
    x = gc.tensor([3.0], requires_grad=True)
    y = x * 1
    with save_on_cpu(pin_memory=True):
        z = y * y
    with gc.no_grad():
        y.fill_(100.0)
    grad = grad_of(z.sum(), x)
    assert grad.item() == 6.0


def test_released_values_are_gone() -> None:
    x = gc.tensor([3.0], requires_grad=True)
    with save_on_cpu():
        y = x * x
    y.backward()
    with pytest.raises(AutogradError, match="second time"):
        y.backward()


def enter(block: Any) -> None:
    with block:
        gc.ones(1, requires_grad=True).exp()


def test_disabled() -> None:
    with disable_saved_tensors_hooks("not here"):
        with pytest.raises(AutogradError, match="not here"):
            enter(save_on_cpu())
        with disable_saved_tensors_hooks("nor there"), pytest.raises(AutogradError, match="nor"):
            enter(save_on_cpu())
        with pytest.raises(AutogradError, match="not here"):
            enter(save_on_cpu())
    with save_on_cpu(), pytest.raises(AutogradError, match="not here"):
        enter(disable_saved_tensors_hooks("not here"))
    enter(save_on_cpu())


def test_wrong_hooks() -> None:
    with pytest.raises(AutogradError, match="pack_hook must be callable"):
        saved_tensors_hooks(3, lambda x: x)  # type: ignore[arg-type]
    x = gc.tensor([3.0, 4.0], requires_grad=True)
    for wrong in (lambda value: 3, lambda value: value[:1], lambda value: value.double()):
        with saved_tensors_hooks(lambda value: value, wrong):  # type: ignore[arg-type]
            y = x.exp()
        with pytest.raises(AutogradError, match="tensor like the one that was packed"):
            y.sum().backward()


def test_recording_refuses_hooks_and_compiled_calls_work_inside() -> None:
    def program(x: gc.Tensor) -> gc.Tensor:
        with save_on_cpu():
            return x.exp()

    with pytest.raises(RecordingError, match="outside of what is recorded"):
        gc.compile(program)(gc.ones(2))
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    with saved_tensors_hooks(lambda value: value.double(), lambda value: value.float()):
        y = gc.compile(cubes)(x)
    y.backward()
    plain = x.detach().requires_grad_()
    cubes(plain).backward()
    assert x.grad is not None
    assert plain.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), plain.grad.numpy(), rtol=1e-6)


def test_all_gradients_of_a_walk_at_once() -> None:
    a, b, c = (gc.ones(1, requires_grad=True) for _ in range(3))
    product = a * b
    calls: list[list[float | None]] = []

    def hook(grads: list[gc.Tensor | None]) -> None:
        calls.append([None if grad is None else grad.item() for grad in grads])

    handle = register_multi_grad_hook((a, product, c), hook)
    (product * 3).sum().backward(retain_graph=True)
    assert calls == [[3.0, 3.0, None]]
    (product * c).sum().backward()
    assert calls[1:] == [[1.0, 1.0, 1.0]]
    (b * 2).sum().backward()
    assert len(calls) == 2
    handle.remove()
    (a * 2).sum().backward()
    assert len(calls) == 2


def test_the_first_gradient_of_a_walk() -> None:
    a, b = (gc.ones(1, requires_grad=True) for _ in range(2))
    calls: list[float] = []
    with register_multi_grad_hook([a, b], lambda grad: calls.append(grad.item()), mode="any"):
        (a * 2 + b * 2).sum().backward()
        (a * 5).sum().backward()
    assert calls == [2.0, 5.0]


def test_hooks_of_several_tensors_are_traced() -> None:
    a, b = (gc.ones(1, requires_grad=True) for _ in range(2))
    calls: list[int] = []
    register_multi_grad_hook([a, b], lambda grads: calls.append(len(grads)))

    @gc.compile
    def step() -> gc.Tensor:
        loss = (a * b).sum()
        loss.backward()
        return loss

    step()
    assert calls == [2]


def test_wrong_arguments_of_multi_hooks() -> None:
    x = gc.ones(1, requires_grad=True)
    with pytest.raises(ArgumentError, match="unknown mode"):
        register_multi_grad_hook([x], print, mode="some")
    with pytest.raises(AutogradError, match="require a gradient"):
        register_multi_grad_hook([x, gc.ones(1)], print)


def test_a_pack_hook_that_writes_is_refused() -> None:
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    with (
        saved_tensors_hooks(lambda value: value.mul_(2), lambda value: value),
        pytest.raises(AutogradError, match="in place"),
    ):
        x * x
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    with saved_tensors_hooks(lambda value: value.clone().mul_(2), lambda value: value):
        y = (x * x).sum()
    assert grad_of(y, x).tolist() == [4.0, 8.0]
