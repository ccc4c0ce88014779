"""In JAX: the whole step in one ``jax.jit``, with donated buffers and Adam written by hand."""

from typing import Any

from benchmarks.case import Run
from benchmarks.jax_training import adam
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
    numpy = jax.numpy
    x, y = numpy.asarray(problem.x), numpy.asarray(problem.y)

    def loss_of(parameters: Any, x: Any, y: Any) -> Any:
        logs = jax.nn.log_softmax(_scores(jax, parameters, x))
        return -numpy.take_along_axis(logs, y[:, None], axis=1).mean()

    return adam(
        jax, loss_of, _parameters(jax, problem), x, y, lr=RATE, betas=(BETA1, BETA2), eps=EPS
    )  # fmt: skip


def forward(jax: Any, problem: Problem) -> Run:
    """The scores of all classes."""
    parameters, x = _parameters(jax, problem), jax.numpy.asarray(problem.x)
    fast = jax.jit(lambda parameters, x: _scores(jax, parameters, x))
    return lambda: fast(parameters, x).block_until_ready()
