"""Custom functions inside ``vmap``: their gradients, for code around it.

Inside, a custom function is on the tape like any other step. For code that differentiates through
the map, its results are those of another custom function, of all examples at once, whose forward
and backward are the user's, mapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.frontend.autograd.function import Function, FunctionCtx
from graphc.frontend.base import is_tensor
from graphc.frontend.modes import modes, recording_into
from graphc.ops.broadcasting import sum_to_shape
from graphc.ops.reduce import sum_
from graphc.ops.shape import expand
from graphc.passes.batching.application import Batched

if TYPE_CHECKING:
    from graphc.frontend.func.fragment import Fragment
    from graphc.frontend.tensor import Tensor


def apply_to_all(
    fragment: Fragment, function: type[Function], args: Sequence[Any]
) -> tuple[Any, ...]:
    """Apply a custom function to all examples, in the world around the fragment.

    Args:
        fragment: what the call was recorded into.
        function: the user's class.
        args: what it was called with.

    Returns:
        Its outputs; tensors have the batch dim first.
    """
    tensors = [x for x in args if is_tensor(x)]
    values = fragment.computed(tensors)
    call = _Call(fragment, function, args, [value.is_batched for value in values])
    mapped: Any = type(
        function.__name__,
        (Function,),
        {"forward": staticmethod(call.forward), "backward": staticmethod(call.backward)},
    )
    with recording_into(fragment.outer):
        outputs: tuple[Any, ...] = mapped.apply(*(value.value for value in values))
    return outputs


class _Call:
    """One call of a custom function, for all examples.

    Args:
        fragment: what it was recorded into.
        function: the user's class.
        args: its arguments.
        are_batched: which of the tensors among them differ between examples.
    """

    def __init__(
        self, fragment: Fragment, function: type[Function], args: Sequence[Any],
        are_batched: list[bool],
    ) -> None:  # fmt: skip
        self._fragment, self._function = fragment, function
        self._args, self._are_batched = args, are_batched
        self._places = [place for place, x in enumerate(args) if is_tensor(x)]
        self._types = [args[place].type for place in self._places]
        self._ctx = FunctionCtx(())
        self._saved: list[bool | None] = []

    def forward(self, ctx: FunctionCtx, *values: Tensor) -> tuple[Any, ...]:
        """The user's forward on all examples; what it saves is saved for all."""
        inner = self._fragment.twin(modes.recorder)
        args, needs = list(self._args), [False] * len(self._args)
        for place, value, is_batched, needed in zip(
            self._places, values, self._are_batched, ctx.needs_input_grad, strict=True
        ):
            args[place], needs[place] = inner.argument(value, is_batched), needed
        own = self._ctx = FunctionCtx(tuple(needs))
        with recording_into(inner):
            outputs = self._function.run_forward(own, args)
        made = outputs if isinstance(outputs, tuple) else (outputs,)
        kept = own.taken()
        results = inner.computed([x for x in (*made, *kept) if is_tensor(x)])
        by_id = dict(zip([id(x) for x in (*made, *kept) if is_tensor(x)], results, strict=True))
        found = tuple(self._for_all(by_id[id(x)], x) if is_tensor(x) else x for x in made)
        self._saved = [None if x is None else by_id[id(x)].is_batched for x in kept]
        ctx.save_for_backward(*(None if x is None else by_id[id(x)].value for x in kept))
        ctx.mark_non_differentiable(
            *(all_ for x, all_ in zip(made, found, strict=True) if own.is_marked(x))
        )
        ctx.set_materialize_grads(own.materializes)
        return found

    def backward(self, ctx: FunctionCtx, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """The user's backward on all examples; what they share gets the sum."""
        inner = self._fragment.twin(modes.recorder)
        saved = zip(ctx.saved_tensors, self._saved, strict=True)
        kept = [None if flag is None else inner.argument(x, flag) for x, flag in saved]
        given = [None if grad is None else inner.argument(grad, True) for grad in grads]
        with recording_into(inner):
            self._ctx.save_for_backward(*kept)
            found = self._function.backward(self._ctx, *given)
            listed = list(found) if isinstance(found, tuple | list) else [found]
            listed += [None] * (len(self._args) - len(listed))
            chosen = [listed[place] for place in self._places]
            chosen = [
                None if grad is None else sum_to_shape(grad, type.shape)
                for grad, type in zip(chosen, self._types, strict=True)
            ]
        results = iter(inner.computed([grad for grad in chosen if grad is not None]))
        return tuple(
            None if grad is None else self._gradient(next(results), grad, is_batched)
            for grad, is_batched in zip(chosen, self._are_batched, strict=True)
        )

    def _for_all(self, result: Batched, one: Tensor) -> Tensor:
        value: Tensor = result.value
        if result.is_batched:
            return value
        return expand(value, shape=(self._fragment.size, *one.shape))

    def _gradient(self, result: Batched, one: Tensor, is_batched: bool) -> Tensor:
        everything = self._for_all(result, one)
        return everything if is_batched else sum_(everything, dims=(0,))
