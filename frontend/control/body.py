"""Recording the function of a loop or branch as a graph that takes all it reads as inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.control.custom import give_gradient
from graphc.frontend.control.writes import written_in_place
from graphc.frontend.making import symbolic
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.recording.subgraph import SubgraphRecorder
from graphc.graph import topological
from graphc.node import CONSTANT, Node, constant
from graphc.ops.elementwise import add
from graphc.ops.leaf import placeholder
from graphc.ordering import operands_first
from graphc.storage import Storage
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.autograd.custom import FunctionStep
    from graphc.frontend.tensor import Tensor


class Kept(NamedTuple):
    """Something outside that a body changes: memory that it writes, or a generator that it asks.

    Attributes:
        tensor: the memory.
        is_generator: whether it is the state of a generator.
    """

    tensor: Tensor
    is_generator: bool


class Body(SubgraphRecorder):
    """What the function of a loop or branch is recorded into.

    Args:
        what: the function that records it, for errors.
        outer: what records the code around it.
        repeats: whether it is a step of a loop.
    """

    def __init__(self, what: str, outer: Recorder, repeats: bool = False) -> None:
        super().__init__(what, outer)
        self.repeats = repeats
        self._around = outer
        self._given: list[tuple[Tensor, Node]] = []
        self._captures: dict[int, tuple[Tensor, Node]] = {}
        self._generators: dict[Storage, Tensor] = {}

    def inner(self) -> Body:
        """Another body inside this one."""
        return Body(self.what, self)

    # --- what comes in ----------------------------------------------------------------------

    def argument(self, type: TensorType, may_be_tracked: bool = True) -> Tensor:
        """An argument of the function.

        Args:
            type: its type.
            may_be_tracked: False if it certainly requires no gradient; what a loop carries may
                come to require one in any step.
        """
        node = self._placeholder(type)
        tracked = may_be_tracked and self.tracks and type.dtype.is_differentiable
        x = symbolic(node, self, tracked, _Argument(()) if tracked else None)
        self._given.append((x, node))
        return x

    def _placeholder(self, type: TensorType) -> Node:
        return placeholder(f"x{len(self._given) + len(self._captures)}", type)

    def argument_nodes(self) -> list[Node]:
        """The nodes of the arguments.

        Raises:
            RecordingError: if one was written in place: the caller would not see it.
        """
        for x, node in self._given:
            if x.node is not node:
                raise written_in_place(self.what, x)
        return [node for _, node in self._given]

    @property
    def captures(self) -> list[tuple[Tensor, Node]]:
        """The tensors from outside that the function has read, and the nodes for them."""
        return list(self._captures.values())

    def node_of(self, x: Tensor) -> Node:
        """The node that stands for a tensor now; one from outside becomes an input."""
        if x.recorder is self:
            return super().node_of(x)
        if x.recorder is not None and not self.is_inside(x.recorder):
            return super().node_of(x)  # raises: it belongs to another graph
        if x.node is None:
            storage = self._aliases.owner(x.storage)
            if storage in self.current:
                return self.current[storage]
        node = self._around.node_of(x)
        if node.op is CONSTANT and not x._requires_grad:
            return node
        return self._capture_of(x) if x.node is not None else self._variable(x)

    def _capture_of(self, x: Tensor) -> Node:
        if id(x) not in self._captures:
            self._captures[id(x)] = (x, self._placeholder(x.type))
        return self._captures[id(x)][1]

    def _variable(self, x: Tensor) -> Node:
        """Memory outside: an input, and a result, too, if it is written."""
        storage = self._aliases.owner(x.storage)
        if storage not in self._variables:
            self._around.node_of(x)
            self._variables[storage] = self._capture_of(x)
            self._tensors[storage] = x
        self.current.setdefault(storage, self._variables[storage])
        return self.current[storage]

    def random_state(self, state: Tensor) -> Node:
        """The node of a generator's state, which goes with the loop."""
        self._generators.setdefault(self._aliases.owner(state.storage), state)
        return super().random_state(state)

    def assign(self, x: Tensor, value: Tensor) -> None:
        """Record an in-place write: to a parameter, a buffer, or a tensor of the body."""
        whole = x if x._viewed is None else x._viewed.whole
        is_memory = whole.node is None and (whole._requires_grad or whole.is_state)
        if whole.recorder is not self and not is_memory and not self._is_own(whole):
            self.refuse(
                "a tensor from outside was written in place",
                str(x.type),
                "carry it, or make it an nn.Buffer",
            )
        super().assign(x, value)

    def _is_own(self, x: Tensor) -> bool:
        return x.node is None and self._aliases.owner(x.storage) in self._made

    def note_step(self, step: FunctionStep, args: Sequence[Any], results: Sequence[Any]) -> None:
        """Let gradients of the body pass a custom function as its author says."""
        if self.tracks:
            give_gradient(self, step, args, results)

    def require_no_hooks(self, results: Sequence[Tensor]) -> None:
        """Refuse hooks on tensors of the body: its gradient is made of its operations."""
        outside = {id(x._grad_fn or x) for x, _ in self.captures}

        def edges_of(step: _Place) -> list[_Place]:
            edges = step.target.edges if isinstance(step.target, GradFn) else ()
            return [_Place(each) for each in edges if each is not None and id(each) not in outside]

        starts = [_Place(x._grad_fn or x) for x in results if x._requires_grad]
        for place in operands_first(starts, edges_of):
            if id(place.target) in outside:
                continue
            retained = place.target.retained if isinstance(place.target, GradFn) else None
            if place.target._hooks is not None or retained is not None:
                self.refuse(
                    "a tensor inside has a hook, or keeps its gradient",
                    fix="do that outside, with what goes in and what comes out",
                )

    # --- what goes out ----------------------------------------------------------------------

    @property
    def kept(self) -> list[Kept]:
        """What the function has changed outside."""
        found = [
            Kept(self._tensors[storage], False)
            for storage, node in self.current.items()
            if node is not self._variables[storage] and storage not in self._generators
        ]
        return found + [Kept(state, True) for state in self._generators.values()]

    def reached(self, roots: Sequence[Node]) -> list[tuple[object, Tensor, Node]]:
        """What the roots read from outside: a key that tells it from others, and its node.

        Constants of several elements are inputs, too, so that they lie in memory only once.
        """
        found: list[tuple[object, Tensor, Node]] = []
        order = topological(tuple(roots))
        known = set(order)
        found += [(id(x), x, node) for x, node in self.captures if node in known]
        found += [
            (node, symbolic(node, self._around), node)
            for node in order
            if node.op is CONSTANT and node.type.numel != 1
        ]
        return found

    def entry(self, each: Kept) -> Node:
        """The node of something outside at the beginning."""
        self._variable(each.tensor)
        return self._variables[self._aliases.owner(each.tensor.storage)]

    def exit(self, each: Kept) -> Node:
        """The node of something outside at the end."""
        node = self._variable(each.tensor)
        calls = self._random_calls.get(each.tensor.storage, 0)
        return add(node, constant(np.array([0, calls]))) if calls else node


class _Argument(GradFn):
    """Stands for what made an argument, which is outside."""

    __slots__ = ()

    def name(self) -> str:
        """Its name on the tape."""
        return "Argument"


class _Place:
    """A step or a leaf of the tape by identity: tensors compare by value."""

    __slots__ = ("target",)

    def __init__(self, target: GradFn | Tensor) -> None:
        self.target = target

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Place) and self.target is other.target

    def __hash__(self) -> int:
        return id(self.target)
