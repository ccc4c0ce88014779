"""``cond``: one of two functions now, or both as one node of a recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.frontend.control.body import Body
from graphc.frontend.control.joined import Joined
from graphc.frontend.control.leaves import Leaves, leaves_of, require_alike
from graphc.frontend.control.recorded import cut_off
from graphc.frontend.control.writes import Untouched
from graphc.frontend.modes import recording_into
from graphc.frontend.recording.recorder import Recorder
from graphc.ops.bodies import body_graph, numbered, results
from graphc.ops.control import COND

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

_ALIKE = "both branches must give the same"


def choose_now(function: Callable[..., Any], operands: Leaves) -> Any:
    """Call the function that was chosen."""
    untouched = Untouched("cond", [x for x in operands.tensors if x.node is None])
    found = function(*operands.rebuild(operands.tensors))
    untouched.require()
    result = leaves_of("cond", "output", found)
    return result.rebuild(result.tensors)


def record_choice(
    recorder: Recorder, predicate: Tensor, functions: tuple[Callable[..., Any], Callable[..., Any]],
    operands: Leaves,
) -> Any:  # fmt: skip
    """Record both functions; the results of the one that is chosen in each run.

    Args:
        recorder: what records the call.
        predicate: a 0-d bool.
        functions: for true, for false.
        operands: what both take.
    """
    bodies = [Body("cond", recorder) for _ in functions]
    found: list[Leaves] = []
    outputs: list[list[Tensor]] = []
    for body, function in zip(bodies, functions, strict=True):
        arguments = [body.argument(x.type, x._requires_grad) for x in operands.tensors]
        with recording_into(body):
            given = leaves_of("cond", "output", function(*operands.rebuild(arguments)))
            found.append(given)
            outputs.append(require_alike("cond", given, found[0], _ALIKE))
        body.require_no_hooks(outputs[-1])
    nodes = [[body.node_of(x) for x in part] for body, part in zip(bodies, outputs, strict=True)]
    given_nodes = [body.argument_nodes() for body in bodies]
    joined = Joined(recorder, list(zip(bodies, nodes, strict=True)))
    graphs = [
        body_graph(
            numbered(
                operand=[*given_nodes[i], *joined.entry_nodes(i)],
                captured=joined.captured_nodes(i),
            ),
            numbered(result=[*nodes[i], *joined.exit_nodes(i)]),
        )
        for i in range(2)
        if nodes[i] or joined.kept
    ]
    if not graphs:
        return found[0].rebuild([])
    with recording_into(recorder):
        made = results(
            COND,
            [predicate, *operands.tensors, *joined.entries, *joined.captured],
            {"true": graphs[0], "false": graphs[1]},
        )
        joined.write_back(made[len(nodes[0]) :])
    results_ = made[: len(nodes[0])]
    cut_off(results_, [a._requires_grad or b._requires_grad for a, b in zip(*outputs, strict=True)])
    return found[0].rebuild(results_)
