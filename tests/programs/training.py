"""Programs with gradients of gradients, and programs that update variables."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from tests.programs.base import Array, integers, normal, program


def _dead_branch(x: Array) -> tuple[Array, Array]:
    alive = x > 0
    safe = np.where(alive, x, 1)
    return np.where(alive, np.sqrt(safe), 0), np.where(alive, 0.5 / np.sqrt(safe), 0)


@program(normal((4, 9)), _dead_branch)
def where_with_a_dead_branch(x: Any) -> Any:
    """The root of a negative number is NaN; its gradient must not reach x through `where`."""
    x.requires_grad_()
    alive = x > 0
    y = gc.where(alive, gc.where(alive, x, 1.0).sqrt(), 0.0)
    (gradient,) = gc.grad(y.sum(), x)
    return y.detach(), gradient


def _second_order(x: Array, w: Array) -> tuple[Array, Array, Array]:
    s = np.sin(x @ w)
    c = np.cos(x @ w)
    first = x.T @ c
    penalty = (first * first).sum()
    second = -2 * ((x @ first) * s)
    return first, penalty, x.T @ second


@program(normal((5, 3), (3,)), _second_order, ulps=16, absolute=4e-5)
def gradient_penalty(x: Any, w: Any) -> Any:
    w.requires_grad_()
    (first,) = gc.grad((x @ w).sin().sum(), w, create_graph=True)
    penalty = (first * first).sum()
    (second,) = gc.grad(penalty, w)
    return first.detach(), penalty.detach(), second


@program(
    normal((11,), (11,)),
    lambda x, v: ((6 * x + np.exp(x)) * v, 6 + np.exp(x)),
    ulps=8, absolute=4e-6,
)  # fmt: skip
def hessian_times_vector(x: Any, v: Any) -> Any:
    x.requires_grad_()
    (first,) = gc.grad((x * x * x + x.exp()).sum(), x, create_graph=True)
    (second,) = gc.grad((first * v).sum(), x, create_graph=True)
    (third,) = gc.grad((first / first.detach() * 0 + first).sum(), x, create_graph=True)
    (fourth,) = gc.grad(third.sum(), x)
    return second.detach(), fourth


def _weights() -> dict[str, Array]:
    rng = np.random.default_rng(3)
    return {
        "w": rng.standard_normal((4, 3)).astype(np.float32),
        "b": np.zeros(3, np.float32),
        "dw": np.zeros((4, 3), np.float32),
        "db": np.zeros(3, np.float32),
    }


def _regression(state: dict[str, Array], x: Array, y: Array) -> tuple[Array, Array, Array]:
    error = np.tanh(x @ state["w"] + state["b"]) - y
    inner = 2 * error / error.size * (1 - (error + y) ** 2)
    return (error * error).mean(), x.T @ inner, inner.sum(0)


def _momentum_oracle(state: dict[str, Array], x: Array, y: Array) -> Array:
    loss, dw, db = _regression(state, x, y)
    for name, gradient in (("w", dw), ("b", db)):
        state["d" + name] = 0.9 * state["d" + name] + gradient
        state[name] = state[name] - 0.1 * state["d" + name]
    return loss


def _loss_and_gradients(state: dict[str, Any], x: Any, y: Any) -> tuple[Any, tuple[Any, ...]]:
    error = (x @ state["w"] + state["b"]).tanh() - y
    loss = (error * error).mean()
    return loss.detach(), gc.grad(loss, [state["w"], state["b"]])


@program(normal((8, 4), (8, 3)), _momentum_oracle, variables=_weights, ulps=8, absolute=5e-7)
def momentum_step(state: dict[str, Any], x: Any, y: Any) -> Any:
    loss, gradients = _loss_and_gradients(state, x, y)
    with gc.no_grad():
        for name, gradient in zip(("w", "b"), gradients, strict=True):
            velocity = state["d" + name]
            velocity.mul_(0.9)
            velocity.add_(gradient)
            state[name].sub_(0.1 * velocity)
    return loss


def _adam_oracle(state: dict[str, Array], x: Array, y: Array) -> Array:
    loss, dw, _ = _regression(state, x, y)
    state["t"] = state["t"] + 1
    state["m"] = 0.9 * state["m"] + 0.1 * dw
    state["v"] = 0.99 * state["v"] + 0.01 * dw * dw
    mean = state["m"] / (1 - 0.9 ** state["t"])
    square = state["v"] / (1 - 0.99 ** state["t"])
    state["w"] = state["w"] - 0.01 * mean / (np.sqrt(square) + 1e-4)
    return loss


def _adam_state() -> dict[str, Array]:
    w = _weights()["w"]
    return {
        "w": w, "b": np.zeros(3, np.float32), "m": w * 0, "v": w * 0, "t": np.zeros((), np.float32)
    }  # fmt: skip


@program(normal((8, 4), (8, 3)), _adam_oracle, variables=_adam_state, ulps=16, absolute=1e-6)
def adam_step(state: dict[str, Any], x: Any, y: Any) -> Any:
    loss, (gradient, _) = _loss_and_gradients(state, x, y)
    with gc.no_grad():
        state["t"].add_(1)
        state["m"].copy_(0.9 * state["m"] + 0.1 * gradient)
        state["v"].copy_(0.99 * state["v"] + 0.01 * gradient * gradient)
        mean = state["m"] / (1 - 0.9 ** state["t"])
        square = state["v"] / (1 - 0.99 ** state["t"])
        state["w"].sub_(0.01 * mean / (square.sqrt() + 1e-4))
    return loss


def _swap_oracle(state: dict[str, Array], x: Array) -> tuple[Array, Array]:
    a, b = state["a"], state["b"]
    state["a"], state["b"] = b, a
    return a + x, b * x


def _pair() -> dict[str, Array]:
    return {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.full((2, 3), -2.5, np.float32)
    }  # fmt: skip


@program(normal((2, 3)), _swap_oracle, variables=_pair)
def variables_change_places(state: dict[str, Any], x: Any) -> Any:
    with gc.no_grad():
        a, b = state["a"].clone(), state["b"].clone()
        state["a"].copy_(b)
        state["b"].copy_(a)
        return a + x, b * x


def _read_after_write_oracle(state: dict[str, Array], x: Array) -> list[Array]:
    old = state["a"]
    half = 0.5 * old + x
    state["a"] = 2 * half
    state["b"] = state["b"] + old
    return [old, half, state["a"], old.sum(0), state["a"].T * 2]


@program(normal((2, 3)), _read_after_write_oracle, variables=_pair, absolute=1e-6)
def read_before_between_and_after_writes(state: dict[str, Any], x: Any) -> Any:
    a, b = state["a"], state["b"]
    with gc.no_grad():
        old = a.clone()
        a.copy_(a * 0.5 + x)
        between = a.clone()
        a.mul_(2)
        b.add_(old)
        return [old, between, a.clone(), old.sum(0), a.T * 2]


def _rows_oracle(state: dict[str, Array], rows: Array) -> tuple[Array, Array]:
    read = state["table"][rows]
    gradient = np.zeros_like(state["table"])
    for row, values in zip(rows, read, strict=True):
        gradient[row] += 2 * values
    state["table"] = state["table"] - 0.05 * gradient
    return read, gradient


@program(
    integers((9,), low=0, high=5), _rows_oracle,
    variables=lambda: {"table": np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3)},
    ulps=8, absolute=1e-6,
)  # fmt: skip
def embedding_step(state: dict[str, Any], rows: Any) -> Any:
    """Rows are read several times, and the table is updated by what was read."""
    table = state["table"]
    read = table[rows]
    (gradient,) = gc.grad((read * read).sum(), table)
    with gc.no_grad():
        table.sub_(0.05 * gradient)
    return read.detach(), gradient


def _batch_norm_oracle(state: dict[str, Array], x: Array) -> tuple[Array, Array]:
    mean, variance = x.mean((0, 2)), x.var((0, 2))
    count = x.size / len(mean)
    state["mean"] = 0.9 * state["mean"] + 0.1 * mean
    state["variance"] = 0.9 * state["variance"] + 0.1 * variance * count / (count - 1)
    normalized = (x - mean[:, None]) / np.sqrt(variance + 1e-5)[:, None]
    return normalized * 2 - 1, normalized.max((0, 2))


@program(
    normal((6, 3, 17)), _batch_norm_oracle,
    variables=lambda: {"mean": np.zeros(3, np.float32), "variance": np.ones(3, np.float32)},
    ulps=8, absolute=4e-6,
)  # fmt: skip
def batch_norm_by_hand(state: dict[str, Any], x: Any) -> Any:
    mean = x.mean((0, 2), keepdim=True)
    centred = x - mean
    variance = (centred * centred).mean((0, 2), keepdim=True)
    normalized = centred / (variance + 1e-5).sqrt()
    with gc.no_grad():
        state["mean"].copy_(0.9 * state["mean"] + 0.1 * mean.flatten())
        state["variance"].copy_(0.9 * state["variance"] + 0.1 * x.var((0, 2)))
    return normalized * 2 - 1, normalized.amax((0, 2))
