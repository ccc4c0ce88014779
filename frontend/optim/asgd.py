"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.dtypes import float32, float64
from graphc.frontend.functions.choosing import maximum, where
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.pointwise import add, eq, sub
from graphc.frontend.functions.pointwise import pow as power
from graphc.frontend.optim.checks import require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class ASGD(Optimizer):
    """Gradient descent whose state has the average of the parameter's values, as ``"ax"``.

    Args:
        params: see ``Optimizer``.
        lr: learning rate of the first step.
        lambd: how fast the parameter and the rate shrink.
        alpha: power of the rate's decay.
        t0: from which step on values are averaged.
        weight_decay: factor of the parameter that is added to its gradient.
        foreach, differentiable, capturable: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative rate or decay.

    Source: ``torch.optim.ASGD``.
    """

    has_parts = True
    numbers = frozenset({"step", "eta", "mu"})

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
        t0: float = 1e6, weight_decay: float = 0.0, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
            "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "weight_decay")

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay"], ["maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, the next step's rate and weight in the average, and the average."""
        begin(param, state, ["ax"], step=0.0, eta=float(group["lr"]), mu=1.0)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, steps = next_step(state)
        rate, shrink = cast(state["eta"], float64), options.number("lambd")
        moved = sub(times(param, 1 - shrink * rate), times(grad, rate))
        average = add(state["ax"], times(sub(moved, state["ax"]), state["mu"]))
        average = where(eq(state["mu"], 1.0), moved, average)
        first = options.number("lr")
        slowed = power(1 + shrink * first * steps, options.value("alpha"))
        weight = 1 / maximum(steps - options.number("t0"), 1.0)
        return moved, {
            "step": step, "eta": cast(first / slowed, float32), "mu": cast(weight, float32),
            "ax": average,
        }  # fmt: skip
