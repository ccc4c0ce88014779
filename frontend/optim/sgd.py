"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.dtypes import float64
from graphc.errors import ArgumentError
from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.creation import ones_like
from graphc.frontend.functions.pointwise import add, gt, neg, sub
from graphc.frontend.optim.checks import require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, Scalar, times
from graphc.frontend.optim.state import state_tensor
from graphc.frontend.optim.terms import facts
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class SGD(Optimizer):
    """``v = momentum * v + (1 - dampening) * g;  p = p - lr * v`` (``torch.optim.SGD``).

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        momentum: how much of the last step is kept.
        dampening: how much of the gradient momentum leaves out, but in the first step.
        weight_decay: factor of the parameter that is added to its gradient.
        nesterov: look ahead by one step of momentum.
        maximize: go up instead of down.
        foreach, differentiable, fused: see ``Optimizer``.

    Raises:
        ArgumentError: for a negative option, or nesterov without momentum or with dampening.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn, optim
        >>> p = nn.Parameter([1.0])
        >>> p.grad = gc.tensor([2.0])
        >>> optim.SGD([p], lr=0.5).step()
        >>> p.detach()
        tensor([0.])
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3, momentum: float = 0.0,
        dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False, *,
        maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError(
                "SGD: nesterov needs momentum and no dampening",
                got=f"momentum={group['momentum']}, dampening={group['dampening']}",
                where=user_location_text(),
            )

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        terms = ("momentum", "dampening", "weight_decay")
        return facts(group, terms, ["nesterov", "maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """Zeros for the momentum; with dampening also whether the first step was made."""
        if group["momentum"] != 0 and "momentum_buffer" not in state:
            state["momentum_buffer"] = state_tensor(param.shape, param.dtype)
            if group["dampening"] != 0:
                state["started"] = state_tensor((), param.dtype)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        direction = neg(grad) if options.fact("maximize") else grad
        if options.fact("weight_decay") != 0:
            direction = add(direction, times(param, options.number("weight_decay")))
        if options.fact("momentum") == 0:
            return sub(param, times(direction, options.number("lr"))), {}
        momentum = options.number("momentum")
        kept = times(state["momentum_buffer"], momentum)
        fresh = times(direction, self._share(state, options))
        next_state = {"momentum_buffer": add(kept, fresh)}
        if "started" in state:
            next_state["started"] = ones_like(state["started"])
        velocity = next_state["momentum_buffer"]
        if options.fact("nesterov"):
            velocity = add(direction, times(velocity, momentum))
        return sub(param, times(velocity, options.number("lr"))), next_state

    def _share(self, state: State, options: Options) -> Scalar:
        """How much of the gradient enters the momentum: all of it in the first step."""
        if options.fact("dampening") == 0:
            return 1.0
        share = 1 - options.number("dampening")
        if "started" not in state:
            return share
        return where(gt(state["started"], 0.0), to_operand(share, float64), 1.0)
