"""Resilient propagation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.frontend.functions.choosing import maximum, minimum, where
from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import add, gt, lt, mul, sign, sub
from graphc.frontend.optim.checks import refuse, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options
from graphc.frontend.optim.state import state_tensor
from graphc.frontend.optim.terms import begin, facts, uphill
from graphc.frontend.tensor import Tensor


class Rprop(Optimizer):
    """Steps that know only the gradient's sign: longer while it stays, shorter when it changes.

    Args:
        params: see ``Optimizer``.
        lr: length of the first step.
        etas: factors of the length when the sign has changed, and when it has not.
        step_sizes: the shortest and the longest step.
        capturable, foreach, differentiable: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative rate, or factors that are not below and above 1.

    Source: ``torch.optim.Rprop``.
    """

    has_parts = True

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0), *, capturable: bool = False,
        foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr")
        shorter, longer = map(float, group["etas"])
        if not 0 < shorter < 1 < longer:
            refuse(self, "etas must be a number in (0, 1) and one above 1", str(group["etas"]))

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, [], ["maximize"])

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, the last gradient, and the length of the first step."""
        begin(param, state, ["prev"], step=0.0)
        if "step_size" not in state:
            first = float(group["lr"])
            value = complex(first, first) if param.dtype.is_complex else first
            state["step_size"] = state_tensor(param.shape, param.dtype, value)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step; after a change of sign there is none, and the next one has no memory."""

        def number(name: str, position: int) -> Tensor:
            return to_operand(options.number(name, position), param.dtype)

        grad = uphill(grad, options)
        agreement = mul(grad, state["prev"])
        has_turned = lt(agreement, 0.0)
        factor = where(gt(agreement, 0.0), number("etas", 1), 1.0)
        factor = where(has_turned, number("etas", 0), factor)
        length = maximum(mul(state["step_size"], factor), number("step_sizes", 0))
        length = minimum(length, number("step_sizes", 1))
        grad = where(has_turned, 0.0, grad)
        moved = sub(param, mul(sign(grad), length))
        return moved, {"step": add(state["step"], 1), "prev": grad, "step_size": length}
