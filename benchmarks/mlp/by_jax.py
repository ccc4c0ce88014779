"""In JAX: the whole step in one ``jax.jit``, with donated buffers and Adam written by hand."""

from typing import Any

from benchmarks.case import Run
from benchmarks.mlp.problem import BETA1, BETA2, EPS, RATE, Problem


def _scores(jax: Any, parameters: Any, x: Any) -> Any:
    for layer, (weight, bias) in enumerate(parameters):
        x = x @ weight.T + bias
        x = jax.numpy.maximum(x, 0) if layer < len(parameters) - 1 else x
    return x


def _parameters(jax: Any, problem: Problem) -> Any:
    numpy = jax.numpy
    return [(numpy.array(weight), numpy.zeros(len(weight))) for weight in problem.weights]


def training(jax: Any, problem: Problem) -> Run:
    """Each run returns the loss."""
    numpy, tree = jax.numpy, jax.tree_util.tree_map
    x, y = numpy.asarray(problem.x), numpy.asarray(problem.y)

    def loss_of(parameters: Any, x: Any, y: Any) -> Any:
        logs = jax.nn.log_softmax(_scores(jax, parameters, x))
        return -numpy.take_along_axis(logs, y[:, None], axis=1).mean()

    def step(state: Any, x: Any, y: Any) -> Any:
        parameters, first, second, steps = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y)
        steps = steps + 1
        first = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
        second = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
        rate, scale = RATE / (1 - BETA1**steps), 1 / (1 - BETA2**steps)
        parameters = tree(
            lambda p, m, v: p - rate * m / (numpy.sqrt(v * scale) + EPS), parameters, first, second
        )
        return loss, (parameters, first, second, steps)

    parameters = _parameters(jax, problem)
    first, second = (tree(numpy.zeros_like, parameters) for _ in range(2))
    state = (parameters, first, second, numpy.float32(0))
    fast = jax.jit(step, donate_argnums=0)

    def run() -> Any:
        nonlocal state
        loss, state = fast(state, x, y)
        jax.block_until_ready(state)
        return loss

    return run


def forward(jax: Any, problem: Problem) -> Run:
    """The scores of all classes."""
    parameters, x = _parameters(jax, problem), jax.numpy.asarray(problem.x)
    fast = jax.jit(lambda parameters, x: _scores(jax, parameters, x))
    return lambda: fast(parameters, x).block_until_ready()
