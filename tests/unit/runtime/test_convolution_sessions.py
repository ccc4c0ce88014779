"""Training steps of convolutional networks as native programs: nothing is left to numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim

Array = np.ndarray[Any, Any]
Parameters = list[nn.Parameter]


def lenet(p: Parameters, x: gc.Tensor) -> gc.Tensor:
    x = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1], padding=2)), 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, p[2], p[3])), 2)
    return F.linear(x.reshape(x.shape[0], -1), p[4], p[5])


def residual(p: Parameters, x: gc.Tensor) -> gc.Tensor:
    x = F.relu(F.batch_norm(F.conv2d(x, p[0], padding=1), None, None, p[1], training=True))
    y = F.relu(F.conv2d(x, p[2], p[3], stride=2, padding=1))
    x = F.conv2d(x, p[4], stride=2) + F.conv2d(y, p[5], padding="same", dilation=2)
    x = F.avg_pool2d(F.max_pool2d(F.relu(x), 3, 2, padding=1), 2, ceil_mode=True)
    return F.linear(x.mean((2, 3)), p[6])


def mixed(p: Parameters, x: gc.Tensor) -> gc.Tensor:
    x = F.gelu(F.conv2d(x, p[0], padding=1, groups=3))
    x = F.gelu(F.conv2d(x, p[1], padding=(2, 1), groups=6, dilation=(2, 1)))
    x = F.conv_transpose2d(x, p[2], stride=2, padding=1, output_padding=1, groups=2)
    return F.conv1d(x.flatten(2), p[3], stride=5).mean(2)


NETWORKS: dict[str, tuple[Callable[..., gc.Tensor], tuple[int, ...], list[tuple[int, ...]]]] = {
    "lenet": (
        lenet, (9, 1, 28, 28),
        [(6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (10, 400), (10,)],
    ),
    "residual": (
        residual, (7, 3, 17, 18),
        [(16, 3, 3, 3), (16,), (20, 16, 3, 3), (20,), (20, 16, 1, 1), (20, 20, 3, 3), (10, 20)],
    ),
    "mixed": (
        mixed, (5, 3, 11, 12), [(6, 1, 3, 3), (6, 1, 3, 3), (6, 2, 3, 3), (10, 4, 7)],
    ),
}  # fmt: skip


def program(name: str) -> tuple[Callable[..., gc.Tensor], Parameters, Array, Array]:
    """A training step, its parameters, and data."""
    network, shape, shapes = NETWORKS[name]
    random = np.random.default_rng(4)
    parameters = [
        nn.Parameter(gc.tensor((random.normal(size=each) / 4).astype(np.float32)))
        for each in shapes
    ]
    optimizer = optim.SGD(parameters, lr=0.05, momentum=0.9)

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(network(parameters, x), y)
        loss.backward()
        optimizer.step()
        return loss

    x = random.normal(size=shape).astype(np.float32)
    return step, parameters, x, random.integers(0, 10, shape[0])


def train(name: str, **how: Any) -> list[Array]:
    """Losses and parameters after some steps."""
    step, parameters, x, y = program(name)
    run = gc.compile(step, **how) if how else step
    losses = [run(gc.tensor(x), gc.tensor(y)).detach().numpy() for _ in range(3)]
    return [*losses, *(each.detach().numpy() for each in parameters)]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_execution_learns_the_same(name: str) -> None:
    dynamic = train(name)
    for one, other in zip(train(name, backend="numpy"), dynamic, strict=True):
        np.testing.assert_array_equal(one, other)
    native = train(name, threads=1)
    for one, other in zip(native, dynamic, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)
    for threads in (2, 3):
        for one, other in zip(train(name, threads=threads), native, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_left_to_numpy(name: str) -> None:
    step, _, x, y = program(name)
    with gc.Graph() as graph:
        images = gc.placeholder(x.shape, name="x")
        loss = step(images, gc.placeholder(y.shape, gc.int64, name="y"))
    session = graph.compile(outputs=loss)
    session.run({"x": x, "y": y})
    assert [kernel.name for kernel in session.kernels() if not kernel.native] == []
