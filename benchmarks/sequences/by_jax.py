"""In JAX: ``jax.lax.scan`` over the steps, and the whole training step in one ``jax.jit``."""

from typing import Any

from benchmarks.case import Run
from benchmarks.sequences.problem import BETA1, BETA2, EPS, RATE, Problem


def training(jax: Any, problem: Problem) -> Run:
    """Each run returns the loss."""
    numpy, tree = jax.numpy, jax.tree_util.tree_map
    x, y = numpy.asarray(problem.x), numpy.asarray(problem.y)
    weights = {name: numpy.array(each) for name, each in problem.weights.items()}
    biases = {
        name.replace("weight", "bias"): numpy.zeros(len(each)) for name, each in weights.items()
    }

    def outputs(p: Any, x: Any) -> Any:
        from_inputs = x @ p["lstm.weight_ih_l0"].T + p["lstm.bias_ih_l0"] + p["lstm.bias_hh_l0"]

        def step(state: Any, from_input: Any) -> Any:
            hidden, cell = state
            gates = from_input + hidden @ p["lstm.weight_hh_l0"].T
            enter, forget, fresh, leave = numpy.split(gates, 4, axis=-1)
            cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(enter) * numpy.tanh(fresh)
            hidden = jax.nn.sigmoid(leave) * numpy.tanh(cell)
            return (hidden, cell), hidden

        start = numpy.zeros((x.shape[1], problem.hidden))
        _, stacked = jax.lax.scan(step, (start, start), from_inputs)
        return stacked @ p["head.weight"].T + p["head.bias"]

    def loss_of(p: Any, x: Any, y: Any) -> Any:
        logs = jax.nn.log_softmax(outputs(p, x))
        return -numpy.take_along_axis(logs, y[..., None], axis=-1).mean()

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

    parameters = {**weights, **biases}
    first, second = (tree(numpy.zeros_like, parameters) for _ in range(2))
    state = (parameters, first, second, numpy.float32(0))
    fast = jax.jit(step, donate_argnums=0)

    def run() -> Any:
        nonlocal state
        loss, state = fast(state, x, y)
        jax.block_until_ready(state)
        return loss

    return run
