"""Values of concrete tensors that a function reads while it is traced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import SymbolicValueError

READS = {
    "item": lambda w: w.item(),
    "float": float,
    "tolist": lambda w: w.tolist()[0],
    "bool": lambda w: {True: float(w)}[bool(w)],
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("kind", ["parameter", "buffer", "tensor"])
def test_a_value_that_changes_is_read_again(kind: str, read: Any) -> None:
    w = {
        "parameter": lambda: nn.Parameter(gc.tensor([2.0])),
        "buffer": lambda: nn.Buffer(gc.tensor([2.0])),
        "tensor": lambda: gc.tensor([2.0]),
    }[kind]()
    fast = gc.compile(lambda x: x * read(w))
    for value in (2.0, 5.0, 7.0):
        with gc.no_grad():
            w.fill_(value)
        for _ in range(3):
            assert fast(gc.ones(1)).item() == value
    assert fast.cache_info().misses == 3
    assert "writes to it was" in fast.cache_info().reasons[1]


def test_arrays_of_values_are_read_again() -> None:
    w = nn.Buffer(gc.tensor([2.0, 3.0]))
    fast = gc.compile(lambda x: x * float(w.numpy()[1]) + np.asarray(w)[0])
    assert fast(gc.ones(1)).item() == 5.0
    w.fill_(4.0)
    assert fast(gc.ones(1)).item() == 8.0


def test_branches_on_values_are_taken_anew() -> None:
    gate = nn.Buffer(gc.tensor(False))
    fast = gc.compile(lambda x: x + 1 if gate else x - 1)
    assert fast(gc.tensor(1.0)).item() == 0.0
    gate.fill_(True)
    assert fast(gc.tensor(1.0)).item() == 2.0


def test_a_value_that_the_program_writes_has_none_while_tracing() -> None:
    w = nn.Buffer(gc.tensor(1.0))

    def after(x: gc.Tensor) -> Any:
        w.add_(1)
        return x * w.item()

    with pytest.raises(SymbolicValueError, match=r"item\(\) was asked of a tensor that"):
        gc.compile(after)(gc.ones(1))
    assert w.item() == 1.0


def test_a_value_that_the_program_writes_later_is_refused() -> None:
    w = nn.Parameter(gc.tensor([2.0]))
    optimizer = optim.SGD([w], lr=0.1)

    @gc.compile
    def step(x: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = (x * w * w.item()).sum()
        loss.backward()
        optimizer.step()
        return loss

    with pytest.raises(SymbolicValueError, match="that the recorded program writes"):
        step(gc.ones(1))
    assert w.item() == 2.0


def test_tensors_made_while_tracing_are_free() -> None:
    fast = gc.compile(lambda x: x * gc.tensor([6.0]).item())
    assert fast(gc.ones(1)).item() == 6.0
    assert fast(gc.ones(1)).item() == 6.0
    assert fast.cache_info().misses == 1


def test_inside_loops_and_maps() -> None:
    w = nn.Parameter(gc.tensor(2.0))
    scanned = gc.compile(
        lambda xs: gc.scan(lambda c, x: (c + x * w.item(), None), xs[0] * 0, xs)[0]
    )
    mapped = gc.compile(gc.vmap(lambda x: x * w.item()))
    for value in (2.0, 3.0):
        with gc.no_grad():
            w.fill_(value)
        assert scanned(gc.ones(4)).item() == 4 * value
        assert mapped(gc.ones(2)).tolist() == [value, value]
