"""A function recorded for one example, to be applied to many where it was called.

A fragment is no program: it has no variables. Tensors from outside become its placeholders, and
its nodes are applied to these tensors again, in the world around it: dynamic, a recording, or
another fragment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from graphc.dims import Shape, Size
from graphc.errors import RecordingError
from graphc.frontend.base import is_tensor
from graphc.frontend.func.custom import apply_to_all
from graphc.frontend.func.reach import Reach
from graphc.frontend.making import concrete, symbolic
from graphc.frontend.memory.views import settled
from graphc.frontend.modes import recording_into
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.recording.subgraph import SubgraphRecorder
from graphc.node import Node
from graphc.ops.leaf import placeholder
from graphc.passes.batching.application import Batched
from graphc.passes.batching.batch import batch
from graphc.provenance import user_location_text
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.autograd.function import Function
    from graphc.frontend.functions.generators import Generator
    from graphc.frontend.tensor import Tensor

_WRITE = "use the out-of-place operation, or write a clone() of it"

Randomness = Literal["error", "different", "same"]


def without_tape(x: Tensor) -> Tensor:
    """The same value, but not on any tape."""
    if x.node is not None:
        assert x.recorder is not None
        return symbolic(x.node, x.recorder)
    alias = concrete(x.storage.array)
    alias.storage = x.storage
    return alias


class Fragment(SubgraphRecorder):
    """What ``vmap`` records a function into.

    Args:
        outer: what records the code around it; None if that runs now.
        size: how many examples there are.
        randomness: what random operations do.
    """

    def __init__(self, outer: Recorder | None, size: Size, randomness: Randomness) -> None:
        super().__init__("vmap", outer)
        self.size, self.randomness = size, randomness
        self._captures: dict[int, tuple[Tensor, Node]] = {}
        self._given: dict[Node, Batched] = {}
        self._reach = Reach()

    # --- what comes in ----------------------------------------------------------------------

    def argument(self, value: Tensor, is_batched: bool) -> Tensor:
        """An argument as one example sees it.

        Args:
            value: of the world around; if it is batched, its first dim are the examples.
            is_batched: whether it is.
        """
        shape = value.shape[1:] if is_batched else value.shape
        node = self._placeholder(TensorType(shape, value.dtype))
        self._given[node] = Batched(value, is_batched)
        return symbolic(node, self, self.tracks and self._reach.goes_on(value))

    def node_of(self, x: Tensor) -> Node:
        """The node that stands for a tensor: its own, or a placeholder if it is from outside."""
        if x.recorder is self:
            return super().node_of(x)
        if id(x) not in self._captures:
            settled(x)
            if x.recorder is not None and not self.is_inside(x.recorder):
                super().node_of(x)  # raises: it belongs to another graph
            node = self._placeholder(x.type)
            self._captures[id(x)] = (x, node)
            is_alone = x._requires_grad and not self._reach.goes_on(x)
            self._given[node] = Batched(without_tape(x) if is_alone else x, False)
        return self._captures[id(x)][1]

    def _placeholder(self, type: TensorType) -> Node:
        return placeholder(f"x{len(self._given)}", type)

    def draw_bits(self, generator: Generator, shape: Shape) -> Tensor:
        """Random bits, drawn around the fragment.

        Raises:
            RecordingError: if random operations are refused.
        """
        if self.randomness == "error":
            raise RecordingError(
                "vmap: a random operation was called",
                fix="say randomness='different' for other numbers in each example, or 'same'",
                where=user_location_text(),
            )
        is_batched = self.randomness == "different"
        with recording_into(self.outer):
            bits = generator.bits((self.size, *shape) if is_batched else shape)
        return self.argument(bits, is_batched)

    def random_position(self, state: Tensor) -> Tensor:
        """Refuse loops and branches that draw: their numbers would be the same for all examples."""
        self.refuse(
            "a random operation was called inside a loop or branch",
            fix="draw the numbers before it, and pass them in",
        )

    def note_function(
        self, function: type[Function], args: Sequence[Any], results: Sequence[Any]
    ) -> None:
        """Let gradients of the code around pass a custom function as its author says."""
        if not self.tracks:
            return
        for result, value in zip(results, apply_to_all(self, function, args), strict=True):
            if is_tensor(result):
                result.node = self.argument(value, True).node

    # --- what goes out ----------------------------------------------------------------------

    def twin(self, outer: Recorder | None) -> Fragment:
        """Another fragment of as many examples."""
        return Fragment(outer, self.size, self.randomness)

    def computed(self, results: Sequence[Tensor]) -> list[Batched]:
        """The results for all examples, made of operations in the world around."""
        nodes = [self.node_of(x) for x in results]
        with recording_into(self.outer):
            values = batch(nodes, self._given, self.size, self._leaf)
        self._given.update(zip(nodes, values, strict=True))
        return values

    def _leaf(self, node: Node) -> Tensor:
        if self.outer is None:
            return concrete(np.asarray(node.op.eval(**node.attrs)))
        return symbolic(node, self.outer)

    def assign(self, x: Tensor, value: Tensor) -> None:
        """Record an in-place write to a tensor that the function itself has made."""
        whole = x if x._viewed is None else x._viewed.whole
        if whole.recorder is not self:
            batch_norm = "for batch normalization, see gc.func.replace_all_batch_norm_modules_"
            fix = batch_norm if x.is_state else _WRITE
            self.refuse("a tensor from outside was written in place", str(x.type), fix)
        super().assign(x, value)

    def require_untouched(self, arguments: Iterable[Tensor]) -> None:
        """Raise if an argument was written in place: the caller would not see it."""
        for x in arguments:
            if x.node not in self._given:
                self.refuse("an argument was written in place", str(x.type), _WRITE)
