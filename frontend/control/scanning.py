"""``scan``: step by step now, or as one node of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Size
from graphc.errors import ArgumentError
from graphc.frontend.control.body import Body
from graphc.frontend.control.dynamic import contiguous, items_of, stacked
from graphc.frontend.control.joined import Joined
from graphc.frontend.control.leaves import Leaves, leaves_of, require_alike
from graphc.frontend.control.recorded import cut_off
from graphc.frontend.control.writes import Untouched
from graphc.frontend.making import concrete
from graphc.frontend.modes import recording_into
from graphc.frontend.recording.recorder import Recorder
from graphc.ops.bodies import body_graph, numbered, results
from graphc.ops.control import SCAN
from graphc.ops.leaf import placeholder
from graphc.provenance import user_location_text
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

_NEXT_CARRY = "the next carry must be as the carry is"


class Scan:
    """One call of ``scan``.

    Args:
        function: gives the next carry and a result from the carry and an item.
        init: the first carry.
        xs: the sequences; their first dim is the one of the items.
        length: how many items there are.
        reverse: whether it goes from the last item to the first.
    """

    def __init__(
        self, function: Callable[[Any, Any], Any], init: Leaves, xs: Leaves, length: Size,
        reverse: bool,
    ) -> None:  # fmt: skip
        self._function, self._init, self._xs = function, init, xs
        self._length, self._reverse = length, reverse

    def run(self) -> tuple[Any, Leaves]:
        """Call the function for each item; the last carry, and the stacked results."""
        carried = [contiguous(x) for x in self._init.tensors]
        items = [items_of(x) for x in self._xs.tensors]
        results: list[Leaves] = []
        steps = range(int(self._length))
        for step in reversed(steps) if self._reverse else steps:
            arguments = [*carried, *(each[step] for each in items)]
            untouched = Untouched("scan", arguments)
            found, result = self._step(arguments)
            untouched.require()
            carried = [contiguous(x) for x in found]
            if results:
                why = "the results of all steps must be alike"
                result = result._replace(tensors=require_alike("scan", result, results[0], why))
            results.append(result)
        carry = self._init.rebuild(carried)
        if not results:
            return carry, self._no_results()
        columns = zip(
            *(each.tensors for each in results[:: -1 if self._reverse else 1]), strict=True
        )
        return carry, results[0]._replace(tensors=list(map(stacked, columns)))

    def _step(self, arguments: Sequence[Tensor]) -> tuple[list[Tensor], Leaves]:
        """The next carry and the result of one step."""
        count = len(self._init.tensors)
        given = self._init.rebuild(arguments[:count]), self._xs.rebuild(arguments[count:])
        found = self._function(*given)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise ArgumentError(
                "scan: the function must return two things, the next carry and a result",
                got=type(found).__name__, fix="return carry, None if there is no result",
                where=user_location_text(),
            )  # fmt: skip
        carry = leaves_of("scan", "carry", found[0])
        return require_alike("scan", carry, self._init, _NEXT_CARRY), leaves_of(
            "scan", "y", found[1]
        )

    def _no_results(self) -> Leaves:
        """What no steps give; what one would give is found out by recording it."""
        _, result = self._traced(Body("scan", Recorder()))
        return result._replace(tensors=[_empty(x.type) for x in result.tensors])

    def _traced(self, body: Body) -> tuple[list[Tensor], Leaves]:
        """The next carries, and the results of a step."""
        carried = [body.argument(type) for type in self._init.types]
        items = [
            body.argument(x.type.with_shape(x.shape[1:]), x._requires_grad)
            for x in self._xs.tensors
        ]
        with recording_into(body):
            carry, result = self._step([*carried, *items])
        body.require_no_hooks([*carry, *result.tensors])
        return carry, result

    def record(self, recorder: Recorder) -> tuple[Any, Leaves]:
        """Record the function once; the last carry, and the stacked results."""
        count = len(self._init.tensors)
        body = Body("scan", recorder, repeats=True)
        found, result = self._traced(body)
        outputs = [body.node_of(x) for x in (*found, *result.tensors)]
        arguments = body.argument_nodes()
        joined = Joined(recorder, [(body, outputs)])
        joined.lift([outputs])
        carries = [*arguments[:count], *joined.entry_nodes(0)]
        nexts = [*outputs[:count], *joined.exit_nodes(0)]
        if not outputs and not nexts:
            return self._init.rebuild([]), result
        inits = [*self._init.tensors, *joined.entries]
        captured, known = joined.captured, joined.captured_nodes(0)
        if not (inits or captured or self._xs.tensors):
            one = concrete(np.zeros(()))  # an operand tells in which world the loop is
            captured, known = [one], [placeholder("unused", one.type)]
        graph = body_graph(
            numbered(carry=carries, item=arguments[count:], captured=known),
            numbered(carry=nexts, result=outputs[count:]),
        )
        attrs = {
            "body": graph, "carries": len(carries), "sequences": len(self._xs.tensors),
            "length": self._length, "reverse": self._reverse,
        }  # fmt: skip
        with recording_into(recorder):
            made = results(SCAN, [*inits, *self._xs.tensors, *captured], attrs)
            joined.write_back(made[count : len(carries)])
        last, stacks = made[:count], made[len(carries) :]
        cut_off(
            [*last, *stacks],
            [x._requires_grad for x in (*map(_either, found, self._init.tensors), *result.tensors)],
        )
        return self._init.rebuild(last), result._replace(tensors=list(stacks))


def _either(one: Tensor, other: Tensor) -> Tensor:
    """One that requires a gradient, if any does."""
    return one if one._requires_grad else other


def _empty(type: TensorType) -> Tensor:
    return concrete(np.empty((0, *type.static_shape), type.dtype.numpy))
