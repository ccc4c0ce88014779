"""Sessions with any number of threads: the same bits, and steps that are really divided."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.errors import ArgumentError

Array = np.ndarray[Any, Any]


def train(threads: int | None, rows: int) -> list[Array]:
    """Losses and parameters after some steps of a network with all kinds of reductions."""
    gc.manual_seed(3)
    model = nn.Sequential(
        nn.Linear(130, 257), nn.BatchNorm1d(257), nn.GELU(), nn.Dropout(0.3), nn.Linear(257, 67),
        nn.LayerNorm(67),
    )  # fmt: skip
    optimizer = optim.AdamW(model.parameters(), lr=0.01)

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    rng = np.random.default_rng(0)
    fast = gc.compile(step, threads=threads)
    losses = []
    for _ in range(3):
        x = gc.tensor(rng.normal(size=(rows, 130)).astype(np.float32))
        losses.append(fast(x, gc.tensor(rng.integers(0, 67, rows))).detach().numpy())
    return [*losses, *(p.detach().numpy() for p in model.parameters())]


@pytest.mark.parametrize("rows", [37, 700])
def test_any_number_of_threads_gives_the_same_bits(rows: int) -> None:
    expected = train(1, rows)
    for threads in (2, 3, 7):
        for one, other in zip(train(threads, rows), expected, strict=True):
            np.testing.assert_array_equal(one, other)


REDUCTIONS: dict[str, Callable[[gc.Tensor], Any]] = {
    "all": lambda x: x.sum(),
    "rows": lambda x: x.exp().mean(1),
    "columns": lambda x: (x * x).sum(0),
    "softmax of columns": lambda x: x.softmax(0),
    "argmax": lambda x: x.argmax(0),
    "largest": lambda x: (x.max(), x.amin(1)),
    "transposed": lambda x: x.t() * 2,
    "gather": lambda x: x[gc.arange(x.shape[0]) % 7],
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_large_arrays(name: str) -> None:
    function = REDUCTIONS[name]
    x = gc.tensor(np.random.default_rng(1).normal(size=(1203, 517)).astype(np.float32))
    expected = gc.compile(function, threads=1)(x)
    for threads in (2, 3):
        got = gc.compile(function, threads=threads)(x)
        for one, other in zip(
            got if isinstance(got, tuple) else (got,),
            expected if isinstance(expected, tuple) else (expected,),
            strict=True,
        ):
            np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("threads", [0, -1, 100_000])
def test_a_wrong_number_of_threads_is_refused(threads: int) -> None:
    with pytest.raises(ArgumentError, match="threads"):
        gc.compile(lambda x: x, threads=threads)
