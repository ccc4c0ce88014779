"""Adagrad."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import add, div, mul, sqrt, sub
from graphc.frontend.optim.checks import require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.state import state_tensor
from graphc.frontend.optim.terms import begin, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class Adagrad(Optimizer):
    """Steps of the gradient over the root of the sum of all its squares so far.

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        lr_decay: the rate is divided by one more than this times the steps made.
        weight_decay: factor of the parameter that is added to its gradient.
        initial_accumulator_value: what the sums begin with.
        eps: added to the root.
        foreach, differentiable, fused: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative option.

    Source: ``torch.optim.Adagrad``.
    """

    has_parts = True

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, lr_decay: float = 0.0,
        weight_decay: float = 0.0, initial_accumulator_value: float = 0.0, eps: float = 1e-10,
        foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:  # as PyTorch does, so that checkpoints are the same
            for param in group["params"]:
                self.init(param, group, self.state[param])

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        names = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        require_non_negative(self, group, *names)

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay"], ["maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and the sum's first value."""
        begin(param, state, [], step=0.0)
        if "sum" not in state:
            first = float(group["initial_accumulator_value"])
            value = complex(first, first) if param.dtype.is_complex else first
            state["sum"] = state_tensor(param.shape, param.dtype, value)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, steps = next_step(state)
        rate = options.number("lr") / (1 + (steps - 1) * options.number("lr_decay"))
        total = add(state["sum"], mul(grad, grad))
        floor = to_operand(options.number("eps"), param.dtype)
        moved = sub(param, times(div(grad, add(sqrt(total), floor)), rate))
        return moved, {"step": step, "sum": total}
