"""Writes through views and ``x[...] = v``: memory, gradients, errors, both modes."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError, DTypeError, IndexRangeError, ShapeError
from graphc.frontend.graph import Graph
from tests.both_modes import check_both
from tests.torch_oracle import check

X = np.arange(24.0).reshape(4, 6) / 10 + 1
V = np.linspace(-1, 1, 6)


def write_rows(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    y[0] = v
    return y


def write_column(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    y[:, 1] = v[0]
    return y * x


def write_steps(m: Any, x: Any, v: Any) -> Any:
    y = x * 1
    y[::2, 1::3] = v[:2]
    return y


def write_last_steps(m: Any, x: Any, v: Any) -> Any:
    y = x * 1
    y[1::2, ::5] = v[:2]
    y[3:, 1:2] *= 3
    return y


def write_number(m: Any, x: Any, v: Any) -> Any:
    y = x * v
    y[1:3, -2:] = 7
    return y


def write_all(m: Any, x: Any, v: Any) -> Any:
    y = x * v
    y[...] = v
    return y * x


def write_transposed(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    y.t()[2].mul_(v[1])
    y.T[0:2, 1:].add_(x[:1, :2].t())
    return y


def write_chain(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    part = y[1:]
    row = part[0]
    row.mul_(v)
    part[:, 2:4].add_(1)
    return y, part * 2, row * 3


def write_reshaped(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    y.view(2, 12)[1, 3:9].copy_(v)
    y.unsqueeze(0)[0, 0].mul_(2)
    y[0:1].squeeze(0)[2:4].zero_()
    return y


def write_diagonal(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    y.diagonal().fill_(1)
    y.diagonal(1, 1, 0).mul_(v[:3])
    m.diagonal(y, 2).add_(x[0, :4])
    return y, y.diagonal(-1)


def view_follows(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    part, other = y[0], y[:, 0]
    y.mul_(3)
    part.add_(v)
    return part * 1, other * 2, y


def write_untracked(m: Any, x: Any, v: Any) -> Any:
    y = m.zeros(4, 6, dtype=m.float64)
    before = y[1]
    y[1, 2:] = v[2:] * 2
    y[2].copy_(x[2])
    y[3, 0] = 5.5
    return y, before * 1


def write_at(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    y[[0, 2]] = v
    y[:, [1, -1]] = x[:, :2]
    y[[3, 1], [0, 0]] = v[:2]
    return y


def write_at_apart(m: Any, x: Any, v: Any) -> Any:
    y = (x * 2).reshape(2, 2, 6)
    index = m.tensor([0, 1, 0])
    y[index, :, m.tensor([5, 4, 3])] = v[:2]
    y[:, m.tensor([1]), 0:3] *= 2
    return y


def write_by_mask(m: Any, x: Any, v: Any) -> Any:
    y = x * v
    y[x > 2] = 0
    y[m.tensor([True, False, False, True])] = v[0]
    y[:, m.tensor([True, False, False, True, True, False])] = -1.5
    return y


def augmented(m: Any, x: Any, v: Any) -> Any:
    y = x * 2
    y[1] += v
    y[:, 2:] *= x[:, 2:]
    y[2][3] -= 4
    y[0] /= 2
    return y


def write_twice_same_value(m: Any, x: Any, v: Any) -> Any:
    y = x.exp() * 1
    z = y[1] + 0
    y[0] = z
    y[1] = z + y[2]
    return y


def write_own_parts(m: Any, x: Any, v: Any) -> Any:
    y = x * 1
    y[1:] = y[:-1]
    y[:, 0] = y[:, 5]
    return y


WRITES = [
    write_rows, write_column, write_steps, write_last_steps, write_number, write_all,
    write_transposed, write_chain, write_reshaped, write_diagonal, view_follows, write_untracked,
    write_at, write_at_apart, write_by_mask, augmented, write_twice_same_value,
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("program", WRITES)
def test_writes(program: Any) -> None:
    check(program, X, V)


@pytest.mark.parametrize("program", [write_chain, write_at, write_diagonal, augmented])
def test_writes_without_gradients(program: Any) -> None:
    with gc.no_grad():
        check_both(lambda x, v: program(gc, x, v), X, V, grads=False)


def test_a_part_of_itself_is_read_before_it_is_written() -> None:
    got = check_both(lambda x, v: write_own_parts(gc, x, v), X, V).outputs[0]
    wanted = X[[0, 0, 1, 2]]
    wanted[:, 0] = wanted[:, 5]
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16"])
def test_values_are_cast(dtype: str) -> None:
    def program(m: Any, x: Any) -> Any:
        y = x.to(getattr(m, dtype)) if m is not gc else x.to(dtype)
        y[0] = 1
        y[1, 1:] = m.tensor([3, 0])
        y[0, 0] = True
        return y

    check(program, np.zeros((2, 3), np.int64), grads=False)


@pytest.mark.parity
def test_leading_dims_of_size_one_and_empty_places() -> None:
    def program(m: Any, x: Any) -> Any:
        y = x * 1
        y[0] = m.ones(1, 1, 6, dtype=m.float64)
        y[4:] = 3
        y[:, 2:2] = m.ones(4, 0, dtype=m.float64)
        y[m.tensor([], dtype=m.int64)] = 5
        return y

    check(program, X)


def test_native_program_writes() -> None:
    buffer = gc.nn.Buffer(gc.zeros(3))

    def step(x: gc.Tensor) -> gc.Tensor:
        y = x * 2
        y[1:] = x[:-1]
        y[0, ::2].fill_(9)
        buffer[1] += y.sum()
        y[y > 8] = -1
        return y

    x = gc.arange(12.0).reshape(3, 4)
    wanted = step(x)
    total = buffer.tolist()
    buffer.zero_()
    assert gc.compile(step)(x).tolist() == wanted.tolist()
    assert buffer.tolist() == total


def test_unknown_sizes() -> None:
    with Graph() as graph:
        x = gc.placeholder((None, 4), name="x")
        y = x * 2
        y[0] = 1
        y[1:, -1] = x[:-1, 0]
        graph.output(y, "y")
    value = np.arange(12, dtype=np.float32).reshape(3, 4)
    wanted = value * 2
    wanted[0] = 1
    wanted[1:, -1] = value[:-1, 0]
    got = graph.compile(backend="numpy").run({"x": value})["y"]
    np.testing.assert_array_equal(got, wanted)


def test_leaves_and_their_views_are_protected() -> None:
    x = gc.ones(3, requires_grad=True)
    for write in (lambda: x.add_(1), lambda: x[0].add_(1), lambda: x[1:].zero_()):
        with pytest.raises(AutogradError, match="leaf"):
            write()
        with Graph(), pytest.raises(AutogradError, match="leaf"):
            write()
    with pytest.raises(AutogradError, match="leaf"):
        x[0] = 1
    with gc.no_grad():
        x[0] = 5
    assert x.tolist() == [5, 1, 1]


def test_a_view_made_without_gradients() -> None:
    y = gc.ones(3, requires_grad=True) * 2
    with gc.no_grad():
        part = y[1:]
    with pytest.raises(AutogradError, match="no_grad"):
        part.mul_(gc.ones(2, requires_grad=True))


@pytest.mark.parametrize("mode", [gc.no_grad, gc.enable_grad])
def test_expanded_memory(mode: Any) -> None:
    with mode():
        y = gc.ones(3, requires_grad=True) * 2
        with pytest.raises(AutogradError, match="share places"):
            y.expand(2, 3)[0].add_(1)
        with Graph(), pytest.raises(AutogradError, match="share places"):
            (gc.placeholder((3,)) * 1).expand(2, 3).mul_(2)


def test_what_does_not_fit() -> None:
    x = gc.zeros(2, 3)
    with pytest.raises(ShapeError, match="fit"):
        x[0] = gc.ones(2)
    with pytest.raises(ShapeError, match="fit"):
        x[:, [0, 1]] = gc.ones(3)
    with pytest.raises(IndexRangeError):
        x[2] = 1
    with pytest.raises(IndexRangeError):
        x[gc.tensor([3])] = 1
    with pytest.raises(ShapeError, match="mask"):
        x[gc.tensor([True, False, True])] = 1
    with pytest.raises(DTypeError, match="tensor"):
        x[0] = np.ones(3)
    with pytest.raises(DTypeError, match="float32 into int64"):
        gc.ones(2, dtype=gc.int64).mul_(1.5)


def test_a_copied_leaf_stays_another_tensor() -> None:
    x = gc.ones(3, requires_grad=True)
    y = gc.zeros(3).copy_(x)
    y.add_(1)
    assert x.tolist() == [1, 1, 1]
    (y * 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2, 2]


def test_values_saved_before_a_write_are_missed() -> None:
    x = gc.ones(3, requires_grad=True)
    y = x * 2
    part = y[1:]
    z = y.exp() + y * y
    part.add_(1)
    with pytest.raises(AutogradError, match="overwritten"):
        z.sum().backward()


def test_values_that_no_gradient_needs_may_be_overwritten() -> None:
    x = gc.ones(3, requires_grad=True)
    y = x * 2
    z = y[0] * 3 + y[1:].sum() / 4
    y[0] = 1
    (z + y.sum()).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 2.5, 2.5]


def test_detached_memory_is_shared() -> None:
    y = gc.ones(3, requires_grad=True) * 2
    alias = y.detach()
    y.add_(1)
    assert alias.tolist() == [3, 3, 3]
    alias[0] = 9
    assert y.tolist() == [9, 3, 3]


def test_views_of_what_requires_a_gradient_later() -> None:
    y = gc.zeros(3)
    first = y[0]
    assert first.is_leaf
    y[1] = gc.tensor(2.0, requires_grad=True)
    assert y.requires_grad
    assert first.requires_grad
    assert first.grad_fn is not None


@pytest.mark.parity
def test_views_of_what_was_filled_are_constants_too() -> None:
    def fill(m: Any, x: Any) -> Any:
        y = x * 1
        rows, line = y[:2], y.view(-1)
        y.fill_(2)
        return rows * x[:2], line * x.sum(), y + x

    check(fill, X)


def test_nothing_is_left_of_gradients_in_views_of_what_was_filled() -> None:
    x = gc.ones(3, requires_grad=True)
    y = x * 2
    whole = y.expand(3)
    whole.fill_(5)
    (y.sum() + whole.sum() + x.sum()).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parity
def test_a_view_that_saw_no_tracked_write_is_filled() -> None:
    def fill(m: Any, x: Any, v: Any) -> Any:
        y = x * 1
        y.fill_(1.5)
        whole = y.expand(-1, -1)
        row = whole[1:]
        y[0] = v
        whole.fill_(2)
        return y * x, whole * x, row * x[1:] + v

    check(fill, X, V)
