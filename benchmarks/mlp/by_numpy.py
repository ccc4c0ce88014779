"""By hand in numpy: the reference."""

import numpy as np

from benchmarks.case import Array, Run
from benchmarks.mlp.problem import BETA1, BETA2, EPS, RATE, Problem


def training(problem: Problem) -> Run:
    """Forward, backward and Adam; each run returns the loss."""
    weights = [weight.copy() for weight in problem.weights]
    biases = [np.zeros(len(weight), np.float32) for weight in weights]
    parameters = [*weights, *biases]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    rows, steps = np.arange(len(problem.y)), 0

    def run() -> Array:
        nonlocal steps
        steps += 1
        values = [problem.x]
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            value = values[-1] @ weight.T + bias
            values.append(np.maximum(value, 0) if layer < len(weights) - 1 else value)
        shifted = values[-1] - values[-1].max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        slope = np.exp(logs)
        slope[rows, problem.y] -= 1
        slope /= len(rows)
        gradients: list[Array] = [slope] * len(parameters)
        for layer in reversed(range(len(weights))):
            gradients[layer] = slope.T @ values[layer]
            gradients[layer + len(weights)] = slope.sum(axis=0)
            slope = (slope @ weights[layer]) * (values[layer] > 0)
        for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
            m += (1 - BETA1) * (g - m)
            v *= BETA2
            v += (1 - BETA2) * g * g
            root = np.sqrt(v) / np.float32((1 - BETA2**steps) ** 0.5)
            p -= np.float32(RATE / (1 - BETA1**steps)) * m / (root + np.float32(EPS))
        return np.asarray(-logs[rows, problem.y].mean())

    return run


def forward(problem: Problem) -> Run:
    """The scores of all classes."""
    biases = [np.zeros(len(weight), np.float32) for weight in problem.weights]

    def run() -> Array:
        value = problem.x
        for layer, (weight, bias) in enumerate(zip(problem.weights, biases, strict=True)):
            value = value @ weight.T + bias
            value = np.maximum(value, 0) if layer < len(problem.weights) - 1 else value
        return value

    return run
