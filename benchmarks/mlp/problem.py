"""The data, the first weights and the constants that all peers share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.case import Array

RATE, BETA1, BETA2, EPS = 1e-5, 0.9, 0.999, 1e-8
"""Of Adam. Thousands of steps on one batch must not end the learning: where gradients become
subnormal, every multiplication costs a hundred times as much as in real training."""


@dataclass(frozen=True)
class Problem:
    """Linear layers with ReLU between them.

    Args:
        x: inputs, float32 (batch, features).
        y: classes, int64 (batch,).
        weights: of each layer, float32 (outputs, inputs); biases start at zero.
    """

    x: Array
    y: Array
    weights: tuple[Array, ...]

    @property
    def flops(self) -> float:
        """Of the matrix products of a training step; the inputs need no gradient."""
        batch, first = len(self.x), self.weights[0].size
        return 2.0 * batch * (3 * sum(weight.size for weight in self.weights) - first)


def make_problem(sizes: Sequence[int], batch: int) -> Problem:
    """Random data and weights, the same ones at each call."""
    random = np.random.default_rng(0)
    x = random.normal(size=(batch, sizes[0])).astype(np.float32)
    y = random.integers(0, sizes[-1], batch)
    x[1::2] = x[: batch - 1 : 2]  # most pairs disagree about their class: the loss stays large
    weights = tuple(
        random.uniform(-1, 1, (outputs, inputs)).astype(np.float32) / np.float32(inputs**0.5)
        for inputs, outputs in pairwise(sizes)
    )
    return Problem(x, y, weights)
