"""Hooks that see the gradients of a module's inputs and outputs.

The tensors that go into the module, and those that come out, pass through a function that changes
nothing: its step of the tape is where all their gradients meet.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import AutogradError
from graphc.frontend.autograd.function import Function, FunctionCtx
from graphc.frontend.autograd.zeros import zeros_of
from graphc.frontend.base import is_tensor
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.autograd.tape import GradFn
    from graphc.frontend.nn.module import Module
    from graphc.frontend.tensor import Tensor

Grads = tuple[Any, ...]
"""One gradient per argument or result; None for what is no tensor or has none."""


class BackwardHook(Function):
    """The identity of any number of tensors."""

    @staticmethod
    def forward(ctx: FunctionCtx, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The same tensors."""
        ctx.mark_non_differentiable(*(x for x in tensors if not x.requires_grad))
        return tensors

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, ...]:
        """The same gradients."""
        return grads


class BackwardHooks:
    """The hooks around one call's gradients.

    Args:
        module: what is called.
        after: take the module and the gradients of its inputs and outputs.
        before: take the module and the gradients of its outputs.
    """

    def __init__(
        self, module: Module, after: Sequence[Callable[..., Any]],
        before: Sequence[Callable[..., Any]],
    ) -> None:  # fmt: skip
        self._module, self._after, self._before = module, after, before
        self._inputs: list[int] | None = None
        self._input_types: list[TensorType] = []
        self._input_count = 0
        self._outputs: list[int] = []
        self._output_count = 0
        self._at_outputs: Grads | None = None

    def at_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, on whose way back the hooks run; as they are without gradients."""
        self._input_count = len(args)
        passed, step, places = _passed(args)
        if step is not None:
            self._inputs = places
            self._input_types = [args[place].type for place in places]
            step.register_hook(self._reached_inputs)
        return passed

    def at_outputs(self, result: Any) -> Any:
        """The results, on whose way back the hooks learn their gradients."""
        given = result if isinstance(result, tuple) else (result,)
        self._output_count = len(given)
        passed, step, self._outputs = _passed(given)
        if step is not None:
            step.register_hook(self._reached_outputs)
        return passed if isinstance(result, tuple) else passed[0]

    def _reached_outputs(self, grads: Grads, arrived: Grads) -> Grads | None:
        outputs = _placed(arrived, self._outputs, self._output_count)
        given = outputs
        for hook in self._before:
            outputs = _replaced(hook(self._module, outputs), outputs, "grad_output")
        if self._inputs is None:
            self._without_inputs(outputs)
        else:
            self._at_outputs = outputs
        if outputs is given:
            return None
        return tuple(
            zero if gone is None and outputs[place] is None else outputs[place]
            for place, zero, gone in zip(self._outputs, grads, arrived, strict=True)
        )

    def _without_inputs(self, outputs: Grads) -> None:
        """No input requires a gradient: the hooks run here, and have none to change."""
        if not self._after:
            return
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients.",
            stacklevel=2,
        )
        inputs = (None,) * self._input_count
        for hook in self._after:
            found = hook(self._module, inputs, outputs)
            if found is not None and any(each is not None for each in found):
                raise AutogradError(
                    "a backward hook of a module whose inputs require no gradient must return None",
                    got=repr(found), where=user_location_text(),
                )  # fmt: skip

    def _reached_inputs(self, grads: Grads, _: Grads) -> Grads | None:
        outputs, self._at_outputs = self._at_outputs, None
        if outputs is None or self._inputs is None:
            return None  # the gradient came on a way that leads past the outputs
        whole = tuple(
            zeros_of(kind) if grad is None else grad
            for grad, kind in zip(grads, self._input_types, strict=True)
        )
        inputs = given = _placed(whole, self._inputs, self._input_count)
        for hook in self._after:
            inputs = _replaced(hook(self._module, inputs, outputs), inputs, "grad_input")
        if inputs is given:
            return None
        return tuple(
            None if old is None else inputs[place]
            for place, old in zip(self._inputs, grads, strict=True)
        )


def _passed(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], GradFn | None, list[int]]:
    """Values with their tensors passed through one step, that step, and the tensors' places."""
    places = [place for place, x in enumerate(values) if is_tensor(x)]
    tensors = [values[place] for place in places]
    if not modes.grad_enabled or not any(x.requires_grad for x in tensors):
        return values, None, places
    made = list(values)
    for place, x in zip(places, BackwardHook.apply(*tensors), strict=True):
        made[place] = x
    step = next(made[place].grad_fn for place in places if made[place].grad_fn is not None)
    kept = type(values)(*made) if hasattr(values, "_fields") else tuple(made)
    return kept, step, places


def _placed(grads: Grads, places: list[int], count: int) -> Grads:
    found: list[Any] = [None] * count
    for place, grad in zip(places, grads, strict=True):
        found[place] = grad
    return tuple(found)


def _replaced(found: Any, grads: Grads, what: str) -> Grads:
    if found is None:
        return grads
    if not isinstance(found, tuple | list) or len(found) != len(grads):
        raise AutogradError(
            f"a backward hook of a module must return None or a tuple of as many {what} as it got",
            got=f"{len(found)}" if isinstance(found, tuple | list) else type(found).__name__,
            expected=str(len(grads)), where=user_location_text(),
        )  # fmt: skip
    return tuple(found)
