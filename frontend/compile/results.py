"""From the arrays that a program returns to what the traced function returned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.frontend.autograd.tape import DeadEnd
from graphc.frontend.compile.backward import BackwardProgram
from graphc.frontend.modes import modes
from graphc.frontend.structure import Rebuild
from graphc.frontend.tensor import Tensor


class Results:
    """How the results of a function are made of what its program returns.

    A program returns the function's results first, then gradients that arguments get, then what
    the backward of the results has to keep.

    Args:
        tracked: whether each result requires a gradient.
        rebuild: puts results where the function had them.
        backward: the gradient of the results, if it can be taken outside of the function.

    Attributes:
        count: how many results the function has.
        is_single: whether the program returns one value.
    """

    def __init__(
        self, tracked: Sequence[bool], rebuild: Rebuild, backward: BackwardProgram | None
    ) -> None:
        self.count, self.backward = len(tracked), backward
        self.is_single = self.count == 1 and not (backward and backward.kept)
        self._tracked = [position for position, yes in enumerate(tracked) if yes]
        self._rebuild = rebuild

    @property
    def are_untracked(self) -> bool:
        """Whether no result requires a gradient."""
        return not self._tracked

    def made_of(
        self, tensors: list[Tensor], given: Sequence[Any], args: Sequence[Any], kwargs: Any
    ) -> Any:
        """What the function returns, on the tape.

        Args:
            tensors: everything that the program returned.
            given: the tensors and arrays among the arguments.
            args: all arguments by position.
            kwargs: those by name.
        """
        results = tensors[: self.count]
        if modes.inference:
            return self._rebuild(results)
        if self.backward is not None:
            kept = tensors[len(tensors) - len(self.backward.kept) :]
            self.backward.attach(results, kept, given, (args, kwargs))
        else:
            for position in self._tracked:
                _end_tape(results[position])
        return self._rebuild(results)


def _end_tape(result: Tensor) -> None:
    """A result that requires a gradient has no tape behind it."""
    result._requires_grad = True
    result._grad_fn = DeadEnd(
        (),
        "CompiledFunctionBackward",
        "backward reached a result of a compiled function that has used up its tape",
        "call backward() only inside the compiled function, or only outside",
    )
