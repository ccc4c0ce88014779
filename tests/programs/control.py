"""Programs with loops and branches, which write variables from inside."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from tests.programs.base import Array, normal, program


def _states(xs: Array, h: Array, w: Array) -> tuple[Array, Array, Array, Array]:
    """The states of a recurrent net, and the gradients of the sum of their squares."""
    states = [h]
    for x in xs:
        states.append(np.tanh(x + states[-1] @ w))
    slope, by_item = np.zeros_like(h), np.zeros_like(xs)
    for t in reversed(range(len(xs))):
        inner = (slope + 2 * states[t + 1]) * (1 - states[t + 1] ** 2)
        by_item[t], slope = inner, inner @ w.T
    return states[-1], np.stack(states[1:]), by_item, slope


@program(normal((5, 3, 4), (3, 4), (4, 4)), _states, ulps=64, absolute=2e-5)
def recurrent_states(xs: Any, h: Any, w: Any) -> Any:
    xs.requires_grad_()
    h.requires_grad_()

    def step(h: Any, x: Any) -> Any:
        h = (x + h @ w).tanh()
        return h, h

    last, states = gc.scan(step, h, xs)
    by_item, by_start = gc.grad((states * states).sum(), [xs, h])
    return last.detach(), states.detach(), by_item, by_start


def _account() -> dict[str, Array]:
    return {"total": np.zeros(3, np.float32), "steps": np.zeros((), np.float32)}


def _running(state: dict[str, Array], xs: Array) -> tuple[Array, Array]:
    rows = []
    for x in xs[::-1]:
        state["total"] = state["total"] * np.float32(0.5) + x
        state["steps"] = state["steps"] + np.float32(1)
        rows.append(state["total"] * x)
    return state["total"].max(), np.stack(rows[::-1])


@program(normal((6, 3)), _running, variables=_account, absolute=2e-6)
def variables_that_a_scan_writes(state: dict[str, Any], xs: Any) -> Any:
    def step(_: None, x: Any) -> Any:
        with gc.no_grad():
            state["total"].mul_(0.5)
            state["total"].add_(x)
            state["steps"].add_(1)
        return None, state["total"] * x

    _, rows = gc.scan(step, None, xs, reverse=True)
    return state["total"].max(), rows


def _halved(state: dict[str, Array], x: Array) -> tuple[Array, Array]:
    steps = 0
    while np.abs(x).max() > 0.25:
        x = x * np.float32(0.5)
        steps += 1
    if steps % 2:
        state["total"] = state["total"] + x[:3]
    return x, np.float32(steps)


@program(normal((7,)), _halved, variables=_account)
def a_loop_whose_length_is_data(state: dict[str, Any], x: Any) -> Any:
    small, steps = gc.while_loop(
        lambda x, n: x.abs().max() > 0.25, lambda x, n: (x * 0.5, n + 1), (x, gc.tensor(0))
    )

    def odd() -> Any:
        with gc.no_grad():
            state["total"].add_(small[:3])
        return steps.float()

    return small, gc.cond(steps % 2 == 1, odd, lambda: steps.float())
