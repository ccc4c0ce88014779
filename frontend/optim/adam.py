"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from graphc.dtypes import float32
from graphc.errors import ArgumentError
from graphc.frontend.functions.complexes import view_as_complex, view_as_real
from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import add, div, maximum, mul, neg, sqrt, sub
from graphc.frontend.optim.optimizer import Optimizer, Params, State, require_non_negative
from graphc.frontend.optim.options import Options, Scalar, times
from graphc.frontend.optim.state import state_tensor
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


def _parts(x: Tensor) -> Tensor:
    return view_as_real(x) if x.dtype.is_complex else x


class Adam(Optimizer):
    """Steps of the running mean of gradients over the root of that of their squares.

    Args:
        params: see ``Optimizer``.
        lr: learning rate.
        betas: how much of the running means is kept.
        eps: added to the root.
        weight_decay: factor of the parameter that is added to its gradient.
        amsgrad: divide by the largest root so far.
        maximize: go up instead of down.
        decoupled_weight_decay: shrink the parameter itself, as AdamW does.

    Raises:
        ArgumentError: for a negative option, or betas outside ``[0, 1)``.

    Source: ``torch.optim.Adam``.
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
        amsgrad: bool = False, *, maximize: bool = False, decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "eps", "weight_decay")
        if len(group["betas"]) != 2 or not all(0 <= float(beta) < 1 for beta in group["betas"]):
            raise ArgumentError(
                f"{type(self).__name__}: betas must be two numbers in [0, 1)",
                got=str(group["betas"]), where=user_location_text(),
            )  # fmt: skip

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """Which terms the rule has."""
        flags = ("amsgrad", "maximize", "decoupled_weight_decay")
        return (group["weight_decay"] != 0, *(bool(group[name]) for name in flags))

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """A count of steps, and zeros for the running means."""
        if "step" not in state:
            state["step"] = state_tensor((), float32)
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else [])]
        for name in names:
            if name not in state:
                state[name] = state_tensor(param.shape, param.dtype)

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """One step; plain numbers are combined in float64, as PyTorch does in Python.

        The parts of complex parameters are parameters of their own.
        """
        if param.dtype.is_complex:
            parts = {name: _parts(value) for name, value in state.items()}
            moved, kept = self.update(_parts(param), _parts(grad), parts, options)
            return view_as_complex(moved), {
                name: view_as_complex(value) if state[name].dtype.is_complex else value
                for name, value in kept.items()
            }
        grad = neg(grad) if options.fact("maximize") else grad
        rate = options.number("lr")
        if options.fact("weight_decay") != 0:
            decay = options.number("weight_decay")
            if options.fact("decoupled_weight_decay"):
                param = times(param, 1 - rate * decay)
            else:
                grad = add(grad, times(param, decay))
        step = add(state["step"], 1)
        mean = _blend(state["exp_avg"], grad, options.number("betas", 0))
        square = _blend(state["exp_avg_sq"], mul(grad, grad), options.number("betas", 1))
        next_state = {"step": step, "exp_avg": mean, "exp_avg_sq": square}
        if options.fact("amsgrad"):
            square = next_state["max_exp_avg_sq"] = maximum(state["max_exp_avg_sq"], square)
        length = rate / options.weight_so_far("betas", 0, step)
        root = sqrt(times(square, 1 / options.weight_so_far("betas", 1, step)))
        floor = to_operand(options.number("eps"), param.dtype)
        return sub(param, div(times(mean, length), add(root, floor))), next_state


def _blend(old: Tensor, new: Tensor, beta: Scalar) -> Tensor:
    """``beta * old + (1 - beta) * new``."""
    return add(times(old, beta), times(new, 1 - beta))


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

    Raises:
        ArgumentError: for a negative option, or betas outside ``[0, 1)``.
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2,
        amsgrad: bool = False, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize,
            decoupled_weight_decay=True,
        )  # fmt: skip
