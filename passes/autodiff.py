"""Reverse-mode differentiation: gradients as nodes, built from each operation's own rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from graphc.dims import Shape, shape_text, unify
from graphc.errors import AutogradError, GraphcError
from graphc.graph import topological
from graphc.node import Node, constant
from graphc.opdef import Call
from graphc.ops.broadcasting import sum_to_shape
from graphc.ops.elementwise import add
from graphc.ops.select import detach
from graphc.ops.shape import expand
from graphc.ordering import operands_first
from graphc.provenance import backward_of, describe, made_for, origins_of
from graphc.types import TensorType

Hook = Callable[[Node, Node], Node]


def gradients(
    outputs: Sequence[Node],
    output_grads: Sequence[Node | None],
    wrt: Sequence[Node],
    on_grad: Hook | None = None,
) -> list[Node | None]:
    """Differentiate the outputs with respect to some of the nodes that they depend on.

    Only nodes on a path from ``wrt`` to an output get a gradient. Several contributions to one
    node are added in the order of the users, last user first. The result is made of ordinary
    nodes, so differentiating it again gives higher orders.

    Args:
        outputs: what is differentiated.
        output_grads: the gradient that flows into each output, of its type; None means ones,
            for outputs with one element only.
        wrt: with respect to what.
        on_grad: called with each node on the path and its complete gradient, users first; what
            it returns is used instead.

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
    carrying = _carrying(topological(outputs), wrt)
    order = _gradient_order(outputs, carrying)
    grads: dict[Node, Node] = {}
    reached_from: dict[Node, Node] = {}
    for output, seed in zip(outputs, output_grads, strict=True):
        grad = _seed(output, seed)
        if output in carrying:
            _accumulate(grads, output, grad)
    for node in reversed(order):
        if node not in grads:
            continue
        if on_grad is not None:
            grads[node] = on_grad(node, grads[node])
        if not any(operand in carrying for operand in node.inputs) or _stops(node):
            continue
        for operand, grad in _input_grads(node, grads[node], carrying, reached_from):
            reached_from.setdefault(operand, node)
            _accumulate(grads, operand, grad)
    return [grads.get(node) for node in wrt]


def _carrying(order: Iterable[Node], wrt: Iterable[Node]) -> set[Node]:
    """The nodes through which a gradient can reach a ``wrt`` node, and those nodes themselves."""
    found = {node for node in wrt if node.type.dtype.is_differentiable}
    for node in order:
        if not _stops(node) and any(operand in found for operand in node.inputs):
            found.add(node)
    return found


def _gradient_order(outputs: Sequence[Node], carrying: set[Node]) -> list[Node]:
    """The nodes that gradients pass, operands first.

    Only paths that carry a gradient count, as on the tape of dynamic mode: so gradients that
    meet are added in the same order in both executions, and both give the same bits.
    """

    def passed_on(node: Node) -> list[Node]:
        return [] if _stops(node) else [each for each in node.inputs if each in carrying]

    return operands_first(outputs, passed_on)


def _stops(node: Node) -> bool:
    """True where no gradient passes: ``detach``, and results without derivatives, e.g. ``lt``."""
    kind = node.result_type
    if node.op is detach:
        return True
    return isinstance(kind, TensorType) and not kind.dtype.is_differentiable


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


def _input_grads(
    node: Node, grad: Node, carrying: set[Node], reached_from: dict[Node, Node]
) -> list[tuple[Node, Node]]:
    """The contributions of one node to the gradients of its operands."""
    rule = node.op.vjp
    if rule is None:
        raise AutogradError(
            f"{node.op.name} has no gradient",
            got=f"the path {_path(node, reached_from)}",
            fix="detach() its result if no gradient should pass through it",
            where=describe(node),
        )
    with made_for(backward_of(origins_of(node))):
        try:
            found = rule(Call(node.inputs, node, node.attrs), grad)
            return [
                (operand, sum_to_shape(each, operand.type.shape))
                for operand, each in zip(node.inputs, found, strict=True)
                if each is not None and operand in carrying
            ]
        except GraphcError as error:
            raise error.located(describe(node)) from None


def _accumulate(grads: dict[Node, Node], node: Node, grad: Node) -> None:
    known = grads.get(node)
    if known is None:
        grads[node] = grad
        return
    with made_for(backward_of(origins_of(node))):
        grads[node] = add(known, grad)


def _path(node: Node, reached_from: dict[Node, Node], limit: int = 8) -> str:
    """The operations from an output to the node, e.g. ``sum <- mul <- floor_divide``."""
    steps = [node]
    while steps[-1] in reached_from:
        steps.append(reached_from[steps[-1]])
    names = [step.op.name for step in reversed(steps)]
    if len(names) > limit:
        names = [*names[: limit // 2], "...", *names[-limit // 2 :]]
    return " <- ".join(names)
