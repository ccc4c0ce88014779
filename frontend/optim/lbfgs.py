"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, RecordingError
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.complexes import view_as_complex, view_as_real
from graphc.frontend.functions.creation import zeros_like
from graphc.frontend.functions.pieces import cat
from graphc.frontend.functions.pointwise import abs as magnitude
from graphc.frontend.functions.pointwise import add, mul, neg, sub
from graphc.frontend.functions.products import dot
from graphc.frontend.functions.reduction import amax
from graphc.frontend.functions.reduction import sum as total
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.making import concrete
from graphc.frontend.modes import enable_grad, modes, no_grad
from graphc.frontend.optim.checks import refuse, require_non_negative
from graphc.frontend.optim.line_search import Number, Point, strong_wolfe
from graphc.frontend.optim.new_groups import Params
from graphc.frontend.optim.optimizer import Optimizer, State
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

_LEAST_BEND = 1e-10
"""Changes of the gradient along a step that are below say nothing about the curvature."""


class LBFGS(Optimizer):
    """Newton's method with a curvature learned from the last steps; it evaluates the loss often.

    Args:
        params: see ``Optimizer``; one group.
        lr: length of steps, and where the line search begins.
        max_iter: how many directions one ``step`` may try.
        max_eval: how often it may call the closure; default: a quarter more.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when neither the loss nor an element changes more.
        history_size: how many steps are remembered.
        line_search_fn: None, or ``"strong_wolfe"``.

    Raises:
        ArgumentError: for a negative rate, several groups, or another line search.
        RecordingError: from ``step`` while recording: what it does depends on values.

    Source: ``torch.optim.LBFGS``.

    Example:
        >>> from graphc import nn, optim
        >>> p = nn.Parameter([3.0, -4.0])
        >>> lbfgs = optim.LBFGS([p], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     lbfgs.zero_grad()
        ...     loss = ((p - 1.0) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> lbfgs.step(closure).item(), round(closure().item(), 6)
        (29.0, 0.0)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1, max_iter: int = 20,
        max_eval: int | None = None, tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9,
        history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
            "history_size": history_size, "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)

    def add_param_group(self, param_group: Any) -> None:
        """Add the one group that there is; raises ArgumentError for another one."""
        if self.param_groups:
            refuse(self, "there can be only one group", "several")
        super().add_param_group(param_group)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            got = repr(group["line_search_fn"])
            refuse(self, "line_search_fn must be None or 'strong_wolfe'", got)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimize for a while.

        Args:
            closure: clears gradients, computes the loss and its gradients, and returns it.

        Returns:
            What the closure returned first.

        Raises:
            ArgumentError: without a closure.
            RecordingError: while recording.
        """
        if closure is None:
            raise ArgumentError(
                "LBFGS: step needs a closure that computes the loss", got="None",
                where=user_location_text(),
            )  # fmt: skip
        if modes.recorder is not None:
            raise RecordingError(
                "a step of LBFGS cannot be recorded: how often it evaluates depends on values",
                fix="call it dynamically; the closure may call a compiled function",
                where=user_location_text(),
            )
        with no_grad():
            return _Minimization(self, closure).run()

    def _checked_entry(self, param: Tensor, key: str, value: Any) -> Callable[[], Any]:
        """What is loaded: tensors, also in lists, in the parameter's dtype, and numbers."""
        return lambda: _copied(value, param)


def _copied(value: Any, param: Tensor) -> Any:
    if isinstance(value, list | tuple):
        return [_copied(each, param) for each in value]
    if isinstance(value, TensorBase):
        value = value.array("a loaded optimizer state")
    if hasattr(value, "__array__"):
        return concrete(np.asarray(value).astype(_real(param)))
    return value


def _real(param: Tensor) -> Any:
    return np.empty(0, param.dtype.numpy).real.dtype


@dataclass
class _Curvature:
    """What the last steps say about the curvature.

    Attributes:
        changes: how the gradient changed in each step, the oldest first.
        steps: the steps.
        inverses: one over the product of the two.
        scale: the curvature's inverse where no step was.
        shares: workspace, as long as the history may become.
    """

    changes: list[Tensor]
    steps: list[Tensor]
    inverses: list[Tensor]
    scale: Number
    shares: list[Any]

    def learn(self, change: Tensor, step: Tensor) -> None:
        """Remember a step, and forget the oldest if there are too many."""
        bend = dot(change, step)
        if not bend > _LEAST_BEND:
            return
        if len(self.steps) == len(self.shares):
            for each in (self.changes, self.steps, self.inverses):
                del each[0]
        self.changes.append(change)
        self.steps.append(step)
        self.inverses.append(1.0 / bend)
        self.scale = bend / dot(change, change)

    def direction(self, grad: Tensor) -> Tensor:
        """Minus the inverse curvature times the gradient, by the two loops over the history."""
        found, shares = neg(grad), self.shares
        for each in reversed(range(len(self.steps))):
            share = shares[each] = dot(self.steps[each], found) * self.inverses[each]
            found = sub(found, mul(self.changes[each], share))
        found = mul(found, self.scale)
        for each, inverse in enumerate(self.inverses):
            back = dot(self.changes[each], found) * inverse
            found = add(found, mul(self.steps[each], sub(shares[each], back)))
        return found


class _Minimization:
    """One call of ``LBFGS.step``.

    Args:
        optimizer: whose parameters to move.
        closure: see ``LBFGS.step``.
    """

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any]) -> None:
        self._closure = closure
        [self._group] = optimizer.param_groups
        self._params: list[Tensor] = self._group["params"]
        self._state: State = optimizer.state[self._params[0]]

    def run(self) -> Any:
        """Minimize; returns what the closure returned first."""
        state, group = self._state, self._group
        state["func_evals"] = state.get("func_evals", 0) + 1
        state.setdefault("n_iter", 0)
        first, grad = self._evaluate()
        loss, evaluations = float(first), 1
        if _largest(grad) <= group["tolerance_grad"]:
            return first
        for number in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(grad)
            state["d"], state["prev_flat_grad"], state["prev_loss"] = direction, grad, loss
            rate = float(group["lr"])
            is_first = state["n_iter"] == 1
            state["t"] = _first_length(grad) * rate if is_first else rate
            slope = dot(grad, direction)
            if slope > -group["tolerance_change"]:
                break
            is_last = number == group["max_iter"]
            here, count = self._take_step(Point(0.0, loss, grad, slope), evaluations, is_last)
            grad, evaluations = here.grad, evaluations + count
            change, loss = abs(here.loss - loss), here.loss
            state["func_evals"] += count
            if (
                is_last or evaluations >= group["max_eval"]
                or _largest(grad) <= group["tolerance_grad"]
                or _largest(mul(direction, state["t"])) <= group["tolerance_change"]
                or change < group["tolerance_change"]
            ):  # fmt: skip
                break
        return first

    def _direction(self, grad: Tensor) -> Tensor:
        state = self._state
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return neg(grad)
        shares = state.setdefault("al", [None] * self._group["history_size"])
        known = (state["old_dirs"], state["old_stps"], state["ro"], state["H_diag"])
        curvature = _Curvature(*known, shares)
        curvature.learn(sub(grad, state["prev_flat_grad"]), mul(state["d"], state["t"]))
        state["H_diag"] = curvature.scale
        return curvature.direction(grad)

    def _take_step(self, start: Point, evaluations: int, is_last: bool) -> tuple[Point, int]:
        """Move along the direction; where that leads, and how often the closure was called."""
        state, group = self._state, self._group
        direction = state["d"]
        if group["line_search_fn"] is None:
            self._move(direction, state["t"])
            if is_last:  # nobody asks what is there
                return start, 0
            loss, grad = self._evaluate()
            return Point(state["t"], float(loss), grad, 0.0), 1
        begin = [param.detach().clone() for param in self._params]

        def look(step: Number) -> Point:
            self._move(direction, step)
            loss, grad = self._evaluate()
            for param, value in zip(self._params, begin, strict=True):
                param.copy_(value)
            return Point(step, float(loss), grad, dot(grad, direction))

        most = group["max_eval"] - evaluations
        found, count = strong_wolfe(
            look, start, state["t"], _largest(direction), group["tolerance_change"], most
        )
        state["t"] = found.step
        self._move(direction, found.step)
        return found, count

    def _evaluate(self) -> tuple[Any, Tensor]:
        """The loss, and all gradients as one row."""
        with enable_grad():
            loss = self._closure()
        return loss, cat([_row(param) for param in self._params])

    def _move(self, direction: Tensor, step: Number) -> None:
        begin = 0
        for param in self._params:
            parts = (2,) if param.dtype.is_complex else ()
            end = begin + int(param.numel()) * (2 if parts else 1)
            change = reshape(mul(direction[begin:end], step), (*param.shape, *parts))
            param.add_(view_as_complex(change) if parts else change)
            begin = end


def _first_length(grad: Tensor) -> Number:
    found = 1.0 / total(magnitude(grad))
    return found if found < 1.0 else 1.0


def _row(param: Tensor) -> Tensor:
    grad = zeros_like(param) if param.grad is None else param.grad.detach()
    return reshape(view_as_real(grad) if grad.dtype.is_complex else grad, (-1,))


def _largest(x: Tensor) -> float:
    return float(amax(magnitude(x)))
