"""Adadelta."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import add, div, mul, sqrt, sub
from graphc.frontend.optim.checks import refuse, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, blend, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class Adadelta(Optimizer):
    """Steps as long as the running root of steps' squares, over that of gradients' squares.

    Args:
        params: see ``Optimizer``.
        lr: factor of each step.
        rho: how much of the running means is kept.
        eps: added under both roots.
        weight_decay: factor of the parameter that is added to its gradient.
        foreach, capturable, differentiable: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative option, or ``rho`` above 1.

    Source: ``torch.optim.Adadelta``.
    """

    has_parts = True

    def __init__(
        self, params: Params, lr: float | Tensor = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0.0, foreach: bool | None = None, *, capturable: bool = False,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "rho", "eps", "weight_decay")
        if float(group["rho"]) > 1:
            refuse(self, "rho must be a number from 0 to 1", str(group["rho"]))

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay"], ["maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and zeros for the running means."""
        begin(param, state, ["square_avg", "acc_delta"], step=0.0)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, _ = next_step(state)
        rho, floor = options.number("rho"), to_operand(options.number("eps"), param.dtype)
        square = blend(state["square_avg"], mul(grad, grad), rho)
        length = div(sqrt(add(state["acc_delta"], floor)), sqrt(add(square, floor)))
        delta = mul(length, grad)
        moved = sub(param, times(delta, options.number("lr")))
        steps = blend(state["acc_delta"], mul(delta, delta), rho)
        return moved, {"step": step, "square_avg": square, "acc_delta": steps}
