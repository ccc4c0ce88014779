"""GRAPHC_CHECK=2 on loops and branches: sample values that fit, and loops that might not end."""

import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.config import CHECK
from graphc.errors import PassError
from graphc.evaluate import evaluate
from graphc.graph import Graph as CoreGraph
from graphc.ops.elementwise import add
from graphc.passes.base import Journal, journal
from graphc.passes.check import check_values
from graphc.passes.pipeline import optimize
from graphc.passes.samples import sample_feeds


def lookups() -> CoreGraph:
    """Positions are read inside the loop, and inside that of its gradient."""
    with gc.Graph() as graph:
        words = gc.placeholder((6, 5), gc.int64, name="words")
        table = gc.placeholder((7, 4), name="table", requires_grad=True)
        start = gc.placeholder((5, 4), name="start")

        def step(h: gc.Tensor, word: gc.Tensor) -> tuple[gc.Tensor, None]:
            return (h + F.embedding(word, table)).tanh(), None

        last, _ = gc.scan(step, start, words)
        graph.output(gc.grad(last.sum(), table)[0], "grad")
    return graph.program


def test_positions_inside_bodies_are_in_range() -> None:
    program = lookups()
    for feed in sample_feeds(program):
        assert feed["words"].max() < 7
        evaluate(program, feed)
    with CHECK.override("2"):
        optimize(program)


class Wrong:
    """A pass that adds something to the result of a loop."""

    name = "wrong"
    requires: tuple[str, ...] = ()
    ensures: tuple[str, ...] = ()

    def run(self, graph: CoreGraph) -> CoreGraph:
        journal().fire("wrong", graph.nodes[0])
        (name,) = graph.outputs
        return CoreGraph(graph.inputs, {name: add(graph.outputs[name], graph.outputs[name])})


def test_a_wrong_pass_is_found() -> None:
    program = lookups()
    with pytest.raises(PassError, match="'wrong' changed a value"):
        check_values(Wrong(), program, Wrong().run(program), Journal())


def test_loops_that_may_not_end_are_not_run() -> None:
    """On sample values this one would go on for ever."""
    with gc.Graph() as graph:
        x = gc.placeholder((3,), name="x")
        (last,) = gc.while_loop(lambda x: (x * x).sum() >= 0, lambda x: (x * 0.5,), (x,))
        graph.output(last, "last")
    notes = Journal()
    check_values(Wrong(), graph.program, Wrong().run(graph.program), notes)
    assert list(notes.refused()) == ["GRAPHC_CHECK: a while loop may not end on sample values"]
