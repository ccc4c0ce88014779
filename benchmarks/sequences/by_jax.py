"""In JAX: ``jax.lax.scan`` over the steps, and the whole training step in one ``jax.jit``."""

from typing import Any

from benchmarks.case import Run
from benchmarks.jax_training import adam
from benchmarks.sequences.problem import BETA1, BETA2, EPS, RATE, Problem


def training(jax: Any, problem: Problem) -> Run:
    """Each run returns the loss."""
    numpy = jax.numpy
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

    return adam(
        jax, loss_of, {**weights, **biases}, x, y, lr=RATE, betas=(BETA1, BETA2), eps=EPS
    )  # fmt: skip
