"""Adamax."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.frontend.functions.choosing import maximum
from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import abs as magnitude
from graphc.frontend.functions.pointwise import add, div, sub
from graphc.frontend.optim.checks import require_betas, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, blend, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class Adamax(Optimizer):
    """Steps of the running mean of gradients over their largest size, which fades.

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        betas: how much of the mean and of the largest size is kept.
        eps: added to the size of each gradient.
        weight_decay: factor of the parameter that is added to its gradient.
        foreach, differentiable, capturable: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative option, or betas outside ``[0, 1)``.

    Source: ``torch.optim.Adamax``.
    """

    has_parts = True

    def __init__(
        self, params: Params, lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
        foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
            "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "eps", "weight_decay")
        require_betas(self, group)

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay"], ["maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and zeros for the mean and the largest size."""
        begin(param, state, ["exp_avg", "exp_inf"], step=0.0)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, steps = next_step(state)
        mean = blend(state["exp_avg"], grad, options.number("betas", 0))
        faded = times(state["exp_inf"], options.number("betas", 1))
        floor = to_operand(options.number("eps"), param.dtype)
        largest = maximum(faded, add(magnitude(grad), floor))
        length = options.number("lr") / options.weight_so_far("betas", 0, steps)
        moved = sub(param, div(times(mean, length), largest))
        return moved, {"step": step, "exp_avg": mean, "exp_inf": largest}
