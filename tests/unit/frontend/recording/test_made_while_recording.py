"""Concrete tensors that a recorded function makes and then writes: each run begins anew."""

from collections.abc import Callable

import pytest

import graphc as gc


def add_to_a_list(x: gc.Tensor) -> gc.Tensor:
    total = gc.tensor([1.0, 2.0, 3.0])
    return total.add_(x)


def write_an_index(x: gc.Tensor) -> gc.Tensor:
    order = gc.arange(3)
    order[0] = 2
    return x[order]


def copy_an_element(x: gc.Tensor) -> gc.Tensor:
    table = gc.tensor([1.0, 2.0, 3.0])
    table[0] = table[1]
    return table * x


def write_through_views(x: gc.Tensor) -> gc.Tensor:
    table = gc.tensor([1.0, 2.0, 3.0])
    table.mul_(x)
    table[1:] += 1
    first = table[0]
    first.add_(5)
    return table


def write_a_view_first(x: gc.Tensor) -> gc.Tensor:
    table = gc.tensor([1.0, 2.0, 3.0])
    table[:2].add_(x[:2])
    return table


def write_a_mask(x: gc.Tensor) -> gc.Tensor:
    mask = gc.tensor([True, False, True])
    mask[1] = True
    mask.logical_not_()
    return x.masked_fill(mask, 9.0)


PROGRAMS = [
    add_to_a_list, write_an_index, copy_an_element, write_through_views, write_a_view_first,
    write_a_mask,
]  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_each_run_begins_with_the_same_values(
    program: Callable[[gc.Tensor], gc.Tensor], backend: str
) -> None:
    fast = gc.compile(program, backend=backend)
    for scale in (1.0, 2.0, 2.0):
        x = gc.tensor([1.0, -2.0, 0.5]) * scale
        assert fast(x).tolist() == program(x).tolist()


def test_gradients_flow_through_what_was_written() -> None:
    def loss(x: gc.Tensor) -> gc.Tensor:
        table = gc.tensor([1.0, 2.0, 3.0])
        table[1:] = x[:2] * 2
        (grad,) = gc.grad((table**2).sum(), [x])
        return grad

    x = gc.tensor([1.0, -2.0, 0.5], requires_grad=True)
    assert gc.compile(loss)(x).tolist() == loss(x).tolist() == [8.0, -16.0, 0.0]
