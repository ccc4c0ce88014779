"""The bodies of one loop or branch, and what they share: what they read and change outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.frontend.modes import recording_into, set_grad_enabled
from graphc.node import Node
from graphc.ops.bodies import computed
from graphc.ops.leaf import placeholder
from graphc.passes.control.differentiation import used
from graphc.passes.control.invariants import shared_values

if TYPE_CHECKING:
    from graphc.frontend.control.body import Body
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class Joined:
    """The bodies of one loop or branch, which take the same inputs.

    Args:
        outer: what records the code around them.
        parts: each body with the nodes of its results.

    Attributes:
        kept: what any of the bodies changes outside.
    """

    def __init__(self, outer: Recorder, parts: Sequence[tuple[Body, Sequence[Node]]]) -> None:
        self._outer = outer
        changed = [each for body, _ in parts for each in body.kept]
        self.kept = list({outer.place_of(each.tensor): each for each in reversed(changed)}.values())
        self._sources: dict[object, Tensor] = {}
        self._nodes: list[dict[object, Node]] = []
        self._bodies = [body for body, _ in parts]
        for body, roots in parts:
            known = {body.entry(each) for each in self.kept}
            exits = [body.exit(each) for each in self.kept]
            found = [each for each in body.reached([*roots, *exits]) if each[2] not in known]
            self._sources |= {key: x for key, x, _ in found}
            self._nodes.append({key: node for key, _, node in found})

    @property
    def captured(self) -> list[Tensor]:
        """What the bodies read from outside, and do not change."""
        return list(self._sources.values())

    def lift(self, roots: Sequence[Sequence[Node]]) -> None:
        """Compute before a loop what is the same in every step, where it is recorded.

        Args:
            roots: what each body computes.
        """
        for position, nodes in enumerate(roots):
            found = self._nodes[position]
            known = {node: self._sources[key] for key, node in found.items()}
            shared = shared_values([*nodes, *self.exit_nodes(position)], known)
            if not shared or not known:
                continue
            with recording_into(self._outer):
                values = computed(shared, known, next(iter(known.values())))
            self._sources |= {(position, node): x for node, x in zip(shared, values, strict=True)}
            found |= {(position, node): node for node in shared}
        self._leave_out_the_unread(roots)

    def _leave_out_the_unread(self, roots: Sequence[Sequence[Node]]) -> None:
        read: set[object] = set()
        for position, nodes in enumerate(roots):
            found = self._nodes[position]
            keys, candidates = list(found), list(found.values())
            ends = [*nodes, *self.exit_nodes(position)]
            read |= {keys[i] for i in used(ends, candidates)}
        self._sources = {key: x for key, x in self._sources.items() if key in read}

    @property
    def entries(self) -> list[Tensor]:
        """What the bodies change, as it is before."""
        return [
            self._outer.random_position(each.tensor) if each.is_generator else each.tensor
            for each in self.kept
        ]

    def write_back(self, values: Sequence[Tensor]) -> None:
        """Give what the bodies change its new values."""
        for each, value in zip(self.kept, values, strict=True):
            if each.is_generator:
                self._outer.go_on_from(each.tensor, value)
            else:
                with set_grad_enabled(False):
                    self._outer.assign(each.tensor, value)

    def captured_nodes(self, position: int) -> list[Node]:
        """One body's nodes for what is captured."""
        nodes = self._nodes[position]
        return [
            nodes.get(key) or placeholder(f"unused{number}", x.type)
            for number, (key, x) in enumerate(self._sources.items())
        ]

    def entry_nodes(self, position: int) -> list[Node]:
        """One body's nodes for what is changed, as it is before."""
        return [self._bodies[position].entry(each) for each in self.kept]

    def exit_nodes(self, position: int) -> list[Node]:
        """One body's nodes for what is changed, as it leaves it."""
        return [self._bodies[position].exit(each) for each in self.kept]
