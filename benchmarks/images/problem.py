"""The data, the networks, their first weights and the constants that all peers share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.case import Array

RATE, MOMENTUM, EPS = 1e-4, 0.9, 1e-5
CLASSES = 10
STAGES = ((16, 16, 1), (16, 32, 2), (32, 64, 2))
"""Of the residual network: channels before, channels behind, stride."""

Network = Callable[[Any, list[Any], Any], Any]
"""From functions with PyTorch's names, the parameters and images to scores of the classes."""


@dataclass(frozen=True)
class Problem:
    """One network with data.

    Args:
        x: images, float32 (batch, channels, height, width).
        y: classes, int64 (batch,).
        parameters: the first values, in the order in which the network uses them.
        network: the network.
        flops: of the convolutions and matrix products of a training step.
    """

    x: Array
    y: Array
    parameters: tuple[Array, ...]
    network: Network
    flops: float


def lenet(batch: int) -> Problem:
    """LeNet-5 with ReLU and max pooling, on images of digits."""
    random = np.random.default_rng(0)
    shapes = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (CLASSES, 84)]
    parameters: list[Array] = []
    for shape in shapes:
        parameters += [_weight(random, shape), np.zeros(shape[0], np.float32)]
    places = (28 * 28, 10 * 10, 1, 1, 1)
    forward = [2.0 * np.prod(shape) * count for shape, count in zip(shapes, places, strict=True)]
    flops = batch * (3 * sum(forward) - forward[0])
    return Problem(*_data(random, batch, (1, 28, 28)), tuple(parameters), _lenet, float(flops))


def residual(batch: int) -> Problem:
    """A residual network of three stages with batch normalization, on small colour images."""
    random = np.random.default_rng(0)
    convolutions = [((16, 3, 3, 3), 32)]
    size = 32
    for before, behind, stride in STAGES:
        size //= stride
        convolutions += [((behind, before, 3, 3), size), ((behind, behind, 3, 3), size)]
        if stride > 1:
            convolutions.append(((behind, before, 1, 1), size))
    parameters: list[Array] = []
    for shape, _ in convolutions:
        channels = shape[0]
        parameters += [
            _weight(random, shape), np.ones(channels, np.float32), np.zeros(channels, np.float32)
        ]  # fmt: skip
    parameters += [_weight(random, (CLASSES, STAGES[-1][1])), np.zeros(CLASSES, np.float32)]
    forward = [2.0 * np.prod(shape) * size**2 for shape, size in convolutions]
    flops = batch * (3 * sum(forward) - forward[0])
    return Problem(*_data(random, batch, (3, 32, 32)), tuple(parameters), _residual, float(flops))


def _weight(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    bound = np.sqrt(6 / np.prod(shape[1:]))
    return random.uniform(-bound, bound, shape).astype(np.float32)


def _data(
    random: np.random.Generator, batch: int, image: tuple[int, int, int]
) -> tuple[Array, Array]:
    x = random.normal(size=(batch, *image)).astype(np.float32)
    return x, random.integers(0, CLASSES, batch)


def _lenet(f: Any, parameters: list[Any], x: Any) -> Any:
    first, first_bias, second, second_bias, *dense = parameters
    x = f.max_pool2d(f.relu(f.conv2d(x, first, first_bias, padding=2)), 2)
    x = f.max_pool2d(f.relu(f.conv2d(x, second, second_bias)), 2)
    x = f.relu(f.linear(x.reshape(len(x), -1), *dense[:2]))
    x = f.relu(f.linear(x, *dense[2:4]))
    return f.linear(x, *dense[4:])


def _residual(f: Any, parameters: list[Any], x: Any) -> Any:
    left = iter(parameters)

    def layer(x: Any, stride: int, padding: int) -> Any:
        weight, scale, shift = next(left), next(left), next(left)
        x = f.conv2d(x, weight, stride=stride, padding=padding)
        return f.batch_norm(x, None, None, scale, shift, training=True, eps=EPS)

    x = f.relu(layer(x, 1, 1))
    for _, _, stride in STAGES:
        y = layer(f.relu(layer(x, stride, 1)), 1, 1)
        x = f.relu(y + (layer(x, stride, 0) if stride > 1 else x))
    return f.linear(x.mean((2, 3)), *left)
