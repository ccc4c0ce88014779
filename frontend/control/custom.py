"""Custom functions inside bodies: their gradients, as graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.frontend.base import is_tensor
from graphc.frontend.control.joined import Joined
from graphc.frontend.modes import recording_into, set_grad_enabled
from graphc.ops.bodies import body_graph, numbered, results
from graphc.ops.leaf import placeholder
from graphc.ops.with_gradient import WITH_GRADIENT

if TYPE_CHECKING:
    from graphc.frontend.autograd.custom import FunctionStep
    from graphc.frontend.control.body import Body
    from graphc.frontend.tensor import Tensor


def give_gradient(body: Body, step: FunctionStep, args: Sequence[Any], made: Sequence[Any]) -> None:
    """Let the results of a custom function have its own gradient in the body's nodes.

    Args:
        body: what the call was recorded into.
        step: its step of the tape.
        args: what it was called with.
        made: what it gave.
    """
    outputs: list[Tensor] = [x for x in made if is_tensor(x) and x._requires_grad]
    inside = body.inner()
    arriving = {id(x): inside.argument(x.type) for x in outputs}
    with recording_into(inside), set_grad_enabled(True):
        found = step.differentiate(tuple(arriving.get(id(x)) for x in made))
    pairs = [(x, g) for x, g in zip(args, found, strict=True) if g is not None]
    roots = [inside.node_of(g) for _, g in pairs]
    joined = Joined(body, [(inside, roots)])
    values = [body.node_of(x) for x in outputs]
    read = list(zip(map(body.node_of, joined.captured), joined.captured_nodes(0), strict=True))
    seen = dict(read)
    backward = body_graph(
        numbered(
            read=[inner for outer, inner in read if outer not in values],
            value=[seen.get(x) or placeholder(f"value{i}", x.type) for i, x in enumerate(values)],
            grad=inside.argument_nodes(),
        ),
        numbered(grad=roots),
    )
    attrs = {"backward": backward, "values": len(values), "operands": len(roots)}
    operands = [body.node_of(x) for x, _ in pairs]
    others = [outer for outer, _ in read if outer not in values]
    nodes = results(WITH_GRADIENT, [*values, *operands, *others], attrs)
    for x, node in zip(outputs, nodes, strict=True):
        x.node = node
