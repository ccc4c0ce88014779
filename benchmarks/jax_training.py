"""Training in JAX: a step in one ``jax.jit`` whose state stays in donated buffers, and Adam."""

from collections.abc import Callable
from typing import Any

from benchmarks.case import Run

LossOf = Callable[[Any, Any, Any], Any]
"""The loss of parameters, inputs and classes."""


def repeated(jax: Any, step: Callable[..., Any], state: Any, x: Any, y: Any) -> Run:
    """Runs that go on from each other and return the loss.

    Args:
        jax: the module.
        step: gives the loss and the next state for a state, inputs and classes.
        state: the first one.
        x: the inputs.
        y: the classes.
    """
    fast = jax.jit(step, donate_argnums=0)

    def run() -> Any:
        nonlocal state
        loss, state = fast(state, x, y)
        jax.block_until_ready(state)
        return loss

    return run


def adam(
    jax: Any, loss_of: LossOf, parameters: Any, x: Any, y: Any, *, lr: float,
    betas: tuple[float, float], eps: float,
) -> Run:  # fmt: skip
    """Steps of Adam, written by hand as in PyTorch.

    Args:
        jax: the module.
        loss_of: what becomes less.
        parameters: the first ones, nested.
        x: the inputs.
        y: the classes.
        lr: the learning rate.
        betas: how much of the moving averages stays.
        eps: what is added to the divisor.
    """
    numpy, tree = jax.numpy, jax.tree_util.tree_map
    beta1, beta2 = betas

    def step(state: Any, x: Any, y: Any) -> Any:
        parameters, first, second, steps = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y)
        steps = steps + 1
        first = tree(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradients)
        second = tree(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradients)
        rate, scale = lr / (1 - beta1**steps), 1 / (1 - beta2**steps)
        parameters = tree(
            lambda p, m, v: p - rate * m / (numpy.sqrt(v * scale) + eps), parameters, first, second
        )
        return loss, (parameters, first, second, steps)

    first, second = (tree(numpy.zeros_like, parameters) for _ in range(2))
    return repeated(jax, step, (parameters, first, second, numpy.float32(0)), x, y)
