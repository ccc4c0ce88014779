"""Reverse-mode differentiation: gradients built from each operation's own rule, users first.

``ReverseWalk`` is the one driver: over the nodes of a graph here, and over the tape of the
frontend, which keeps one step per call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np

from graphc.dims import Shape
from graphc.errors import AutogradError, GraphcError
from graphc.node import Node, constant
from graphc.opdef import Call
from graphc.ops.broadcasting import sum_to_shape
from graphc.ops.elementwise import add
from graphc.ops.fused import ITEM
from graphc.ops.fused import item as item_of
from graphc.ops.select import detach
from graphc.ops.shape import expand
from graphc.ordering import operands_first
from graphc.passes.control.table import GRADIENTS
from graphc.provenance import backward_of, describe, made_for, origins_of
from graphc.shapes import shape_text, unify
from graphc.types import TensorType, TupleType

T = TypeVar("T")
V = TypeVar("V")


class ReverseWalk(Generic[T, V]):
    """Carries gradients from results to what they were made from.

    Only items on a path to a wanted one are visited. Several contributions to one item are added
    in the order of its users, last user first. A subclass says what the items are.
    """

    def __init__(self) -> None:
        self._grads: dict[int, V] = {}
        self._useful: set[int] | None = None

    def inputs_of(self, item: T) -> Sequence[T | None]:
        """What an item was made from, by position; None where no gradient goes."""
        raise NotImplementedError

    def arrived(self, item: T, grad: V) -> V:
        """Take note of an item's complete gradient; what is returned is passed on."""
        raise NotImplementedError

    def input_grads(self, item: T, grad: V, unwanted: frozenset[int]) -> Sequence[V | None]:
        """The contributions of one item to the gradients of its inputs, each of its input's type.

        Args:
            item: it has inputs.
            grad: its complete gradient.
            unwanted: positions whose gradient nobody reads.
        """
        raise NotImplementedError

    def merged(self, item: T, known: V, grad: V) -> V:
        """Two contributions to one item's gradient in one."""
        raise NotImplementedError

    def run(self, starts: Sequence[tuple[T, V]], wanted: Iterable[T] | None) -> None:
        """Walk from the results to the wanted items.

        Args:
            starts: results and the gradients that flow into them.
            wanted: where gradients are asked for; None for everything that gradients reach.
        """
        roots = [item for item, _ in starts]
        order = operands_first(roots, self._passed_on)
        if wanted is not None:
            self._useful = self._leading_to(order, wanted)
            order = operands_first(roots, self._passed_on)
        for item, grad in starts:
            if self._leads_on(item):
                self._deliver(item, grad)
        while order:
            item = order.pop()  # the walk must not keep alive what it has passed
            if id(item) in self._grads:
                self._visit(item, self._grads.pop(id(item)))

    def _visit(self, item: T, arriving: V) -> None:
        grad = self.arrived(item, arriving)
        inputs = self.inputs_of(item)
        unwanted = frozenset([i for i, each in enumerate(inputs) if not self._leads_on(each)])
        if len(unwanted) == len(inputs):
            return
        for position, found in enumerate(self.input_grads(item, grad, unwanted)):
            each = inputs[position]
            if found is not None and each is not None and position not in unwanted:
                self._deliver(each, found)

    def _deliver(self, item: T, grad: V) -> None:
        known = self._grads.get(id(item))
        self._grads[id(item)] = grad if known is None else self.merged(item, known, grad)

    def _passed_on(self, item: T) -> list[T]:
        return [each for each in self.inputs_of(item) if each is not None and self._leads_on(each)]

    def _leads_on(self, item: T | None) -> bool:
        return item is not None and (self._useful is None or id(item) in self._useful)

    def _leading_to(self, order: Iterable[T], wanted: Iterable[T]) -> set[int]:
        """The items through which a gradient reaches something wanted, and what is wanted."""
        found = {id(item) for item in wanted}
        for item in order:
            if any(id(each) in found for each in self.inputs_of(item) if each is not None):
                found.add(id(item))
        return found


def gradients(
    outputs: Sequence[Node], output_grads: Sequence[Node | None], wrt: Sequence[Node]
) -> list[Node | None]:
    """Differentiate the outputs with respect to some of the nodes that they depend on.

    The result is made of ordinary nodes, so differentiating it again gives higher orders. No
    gradient passes a ``detach``.

    Args:
        outputs: what is differentiated.
        output_grads: the gradient that flows into each output, of its type; None means ones,
            for outputs with one element only.
        wrt: with respect to what.

    Returns:
        One gradient per ``wrt`` node, of its type, or None where no path leads to an output.

    Raises:
        AutogradError: if an operation on the path has no gradient, or a seed does not fit.

    Example:
        >>> from graphc.dtypes import float64
        >>> from graphc.ops.elementwise import mul
        >>> from graphc.ops.leaf import placeholder
        >>> x = placeholder("x", TensorType((), float64))
        >>> gradients([mul(x, x)], [None], [x])
        [<add: f64[]>]
    """
    walk = _NodeWalk()
    seeds = [_seed(output, seed) for output, seed in zip(outputs, output_grads, strict=True)]
    wanted = [node for node in wrt if node.type.dtype.is_differentiable]
    walk.run(list(zip(outputs, seeds, strict=True)), wanted)
    return [walk.complete.get(node) for node in wrt]


Parts = Mapping[int, Node]
"""The gradient of a node with several results: those of some results, by position."""


class _NodeWalk(ReverseWalk[Node, "Node | Parts"]):
    """Over the nodes of a graph; what is made is theirs, so it gets their origins."""

    def __init__(self) -> None:
        super().__init__()
        self.complete: dict[Node, Node] = {}
        self._reached_from: dict[Node, Node] = {}

    def inputs_of(self, item: Node) -> Sequence[Node | None]:
        if item.op is detach:
            return ()
        return [each if _is_differentiable(each) else None for each in item.inputs]

    def arrived(self, item: Node, grad: Node | Parts) -> Node | Parts:
        if isinstance(grad, Node):
            self.complete[item] = grad
        return grad

    def input_grads(
        self, item: Node, grad: Node | Parts, unwanted: frozenset[int]
    ) -> Sequence[Node | Parts | None]:
        if item.op is ITEM:
            assert isinstance(grad, Node), "an item is one value"
            return ({item.attrs["index"]: grad},)
        if item.op not in GRADIENTS and item.op.vjp is None:
            raise AutogradError(
                f"{item.op.name} has no gradient",
                got=f"the path {self._path(item)}",
                fix="detach() its result if no gradient should pass through it",
                where=describe(item),
            )
        for operand in item.inputs:
            self._reached_from.setdefault(operand, item)
        with made_for(backward_of(origins_of(item))):
            try:
                found = self._rule(item, grad, unwanted)
                return [
                    None if each is None else sum_to_shape(each, operand.type.shape)
                    for operand, each in zip(item.inputs, found, strict=True)
                ]
            except GraphcError as error:
                raise error.located(describe(item)) from None

    def _rule(
        self, item: Node, grad: Node | Parts, unwanted: frozenset[int]
    ) -> Sequence[Node | None]:
        if isinstance(grad, Node):
            assert item.op.vjp is not None, "there was a rule"
            return item.op.vjp(Call(item.inputs, item, item.attrs, unwanted), grad)
        assert isinstance(item.result_type, TupleType), "an item was taken of it"
        places = range(len(item.result_type.items))
        outputs = tuple(item_of(item, place) for place in places)
        call = Call(item.inputs, outputs, item.attrs, unwanted)
        return GRADIENTS[item.op](call, [grad.get(place) for place in places], gradients)

    def merged(self, item: Node, known: Node | Parts, grad: Node | Parts) -> Node | Parts:
        with made_for(backward_of(origins_of(item))):
            if isinstance(known, Node) and isinstance(grad, Node):
                return add(known, grad)
            assert not isinstance(known, Node), "both are of one node"
            assert not isinstance(grad, Node), "both are of one node"
            both = {place: add(known[place], grad[place]) for place in grad if place in known}
            return {**known, **grad, **both}

    def _path(self, node: Node, limit: int = 8) -> str:
        """The operations from an output to the node, e.g. ``sum <- mul <- floor_divide``."""
        steps = [node]
        while steps[-1] in self._reached_from:
            steps.append(self._reached_from[steps[-1]])
        names = [step.op.name for step in reversed(steps)]
        if len(names) > limit:
            names = [*names[: limit // 2], "...", *names[-limit // 2 :]]
        return " <- ".join(names)


def _is_differentiable(node: Node) -> bool:
    """False for results without derivatives, e.g. of ``lt``."""
    kind = node.result_type
    return not isinstance(kind, TensorType) or kind.dtype.is_differentiable


def _seed(output: Node, seed: Node | None) -> Node:
    kind = output.type
    if not kind.dtype.is_differentiable:
        raise AutogradError(
            "only floating point outputs have gradients",
            got=str(kind),
            fix="cast the output to a floating point type before other operations",
            where=describe(output),
        )
    if seed is not None:
        if seed.type.dtype is not kind.dtype or not _may_be_equal(seed.type.shape, kind.shape):
            raise AutogradError(
                "the gradient of an output must have its type",
                got=str(seed.type),
                expected=str(kind),
                where=describe(output),
            )
        return seed
    if kind.dtype.is_complex:
        raise AutogradError(
            "without a gradient argument, only a real output can be differentiated",
            got=str(kind),
            fix="make it real first, or pass its gradient",
            where=describe(output),
        )
    if any(size != 1 for size in kind.shape):
        raise AutogradError(
            "without a gradient argument, only an output with one element can be differentiated",
            got=f"shape {shape_text(kind.shape)}",
            fix="reduce it first, e.g. loss.mean(), or pass its gradient",
            where=describe(output),
        )
    with made_for(backward_of(origins_of(output))):
        one = constant(np.ones((), kind.dtype.numpy))
        return expand(one, shape=kind.shape) if kind.shape else one


def _may_be_equal(first: Shape, second: Shape) -> bool:
    """True unless the shapes certainly differ; unknown sizes are checked at run time."""
    return len(first) == len(second) and all(
        unify(left, right) is not None for left, right in zip(first, second, strict=True)
    )
