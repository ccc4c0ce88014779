"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.frontend.functions.choosing import maximum
from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import add, div, mul, sqrt, sub
from graphc.frontend.optim.checks import require_betas, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, blend, facts, next_step, uphill, with_decay
from graphc.frontend.tensor import Tensor


class Adam(Optimizer):
    """Steps of the running mean of gradients over the root of that of their squares.

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        betas: how much of the running means is kept.
        eps: added to the root.
        weight_decay: factor of the parameter that is added to its gradient.
        amsgrad: divide by the largest root so far.
        foreach, capturable, differentiable, fused: see ``Optimizer``.
        maximize: go up instead of down.
        decoupled_weight_decay: shrink the parameter itself, as AdamW does.

    Raises:
        ArgumentError: for a negative option, or betas outside ``[0, 1)``.

    Source: ``torch.optim.Adam``.
    """

    has_parts = True

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
        amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "eps", "weight_decay")
        require_betas(self, group)

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        flags = ("amsgrad", "maximize", "decoupled_weight_decay")
        return facts(group, ["weight_decay"], flags)

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and zeros for the running means."""
        largest = ["max_exp_avg_sq"] if group["amsgrad"] else []
        begin(param, state, ["exp_avg", "exp_avg_sq", *largest], step=0.0)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step; plain numbers are combined in float64, as PyTorch does in Python."""
        param, grad = with_decay(param, uphill(grad, options), options)
        step, steps = next_step(state)
        mean = blend(state["exp_avg"], grad, options.number("betas", 0))
        square = blend(state["exp_avg_sq"], mul(grad, grad), options.number("betas", 1))
        next_state = {"step": step, "exp_avg": mean, "exp_avg_sq": square}
        if options.fact("amsgrad"):
            square = next_state["max_exp_avg_sq"] = maximum(state["max_exp_avg_sq"], square)
        length = options.number("lr") / options.weight_so_far("betas", 0, steps)
        root = sqrt(times(square, 1 / options.weight_so_far("betas", 1, steps)))
        floor = to_operand(options.number("eps"), param.dtype)
        return sub(param, div(times(mean, length), add(root, floor))), next_state


class AdamW(Adam):
    """Adam whose weight decay shrinks parameters themselves (``torch.optim.AdamW``).

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        betas: how much of the running means is kept.
        eps: added to the root.
        weight_decay: parameters shrink by ``lr * weight_decay`` per step.
        amsgrad: divide by the largest root so far.
        maximize: go up instead of down.
        foreach, capturable, differentiable, fused: see ``Optimizer``.

    Raises:
        ArgumentError: for a negative option, or betas outside ``[0, 1)``.
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2,
        amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip
