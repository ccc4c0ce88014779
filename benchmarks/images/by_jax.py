"""In JAX: the whole step in one ``jax.jit``, with donated buffers and SGD written by hand."""

from typing import Any

from benchmarks.case import Run
from benchmarks.images.problem import MOMENTUM, RATE, Problem
from benchmarks.jax_training import repeated


class Functions:
    """The functions that the networks use, with PyTorch's names and arguments.

    Args:
        jax: the module.
    """

    def __init__(self, jax: Any) -> None:
        self._jax = jax
        self._numpy = jax.numpy

    def relu(self, x: Any) -> Any:
        return self._numpy.maximum(x, 0)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight.T + bias

    def conv2d(
        self, x: Any, weight: Any, bias: Any = None, stride: int = 1, padding: int = 0
    ) -> Any:
        around = ((padding, padding),) * 2
        y = self._jax.lax.conv_general_dilated(x, weight, (stride, stride), around)
        return y if bias is None else y + bias[:, None, None]

    def max_pool2d(self, x: Any, size: int) -> Any:
        window = (1, 1, size, size)
        lax = self._jax.lax
        return lax.reduce_window(x, -self._numpy.inf, lax.max, window, window, "VALID")

    def batch_norm(
        self, x: Any, mean: Any, variance: Any, scale: Any, shift: Any, *, training: bool,
        eps: float,
    ) -> Any:  # fmt: skip
        assert training
        assert mean is None
        assert variance is None
        centre = x.mean((0, 2, 3), keepdims=True)
        spread = self._numpy.square(x - centre).mean((0, 2, 3), keepdims=True)
        factor = scale[:, None, None] * self._jax.lax.rsqrt(spread + eps)
        return (x - centre) * factor + shift[:, None, None]


def training(jax: Any, problem: Problem) -> Run:
    """Each run returns the loss."""
    numpy, tree, functions = jax.numpy, jax.tree_util.tree_map, Functions(jax)
    x, y = numpy.asarray(problem.x), numpy.asarray(problem.y)

    def loss_of(parameters: Any, x: Any, y: Any) -> Any:
        logs = jax.nn.log_softmax(problem.network(functions, parameters, x))
        return -numpy.take_along_axis(logs, y[:, None], axis=1).mean()

    def step(state: Any, x: Any, y: Any) -> Any:
        parameters, moving = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y)
        moving = tree(lambda m, g: MOMENTUM * m + g, moving, gradients)
        return loss, (tree(lambda p, m: p - RATE * m, parameters, moving), moving)

    parameters = [numpy.array(values) for values in problem.parameters]
    state = (parameters, tree(numpy.zeros_like, parameters))
    return repeated(jax, step, state, x, y)
