"""RMSprop."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import add, div, mul, sqrt, sub
from graphc.frontend.optim.checks import require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, blend, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class RMSprop(Optimizer):
    """Steps of the gradient over the root of the running mean of its squares.

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        alpha: how much of the running means is kept.
        eps: added to the root.
        weight_decay: factor of the parameter that is added to its gradient.
        momentum: how much of the last step is kept.
        centered: divide by the deviation, not by the root of the mean of squares.
        capturable, foreach, differentiable: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative option.

    Source: ``torch.optim.RMSprop``.
    """

    has_parts = True

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
        capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "eps", "momentum", "weight_decay", "alpha")

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay", "momentum"], ["centered", "maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and zeros for the running means."""
        used = {"momentum_buffer": group["momentum"] != 0, "grad_avg": group["centered"]}
        begin(param, state, ["square_avg", *(name for name in used if used[name])], step=0.0)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, _ = next_step(state)
        alpha = options.number("alpha")
        square = blend(state["square_avg"], mul(grad, grad), alpha)
        next_state = {"step": step, "square_avg": square}
        if options.fact("centered"):
            mean = next_state["grad_avg"] = blend(state["grad_avg"], grad, alpha)
            square = sub(square, mul(mean, mean))
        floor = to_operand(options.number("eps"), param.dtype)
        direction = div(grad, add(sqrt(square), floor))
        if options.fact("momentum") != 0:
            kept = times(state["momentum_buffer"], options.number("momentum"))
            direction = next_state["momentum_buffer"] = add(kept, direction)
        return sub(param, times(direction, options.number("lr"))), next_state
