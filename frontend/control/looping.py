"""``while_loop``: as long as it takes now, or as one node of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.frontend.control.body import Body
from graphc.frontend.control.dynamic import contiguous
from graphc.frontend.control.joined import Joined
from graphc.frontend.control.leaves import Leaves, leaves_of, require_alike
from graphc.frontend.control.predicates import decision
from graphc.frontend.control.writes import Untouched
from graphc.frontend.modes import recording_into
from graphc.frontend.recording.recorder import Recorder
from graphc.ops.bodies import body_graph, numbered, results
from graphc.ops.control import WHILE_LOOP
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

_ALIKE = "what the body gives must be as what is carried"


class WhileLoop:
    """One call of ``while_loop``.

    Args:
        condition: says from what is carried if there is one step more.
        function: gives what is carried next.
        carried: what is carried at first.
    """

    def __init__(
        self, condition: Callable[..., Any], function: Callable[..., Any], carried: Leaves
    ) -> None:
        self._condition, self._function, self._carried = condition, function, carried

    def run(self) -> Any:
        """Call the function as long as the condition holds."""
        carried = [contiguous(x) for x in self._carried.tensors]
        while self._goes_on(carried):
            untouched = Untouched("while_loop", carried)
            carried = [contiguous(x) for x in self._next(carried)]
            untouched.require()
        return self._carried.rebuild(carried)

    def _goes_on(self, carried: Sequence[Tensor]) -> bool:
        decided = self._decision(carried)
        return decided if isinstance(decided, bool) else bool(decided.array("a condition"))

    def _decision(self, carried: Sequence[Tensor]) -> Any:
        given = self._condition(*self._carried.rebuild(carried))
        return decision("while_loop: the condition", given)

    def _next(self, carried: Sequence[Tensor]) -> list[Tensor]:
        found = leaves_of("while_loop", "carry", self._function(*self._carried.rebuild(carried)))
        return require_alike("while_loop", found, self._carried, _ALIKE)

    def record(self, recorder: Recorder) -> Any:
        """Record the condition and the function once."""
        test, body = (Body("while_loop", recorder, repeats=True) for _ in range(2))
        types = self._carried.types
        with recording_into(test):
            decided = self._decision([test.argument(type) for type in types])
        if isinstance(decided, bool):
            return self._decided(decided)
        with recording_into(body):
            found = self._next([body.argument(type) for type in types])
        body.require_no_hooks(found)
        if test.kept:
            test.refuse(
                "the condition changes something outside, or draws random numbers",
                fix="do that in the body, and carry what the condition needs",
            )
        tests, nexts = [test.node_of(decided)], [body.node_of(x) for x in found]
        arguments = [each.argument_nodes() for each in (test, body)]
        joined = Joined(recorder, [(test, tests), (body, nexts)])
        joined.lift([tests, nexts])
        inputs = [
            numbered(
                carry=[*arguments[i], *joined.entry_nodes(i)], captured=joined.captured_nodes(i)
            )
            for i in range(2)
        ]
        inits = [*self._carried.tensors, *joined.entries]
        attrs = {
            "condition": body_graph(inputs[0], numbered(go_on=tests)),
            "body": body_graph(inputs[1], numbered(carry=[*nexts, *joined.exit_nodes(1)])),
            "carries": len(inits),
        }
        with recording_into(recorder):
            made = results(WHILE_LOOP, [*inits, *joined.captured], attrs)
            joined.write_back(made[len(types) :])
        return self._carried.rebuild(made[: len(types)])

    def _decided(self, goes_on: bool) -> Any:
        """What a condition gives that is known while recording."""
        if not goes_on:
            return self._carried.rebuild(self._carried.tensors)
        raise ArgumentError(
            "while_loop: the condition is True in every run, so the loop would never end",
            fix="let it compare what is carried", where=user_location_text(),
        )  # fmt: skip
