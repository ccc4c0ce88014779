"""Adafactor."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.dtypes import float64
from graphc.frontend.functions.choosing import maximum, minimum
from graphc.frontend.functions.convert import cast, to_operand
from graphc.frontend.functions.limits import finfo
from graphc.frontend.functions.pointwise import div, mul, rsqrt, sqrt, sub
from graphc.frontend.functions.pointwise import pow as power
from graphc.frontend.functions.reduction import mean
from graphc.frontend.optim.checks import refuse, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.state import state_tensor
from graphc.frontend.optim.terms import begin, blend, facts, next_step, uphill
from graphc.frontend.tensor import Tensor


class Adafactor(Optimizer):
    """Adam without a mean, that keeps of a matrix's squares only the means of rows and columns.

    Args:
        params: see ``Optimizer``; not complex.
        lr: the most that a step may be, relative to the parameter's size.
        beta2_decay: power of the step with which running means fade.
        eps: the least mean of squares (None for the dtype's precision), and the least size.
        d: how long a step may be before it is cut.
        weight_decay: parameters shrink by ``lr * weight_decay`` per step.
        foreach: see ``Optimizer``.
        maximize: go up instead of down.

    Raises:
        ArgumentError: for a negative option, ``beta2_decay`` above 0, ``d`` below 1, or complex
            parameters.

    Source: ``torch.optim.Adafactor``.
    """

    is_elementwise = False

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0,
        *, foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
            "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "weight_decay")
        if not float(group["beta2_decay"]) <= 0:
            refuse(self, "beta2_decay must not be above 0", str(group["beta2_decay"]))
        if len(group["eps"]) != 2 or not all(x is None or x >= 0 for x in group["eps"]):
            refuse(self, "eps must be two numbers from 0 on", str(group["eps"]))
        if not float(group["d"]) >= 1:
            refuse(self, "d must be at least 1", str(group["d"]))
        for param in group["params"]:
            if param.dtype.is_complex:
                refuse(self, "complex parameters have no rule", str(param.type))

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, ["weight_decay"], ["maximize"]), group["eps"][0] is None

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and zeros for the running means of squares."""
        begin(param, state, [], step=0.0)
        for name in ("row_var", "col_var") if param.ndim > 1 else ("variance",):
            if name not in state:
                state[name] = state_tensor(self.state_shape(name, param), param.dtype)

    def state_shape(self, key: str, param: Tensor) -> tuple[int, ...]:
        """The shape of a state, for making and loading it."""
        shape = param.shape
        if key == "row_var":
            return (*shape[:-1], 1)
        return (
            (*shape[:-2], 1, *shape[-1:]) if key == "col_var" else super().state_shape(key, param)
        )

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        grad = uphill(grad, options)
        step, steps = next_step(state)
        kept = 1 - power(steps, options.value("beta2_decay"))
        floor = (
            finfo(param.dtype).eps if options.fact("eps")[0] is None else options.number("eps", 0)
        )
        rate = options.value("lr")
        size = maximum(_size(param), options.value("eps", 1))
        longest = size * minimum(rate, 1 / sqrt(steps))
        if options.fact("weight_decay") != 0:
            param = times(param, 1 - rate * options.number("weight_decay"))
        squares = mul(grad, grad)
        next_state = {"step": step}
        if param.ndim > 1:
            rows = blend(state["row_var"], mean(squares, -1, keepdim=True), kept)
            columns = blend(state["col_var"], mean(squares, -2, keepdim=True), kept)
            next_state |= {"row_var": rows, "col_var": columns}
            total = maximum(mean(rows, -2, keepdim=True), to_operand(floor, param.dtype))
            variance = div(mul(rows, columns), total)
        else:
            variance = next_state["variance"] = blend(state["variance"], squares, kept)
        least = to_operand(floor * floor, param.dtype)
        direction = mul(rsqrt(maximum(variance, least)), grad)
        cut = maximum(_size(direction) / options.number("d"), 1.0)
        return sub(param, times(direction, longest / cut)), next_state


def _size(x: Tensor) -> Tensor:
    """The root of the mean of squares, as a 0-d float64 tensor."""
    return cast(sqrt(mean(mul(x, x))), float64)
