"""RAdam."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import add, div, gt, mul, sqrt, sub
from graphc.frontend.optim.checks import require_betas, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, blend, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class RAdam(Optimizer):
    """Adam that leaves the squares out until it has seen enough of them.

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        betas: how much of the running means is kept.
        eps: added to the root.
        weight_decay: factor of the parameter that is added to its gradient.
        decoupled_weight_decay: shrink the parameter itself, as AdamW does.
        foreach, capturable, differentiable: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative option, or betas outside ``[0, 1)``.

    Source: ``torch.optim.RAdam``.
    """

    has_parts = True

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "eps", "weight_decay")
        require_betas(self, group)

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay"], ["decoupled_weight_decay", "maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and zeros for the running means."""
        begin(param, state, ["exp_avg", "exp_avg_sq"], step=0.0)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step; ``seen`` is how many squares the running mean of them stands for."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, steps = next_step(state)
        mean = blend(state["exp_avg"], grad, options.number("betas", 0))
        square = blend(state["exp_avg_sq"], mul(grad, grad), options.number("betas", 1))
        weight = options.weight_so_far("betas", 1, steps)
        most = 2 / (1 - options.value("betas", 1)) - 1
        seen = most - 2 * steps * (1 - weight) / weight
        is_enough = gt(seen, 5.0)
        trust = (seen - 4) * (seen - 2) * most / ((most - 4) * (most - 2) * seen)
        factor = where(is_enough, sqrt(trust) * sqrt(weight), 1.0)
        root = add(sqrt(square), to_operand(options.number("eps"), param.dtype))
        divisor = where(is_enough, root, 1.0)
        length = options.number("lr") / options.weight_so_far("betas", 0, steps)
        moved = sub(param, div(times(mean, length * factor), divisor))
        return moved, {"step": step, "exp_avg": mean, "exp_avg_sq": square}
