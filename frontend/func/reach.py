"""Where gradients of a tensor would go: to somebody's leaves, or only to those of past levels.

The leaves that a transform gives its function belong to that call: nobody else ever asks for
their gradients. What leads to nothing else needs no tape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from graphc.frontend.autograd.tape import GradFn
from graphc.ordering import operands_first

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

_finished: WeakValueDictionary[int, Tensor] = WeakValueDictionary()


def finish(leaves: Iterable[Tensor]) -> None:
    """Note that the calls which these leaves belong to are over."""
    for leaf in leaves:
        _finished[id(leaf)] = leaf


class Reach:
    """Finds out whether gradients go anywhere; it remembers steps, so these must stay alive.

    Args:
        own: leaves that do not count.
    """

    def __init__(self, own: Iterable[Tensor] = ()) -> None:
        self._known: dict[int, bool] = {id(leaf): False for leaf in own}

    def goes_on(self, x: Tensor) -> bool:
        """Whether the gradient of a tensor reaches a leaf that somebody may ask about."""
        if not x._requires_grad:
            return False
        start = _Item(x._grad_fn or x)
        for item in operands_first([start], self._unknown):
            if item.key not in self._known:
                self._known[item.key] = self._finds(item)
        return self._known[start.key]

    def _unknown(self, item: _Item) -> Sequence[_Item]:
        return [] if item.key in self._known else item.edges()

    def _finds(self, item: _Item) -> bool:
        if isinstance(item.target, GradFn):
            return any(self._known[edge.key] for edge in item.edges())
        return _finished.get(item.key) is not item.target


class _Item:
    """A step or a leaf by identity: tensors compare by value."""

    __slots__ = ("key", "target")

    def __init__(self, target: Any) -> None:
        self.target, self.key = target, id(target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Item) and self.target is other.target

    def __hash__(self) -> int:
        return self.key

    def edges(self) -> list[_Item]:
        """Where gradients go from here."""
        if not isinstance(self.target, GradFn):
            return []
        return [_Item(edge) for edge in self.target.edges if edge is not None]
