"""Muon."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

from graphc.dtypes import bfloat16, float32
from graphc.frontend.functions.choosing import maximum
from graphc.frontend.functions.convert import cast, to_operand
from graphc.frontend.functions.pointwise import add, div, mul, sqrt, sub
from graphc.frontend.functions.products import matmul
from graphc.frontend.functions.reduction import sum as total
from graphc.frontend.functions.shaping import transpose
from graphc.frontend.optim.checks import refuse, require_non_negative
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.optim.options import Options, times
from graphc.frontend.optim.terms import begin, blend, facts
from graphc.frontend.tensor import Tensor

_RATES = (None, "original", "match_rms_adamw")


class Muon(Optimizer):
    """Momentum whose matrix is made orthogonal before each step.

    Args:
        params: matrices; others need another optimizer.
        lr: learning rate.
        weight_decay: parameters shrink by ``lr * weight_decay`` per step.
        momentum: how much of the last step is kept.
        nesterov: look ahead by one step of momentum.
        ns_coefficients: of the odd polynomial that brings singular values to about 1.
        eps: the least norm to divide by.
        ns_steps: how often the polynomial is applied, at most 99.
        adjust_lr_fn: how the matrix's shape enters the rate: ``"original"``, which None means,
            or ``"match_rms_adamw"``.

    Raises:
        ArgumentError: for a negative option, another ``adjust_lr_fn``, too many steps, other than
            three coefficients, or a parameter that is no matrix of real numbers.

    The polynomial works on matrices rounded to bfloat16, as in PyTorch.

    Source: ``torch.optim.Muon``.
    """

    is_elementwise = False

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3, weight_decay: float = 0.1,
        momentum: float = 0.95, nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "momentum", "weight_decay", "eps", "ns_steps")
        if group["ns_steps"] > 99:
            refuse(self, "ns_steps must be at most 99", str(group["ns_steps"]))
        if len(group["ns_coefficients"]) != 3:
            refuse(self, "ns_coefficients must be three", str(group["ns_coefficients"]))
        if group["adjust_lr_fn"] not in _RATES:
            refuse(self, f"adjust_lr_fn must be one of {_RATES}", repr(group["adjust_lr_fn"]))
        for param in group["params"]:
            if param.ndim != 2 or param.dtype.is_complex:
                refuse(
                    self, "a parameter must be a matrix of real numbers", str(param.type),
                    "give vectors and others to another optimizer, such as AdamW",
                )  # fmt: skip

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        return facts(group, [], ["nesterov"]), group["ns_steps"], group["adjust_lr_fn"]

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """Zeros for the momentum."""
        begin(param, state, ["momentum_buffer"])

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step."""
        momentum, rate = options.number("momentum"), options.number("lr")
        kept = blend(state["momentum_buffer"], grad, momentum)
        direction = blend(grad, kept, 1 - momentum) if options.fact("nesterov") else kept
        rows, columns = map(int, param.shape)
        if options.fact("adjust_lr_fn") == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        else:
            ratio = math.sqrt(max(1, rows / max(columns, 1)))
        shrunk = times(param, 1 - rate * options.number("weight_decay"))
        step = cast(_orthogonal(direction, options), param.dtype)
        return sub(shrunk, times(step, rate * ratio)), {"momentum_buffer": kept}


def _orthogonal(x: Tensor, options: Options) -> Tensor:
    """A matrix with the same singular vectors and all singular values near 1."""
    is_tall = int(x.shape[0]) > int(x.shape[1])
    x = _rounded(transpose(x, 0, 1) if is_tall else x)
    norm = _rounded(sqrt(total(mul(x, x))))
    x = _rounded(div(x, maximum(norm, to_operand(options.number("eps"), float32))))
    linear, cubic, quintic = (options.number("ns_coefficients", each) for each in range(3))
    for _ in range(options.fact("ns_steps")):
        gram = _rounded(matmul(x, transpose(x, 0, 1)))
        higher = _rounded(add(times(gram, cubic), times(matmul(gram, gram), quintic)))
        x = _rounded(add(times(x, linear), matmul(higher, x)))
    return transpose(x, 0, 1) if is_tall else x


def _rounded(x: Tensor) -> Tensor:
    """The values of bfloat16, as float32: so products add up in float32."""
    return cast(cast(x, bfloat16), float32)
