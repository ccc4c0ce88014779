"""One training step of an MLP with Adam: forward, backward, update."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from benchmarks.case import Case, Job, Run
from benchmarks.cases.stateless import Array
from benchmarks.peers import find, torch_compiled
from graphc import nn, optim

SIZES = (784, 512, 512, 10)
RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


def _make(quick: bool) -> Job:
    random = np.random.default_rng(0)
    batch = 32 if quick else 128
    x = random.normal(size=(batch, SIZES[0])).astype(np.float32)
    y = random.integers(0, SIZES[-1], batch)
    weights = [
        random.uniform(-1, 1, (outputs, inputs)).astype(np.float32) / np.float32(inputs**0.5)
        for inputs, outputs in pairwise(SIZES)
    ]
    runs: dict[str, Run] = {
        "numpy": _numpy_step(x, y, weights),
        "graphc dynamic": _graphc_step(x, y, weights, lambda step: step),
        "graphc": _graphc_step(x, y, weights, gc.compile),
        **_torch_steps(x, y, weights, quick),
        **_jax_step(x, y, weights),
    }
    flops = sum(6.0 * batch * weight.size for weight in weights) - 2.0 * batch * weights[0].size
    return Job(runs, tolerance=1e-4, flops=flops)


def _numpy_step(x: Array, y: Array, initial: Sequence[Array]) -> Run:
    """By hand: the reference."""
    weights = [weight.copy() for weight in initial]
    biases = [np.zeros(len(weight), np.float32) for weight in weights]
    parameters = [*weights, *biases]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    steps = 0

    def run() -> Array:
        nonlocal steps
        steps += 1
        values = [x]
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            value = values[-1] @ weight.T + bias
            values.append(np.maximum(value, 0) if layer < len(weights) - 1 else value)
        shifted = values[-1] - values[-1].max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        rows = np.arange(len(y))
        slope = np.exp(logs)
        slope[rows, y] -= 1
        slope /= len(y)
        gradients: list[Array] = [x] * len(parameters)
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
        return np.asarray(-logs[rows, y].mean())

    return run


def _graphc_step(
    x: Array, y: Array, weights: Sequence[Array], wrap: Callable[[Callable[..., Any]], Any]
) -> Run:
    layers = [nn.Linear(weight.shape[1], weight.shape[0]) for weight in weights]
    with gc.no_grad():
        for layer, weight in zip(layers, weights, strict=True):
            layer.weight.copy_(gc.tensor(weight))
            assert layer.bias is not None
            layer.bias.zero_()
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    optimizer = optim.Adam(model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    run, inputs, labels = wrap(step), gc.tensor(x), gc.tensor(y)
    return lambda: run(inputs, labels).numpy()


def _torch_steps(x: Array, y: Array, weights: Sequence[Array], quick: bool) -> dict[str, Run]:
    torch = find("torch")
    if torch is None:
        return {}
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)

    def make(wrap: Callable[[Any], Any]) -> Run | None:
        layers = [torch.nn.Linear(weight.shape[1], weight.shape[0]) for weight in weights]
        with torch.no_grad():
            for layer, weight in zip(layers, weights, strict=True):
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.zero_()
        relu = torch.nn.ReLU()
        model = wrap(torch.nn.Sequential(layers[0], relu, layers[1], relu, layers[2]))
        if model is None:
            return None
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS)

        def run() -> Any:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            return loss.detach().numpy()

        return run

    def compiled(model: Any) -> Any:
        return torch_compiled(model, lambda made: made(inputs))

    made = {"torch": make(lambda model: model)}
    if not quick:
        made["torch.compile"] = make(compiled)
    return {name: run for name, run in made.items() if run is not None}


def _jax_step(x: Array, y: Array, weights: Sequence[Array]) -> dict[str, Run]:
    jax = find("jax")
    if jax is None:
        return {}
    jnp = jax.numpy
    inputs, labels = jnp.asarray(x), jnp.asarray(y)

    def loss_of(parameters: Any) -> Any:
        value = inputs
        for layer, (weight, bias) in enumerate(parameters):
            value = value @ weight.T + bias
            value = jnp.maximum(value, 0) if layer < len(parameters) - 1 else value
        logs = jax.nn.log_softmax(value)
        return -jnp.take_along_axis(logs, labels[:, None], axis=1).mean()

    def step(state: Any) -> Any:
        parameters, first, second, steps = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        steps = steps + 1
        tree = jax.tree_util.tree_map
        first = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
        second = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
        parameters = tree(
            lambda p, m, v: p
            - RATE / (1 - BETA1**steps) * m / (jnp.sqrt(v / (1 - BETA2**steps)) + EPS),
            parameters, first, second,
        )  # fmt: skip
        return loss, (parameters, first, second, steps)

    parameters = [(jnp.asarray(weight), jnp.zeros(len(weight))) for weight in weights]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, parameters)
    twice = jax.tree_util.tree_map(jnp.zeros_like, parameters)
    state = (parameters, zeros, twice, jnp.float32(0))
    fast = jax.jit(step, donate_argnums=0)

    def run() -> Any:
        nonlocal state
        loss, state = fast(state)
        return jax.block_until_ready(loss)

    return {"jax.jit": run}


TRAIN = Case("MLP 784-512-512-10, batch 128: one Adam step", _make)
