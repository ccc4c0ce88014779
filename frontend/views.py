"""Views while recording: what they show, and how, so that they can follow a write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphc.frontend.base import Viewed
from graphc.node import Node
from graphc.opdef import OpDef
from graphc.ops.select import detach

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

ViewStep = tuple[OpDef, Mapping[str, Any]]


class RecordedView(Viewed):
    """The whole tensor, the operations from it to the view, and the whole's value then.

    Args:
        whole: the tensor whose memory the view shares.
        value: its node when the view was made.
        steps: view operations, in order.
    """

    __slots__ = ("steps", "value")

    def __init__(self, whole: Tensor, value: Node, steps: tuple[ViewStep, ...]) -> None:
        super().__init__(whole)
        self.value, self.steps = value, steps

    @property
    def is_alias(self) -> bool:
        """True for all of the tensor under another name, as ``detach`` and ``data`` give it."""
        return all(op is detach for op, _ in self.steps)


def view_of(source: Tensor, value: Node, op: OpDef, attrs: Mapping[str, Any]) -> Viewed:
    """What the result of a view operation shows.

    Args:
        source: the operand.
        value: its node.
        op: the operation.
        attrs: its static arguments.
    """
    shown = source._viewed
    if shown is None:
        return RecordedView(source, value, ((op, attrs),))
    whole = shown.tensor()
    if whole is None or not isinstance(shown, RecordedView):
        return shown
    return RecordedView(whole, shown.value, (*shown.steps, (op, attrs)))
