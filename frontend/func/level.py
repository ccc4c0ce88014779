"""One level of differentiation: arguments that stand apart from the tape around it.

A transform gives the function arguments of its own: leaves, or copies whose step leads on to what
they were made from. So it can differentiate by them alone, what happens inside is no part of
anybody's ``grad``, and levels nest without mixing up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError, AutogradError, DTypeError
from graphc.frontend.autograd.api import grad
from graphc.frontend.base import is_tensor
from graphc.frontend.func.fragment import without_tape
from graphc.frontend.func.reach import Reach, finish
from graphc.frontend.making import symbolic
from graphc.frontend.memory.views import settled
from graphc.frontend.modes import modes, recording_into, set_grad_enabled
from graphc.frontend.recording.subgraph import SubgraphRecorder
from graphc.frontend.structure import flatten
from graphc.ops.select import copy, zeros_like
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Level:
    """A function's call by whose arguments its results shall be differentiated.

    Args:
        what: the name of the transform, for errors.
        primals: tensors, or lists, tuples and dicts of tensors.

    Attributes:
        inner: the tensors that the function sees, in order.
        arguments: the same in the structure of ``primals``.
    """

    def __init__(self, what: str, primals: Sequence[Any]) -> None:
        self.what = what
        self._is_tracked_around = modes.grad_enabled
        _, tensors, self.rebuild = flatten(tuple(primals))
        if not tensors:
            raise ArgumentError(
                f"{what}: there is no tensor to differentiate by",
                got=", ".join(type(x).__name__ for x in primals),
                where=user_location_text(),
            )
        self._recorder = modes.recorder or next((x.recorder for x in tensors if x.recorder), None)
        self.inner = [self._inside(x) for x in tensors]
        self._before = list(map(_state, self.inner))
        self.arguments: tuple[Any, ...] = self.rebuild(self.inner)
        self._keeps_tape = False

    def _inside(self, x: Tensor) -> Tensor:
        if not x.dtype.is_differentiable:
            raise AutogradError(
                f"{self.what}: only floating point and complex tensors have gradients",
                got=str(x.type),
                fix="cast it first, e.g. x.float()",
                where=user_location_text(),
            )
        if settled(x)._requires_grad and self._is_tracked_around:
            with recording_into(self._recorder):
                return copy(x)
        if self._recorder is not None:
            return symbolic(self._recorder.node_of(x), self._recorder, True)
        leaf = without_tape(x)
        leaf._requires_grad = True
        return leaf

    def call(
        self, function: Callable[..., Any], args: Sequence[Any], has_aux: bool
    ) -> tuple[Any, list[Tensor], Any]:
        """Call the function with gradients tracked.

        Returns:
            What it gave, the tensors in that, and its second result with ``has_aux``.

        Raises:
            DTypeError: if it gives something else than tensors.
        """
        with set_grad_enabled(True):
            output, aux = function(*args), None
        self._require_untouched()
        if has_aux:
            if not isinstance(output, tuple) or len(output) != 2:
                raise ArgumentError(
                    f"{self.what}: with has_aux=True the function returns (output, aux)",
                    got=type(output).__name__,
                    where=user_location_text(),
                )
            output, aux = output
        results = self.tensors_of(output)
        reach = Reach(self.inner)
        self._keeps_tape = self._is_tracked_around and (
            isinstance(self._recorder, SubgraphRecorder) or any(map(reach.goes_on, results))
        )
        finish(x for x in self.inner if x._grad_fn is None)
        return output, results, aux

    def _require_untouched(self) -> None:
        for x, before in zip(self.inner, self._before, strict=True):
            if _state(x) != before:
                raise AutogradError(
                    f"{self.what}: an argument was written in place",
                    got=str(x.type),
                    fix="use the out-of-place operation, or write a clone() of it",
                    where=user_location_text(),
                )

    def tensors_of(self, output: Any) -> list[Tensor]:
        """The tensors of a function's output; DTypeError if there are none, or others."""
        _, results, _ = flatten(output)
        strays = list(_strays(output))
        if strays or not results:
            raise DTypeError(
                f"{self.what}: the function must return tensors",
                got=type(strays[0] if strays else output).__name__,
                expected="a tensor, or lists, tuples and dicts of tensors",
                where=user_location_text(),
            )
        return results

    def tracks(self, others: Sequence[Tensor | None]) -> bool:
        """Whether derivatives that are computed now shall have derivatives themselves.

        Args:
            others: the tensors that they are computed from, besides the arguments.
        """
        return modes.grad_enabled and (
            self._keeps_tape
            or isinstance(modes.recorder, SubgraphRecorder)
            or any(x is not None and x._requires_grad for x in others)
        )

    def outside(self, x: Tensor) -> Tensor:
        """A result as the code around sees it: on the tape only if that leads on from here."""
        if self._keeps_tape:
            return x
        return x.detach() if isinstance(x.recorder, SubgraphRecorder) else without_tape(x)

    def all_outside(self, structure: Any) -> Any:
        """A structure of results as the code around sees it."""
        _, tensors, rebuild = flatten(structure)
        return rebuild([self.outside(x) for x in tensors])


def _state(x: Tensor) -> tuple[object, ...]:
    """What a write to a tensor changes."""
    return (id(x.node), id(x._grad_fn), id(x.storage), x.storage.version.count)


def gradients(
    results: Sequence[Tensor], wanted: Sequence[Tensor], cotangents: Sequence[Tensor | None],
    again: bool, create_graph: bool,
) -> list[Tensor]:  # fmt: skip
    """Gradients with zeros where there is no path.

    Args:
        results: what is differentiated.
        wanted: by what.
        cotangents: one gradient per result; None for one.
        again: keep what another walk needs.
        create_graph: let the gradients have gradients.
    """
    ends = [(x, g) for x, g in zip(results, cotangents, strict=True) if x._requires_grad]
    asked = [x for x in wanted if x._requires_grad]
    found: dict[int, Tensor | None] = {}
    if ends and asked:
        grads = grad(
            [x for x, _ in ends], asked, [g for _, g in ends],
            retain_graph=again, create_graph=create_graph, allow_unused=True,
        )  # fmt: skip
        found = {id(x): g for x, g in zip(asked, grads, strict=True)}
    return [_zeros(x) if (g := found.get(id(x))) is None else g for x in wanted]


def _zeros(x: Tensor) -> Tensor:
    with recording_into(modes.recorder or x.recorder):
        return zeros_like(x)


def _strays(structure: Any) -> Any:
    """What is in a structure and is no tensor."""
    if isinstance(structure, dict):
        for part in structure.values():
            yield from _strays(part)
    elif isinstance(structure, list | tuple):
        for part in structure:
            yield from _strays(part)
    elif not is_tensor(structure):
        yield structure
