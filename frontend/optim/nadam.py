"""NAdam."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.dtypes import float32, float64
from graphc.frontend.functions.convert import cast, to_operand
from graphc.frontend.functions.pointwise import add, div, mul, sqrt, sub
from graphc.frontend.functions.pointwise import pow as power
from graphc.frontend.optim.checks import require_betas, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, blend, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, whose size grows with the steps made.

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        betas: how much of the running means is kept.
        eps: added to the root.
        weight_decay: factor of the parameter that is added to its gradient.
        momentum_decay: how fast the momentum comes to its full size.
        decoupled_weight_decay: shrink the parameter itself, as AdamW does.
        foreach, capturable, differentiable: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative option, or betas outside ``[0, 1)``.

    Source: ``torch.optim.NAdam``.
    """

    has_parts = True
    numbers = frozenset({"step", "mu_product"})

    def __init__(
        self, params: Params, lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
        momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "eps", "weight_decay", "momentum_decay")
        require_betas(self, group)

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay"], ["decoupled_weight_decay", "maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, the product of all momentums, and zeros for the running means."""
        begin(param, state, ["exp_avg", "exp_avg_sq"], step=0.0, mu_product=1.0)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, steps = next_step(state)
        now, later = _momentum(steps, options), _momentum(steps + 1, options)
        product = mul(state["mu_product"], cast(now, float32))
        so_far = cast(product, float64)
        mean = blend(state["exp_avg"], grad, options.number("betas", 0))
        square = blend(state["exp_avg_sq"], mul(grad, grad), options.number("betas", 1))
        root = sqrt(times(square, 1 / options.weight_so_far("betas", 1, steps)))
        length = add(root, to_operand(options.number("eps"), param.dtype))
        rate = options.number("lr")
        fresh = div(times(grad, rate * (1 - now) / (1 - so_far)), length)
        kept = div(times(mean, rate * later / (1 - so_far * later)), length)
        moved = sub(sub(param, fresh), kept)
        return moved, {
            "step": step, "mu_product": product, "exp_avg": mean, "exp_avg_sq": square,
        }  # fmt: skip


def _momentum(steps: Tensor, options: Options) -> Tensor:
    """How much of the mean a step keeps: from about half of the first beta to all of it."""
    fading = power(0.96, steps * options.number("momentum_decay"))
    return options.value("betas", 0) * (1.0 - 0.5 * fading)
