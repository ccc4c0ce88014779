"""Terms that several update rules have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from graphc.dtypes import float32, float64
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.pointwise import add, neg
from graphc.frontend.optim.options import Options, Scalar, times
from graphc.frontend.optim.state import state_tensor
from graphc.frontend.tensor import Tensor

State = dict[str, Any]


def facts(group: Mapping[str, Any], terms: Iterable[str], flags: Iterable[str]) -> Hashable:
    """Which terms of a rule are there: options that are not 0, and options that are True."""
    used = tuple(float(group[name]) != 0 for name in terms)
    return (*used, *(bool(group[name]) for name in flags))


def begin(param: Tensor, state: State, zeros: Iterable[str], **numbers: float) -> None:
    """Add what a state lacks.

    Args:
        param: the parameter.
        state: gets the new tensors.
        zeros: names of tensors like the parameter.
        numbers: 0-d float32 tensors with their first values.
    """
    for name, value in numbers.items():
        if name not in state:
            state[name] = state_tensor((), float32, value)
    for name in zeros:
        if name not in state:
            state[name] = state_tensor(param.shape, param.dtype)


def next_step(state: State) -> tuple[Tensor, Tensor]:
    """The count of steps after this one, and the same in float64."""
    step = add(state["step"], 1)
    return step, cast(step, float64)


def uphill(grad: Tensor, options: Options) -> Tensor:
    """The gradient, or with ``maximize`` its negative."""
    return neg(grad) if options.fact("maximize") else grad


def with_decay(param: Tensor, grad: Tensor, options: Options) -> tuple[Tensor, Tensor]:
    """The parameter and its gradient after weight decay, which goes into one of them."""
    if options.fact("weight_decay") == 0:
        return param, grad
    decay = options.number("weight_decay")
    if options.group.get("decoupled_weight_decay"):
        return times(param, 1 - options.number("lr") * decay), grad
    return param, add(grad, times(param, decay))


def blend(old: Tensor, new: Tensor, beta: Scalar) -> Tensor:
    """``beta * old + (1 - beta) * new``."""
    return add(times(old, beta), times(new, 1 - beta))
