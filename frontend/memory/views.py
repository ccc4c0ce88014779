"""Views: whose memory they share and how, so that they follow writes and pass on their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphc.frontend.autograd.tape import GradFn, move
from graphc.frontend.modes import modes, running_now, set_grad_enabled
from graphc.node import Node
from graphc.opdef import OpDef
from graphc.ops.select import copy, detach
from graphc.ops.shape import reshape

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

ViewStep = tuple[OpDef, Mapping[str, Any]]


class View:
    """The whole tensor, and the operations from it to the view.

    Args:
        whole: the tensor whose memory the view shares.
        steps: view operations, in order.
        value: the whole's node when the view was made; None for a dynamic view.
        made_by: the whole's step on the tape then.
        is_tracked: False for a view that was made inside ``no_grad``.
    """

    __slots__ = ("is_tracked", "made_by", "steps", "value", "whole")

    def __init__(
        self,
        whole: Tensor,
        steps: tuple[ViewStep, ...],
        value: Node | None,
        made_by: GradFn | None,
        is_tracked: bool,
    ) -> None:
        self.whole, self.steps, self.value = whole, steps, value
        self.made_by, self.is_tracked = made_by, is_tracked

    @property
    def is_detached(self) -> bool:
        """True if gradients do not flow through it, as in ``x.detach()[0]``."""
        return any(op is detach for op, _ in self.steps)


def view_of(source: Tensor, steps: tuple[ViewStep, ...], value: Node | None = None) -> View:
    """What the result of view operations shows.

    Args:
        source: the operand.
        steps: the operations and their static arguments.
        value: the operand's node while recording.
    """
    shown = source._viewed
    if shown is None:
        return View(source, steps, value, source._grad_fn, modes.grad_enabled)
    tracked = shown.is_tracked and modes.grad_enabled
    return View(shown.whole, (*shown.steps, *steps), shown.value, shown.made_by, tracked)


def follow_tape(x: Tensor, view: View) -> None:
    """Let a dynamic view stand on the tape where its whole stands since that was written."""
    made_by = view.whole._grad_fn
    if made_by is view.made_by or not view.is_tracked or view.is_detached:
        return
    if made_by is None and view.whole._requires_grad:
        return  # the whole was made a leaf
    fresh = view.whole
    with running_now(), set_grad_enabled(True):
        for op, attrs in view.steps:
            fresh = op(fresh, **attrs)
    move(x, fresh)
    x._viewed = View(view.whole, view.steps, None, made_by, True)


def settled(x: Tensor) -> Tensor:
    """The tensor itself, standing on the tape where it stands after all writes so far."""
    view = x._viewed
    if view is not None:
        if x.recorder is not None:
            x.recorder.node_of(x)
        else:
            follow_tape(x, view)
    return x


def own(x: Tensor) -> Tensor:
    """A fresh result as a tensor of its own: a write to it does not reach what it was made from.

    Args:
        x: what an operation gave; nobody else has it.
    """
    if x.node is None:
        return x if x._viewed is None else copy(x)
    x._viewed = None
    return x


def keeps_order(view: View) -> bool:
    """True if a recorded view has all elements of its whole in their order."""
    return all(op in (reshape, detach) for op, _ in view.steps)
