"""Methods that write in place: memory, dtypes, broadcasting, versions."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.torch_oracle import torch

WRITES: list[Any] = [
    lambda x: x.add_(2), lambda x: x.add_(x, alpha=3), lambda x: x.sub_(1, alpha=2),
    lambda x: x.mul_(3), lambda x: x.clamp_(1, 2), lambda x: x.clamp_(max=1), lambda x: x.fill_(7),
    lambda x: x.zero_(), lambda x: x.copy_(x * 2), lambda x: x.mul_(x[0] + 0),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
def test_values_memory_and_versions(write: Any, dtype: str) -> None:
    data = [[0, 1, 2], [3, 4, 5]]
    ours = gc.tensor(data, dtype=dtype)
    theirs = torch().tensor(data, dtype=getattr(torch(), dtype))
    alias, count = ours.detach(), ours.storage.version.count
    assert write(ours) is ours
    write(theirs)
    assert ours.tolist() == theirs.tolist()
    assert alias.tolist() == theirs.tolist()
    assert ours.dtype.name == dtype
    assert ours.storage.version.count > count


@pytest.mark.parity
def test_operators_write_in_place() -> None:
    for m in (gc, torch()):
        x = m.tensor([4.0, 8.0])
        alias = x
        x += 1
        x -= 2
        x *= 3
        x /= 2
        assert x is alias
        assert alias.tolist() == [4.5, 10.5]


def test_div_needs_floats() -> None:
    x = gc.tensor([4.0, 6.0])
    assert x.div_(2).tolist() == [2.0, 3.0]
    with pytest.raises(gc.GraphcError, match="fit"):
        gc.tensor([4, 6]).div_(2)
    with pytest.raises(gc.GraphcError, match="fit"):
        gc.tensor([4, 6]).add_(0.5)


def test_copy_casts_and_broadcasts() -> None:
    x = gc.zeros(2, 3)
    assert x.copy_(gc.tensor([1, 2, 3])).tolist() == [[1.0, 2.0, 3.0]] * 2
    assert gc.zeros(2, dtype=gc.int64).copy_(gc.tensor([1.9, -1.9])).tolist() == [1, -1]
    for wrong in (gc.ones(4), gc.ones(3, 2, 3)):
        with pytest.raises(gc.GraphcError, match="fit") as caught:
            x.copy_(wrong)
        assert "test_inplace.py" in str(caught.value)
    with pytest.raises(gc.GraphcError, match="fit"):
        gc.zeros(3).add_(gc.ones(2, 3))


def test_writes_to_views_and_strided_memory() -> None:
    x = gc.zeros(3, 4)
    x.T[1].add_(1)
    x[::2, ::-1][:, 0].fill_(9)
    wanted = np.zeros((3, 4))
    wanted[:, 1] += 1
    wanted[::2, 3] = 9
    assert x.tolist() == wanted.tolist()


def test_expanded_memory_cannot_be_written() -> None:
    with pytest.raises(gc.GraphcError) as caught:
        gc.zeros(1).expand(3).add_(1)
    assert "clone" in str(caught.value)


def test_overlapping_source() -> None:
    x = gc.arange(5)
    x[1:].copy_(x[:-1])
    assert x.tolist() == [0, 0, 1, 2, 3]


def test_random_fills() -> None:
    gc.manual_seed(0)
    x = gc.zeros(1000)
    assert x.uniform_(2, 3) is x
    assert 2 <= x.min().item() <= x.max().item() < 3
    assert abs(x.normal_(5, 0.1).mean().item() - 5) < 0.05


def test_detach_in_place() -> None:
    x = gc.ones(2, requires_grad=True)
    y = x * 2
    assert y.detach_() is y
    assert not y.requires_grad
    assert y.is_leaf
