"""The data, the first weights and the constants that all peers share."""

from dataclasses import dataclass

import numpy as np

from benchmarks.case import Array

RATE, BETA1, BETA2, EPS = 1e-5, 0.9, 0.999, 1e-8
"""Of Adam; so small that thousands of steps on one batch do not end the learning."""

CLASSES = 10


@dataclass(frozen=True)
class Problem:
    """One LSTM, and a linear layer for each step of its output.

    Args:
        x: inputs, float32 (steps, batch, features).
        y: classes, int64 (steps, batch).
        weights: float32, by PyTorch's names: of the LSTM those of the inputs and of the states, and
            of the linear layer; biases start at zero.
    """

    x: Array
    y: Array
    weights: dict[str, Array]

    @property
    def hidden(self) -> int:
        """The size of the states."""
        return int(self.weights["lstm.weight_hh_l0"].shape[1])

    @property
    def flops(self) -> float:
        """Of the matrix products of a training step; the inputs need no gradient."""
        first = self.weights["lstm.weight_ih_l0"].size
        total = sum(each.size for each in self.weights.values())
        return float(2 * self.y.size * (3 * total - first))


def make_problem(steps: int, batch: int, features: int, hidden: int) -> Problem:
    """Random data and weights, the same ones at each call."""
    random = np.random.default_rng(0)
    x = random.normal(size=(steps, batch, features)).astype(np.float32)
    y = random.integers(0, CLASSES, (steps, batch))
    x[:, 1::2] = x[:, : batch - 1 : 2]  # most pairs disagree: the loss stays large
    shapes = {
        "lstm.weight_ih_l0": (4 * hidden, features),
        "lstm.weight_hh_l0": (4 * hidden, hidden),
        "head.weight": (CLASSES, hidden),
    }
    bound = hidden**-0.5
    weights = {
        name: random.uniform(-bound, bound, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    return Problem(x, y, weights)
