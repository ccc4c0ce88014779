"""Views: whose memory they share and how, so that they follow writes and pass on their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphc.errors import AutogradError, ShapeError
from graphc.frontend.autograd.tape import GradFn, move
from graphc.frontend.modes import modes, running_now, set_grad_enabled
from graphc.node import Node
from graphc.opdef import OpDef
from graphc.ops.diagonal import diagonal, diagonal_order, diagonal_size, first_on_diagonal
from graphc.ops.select import copy, detach
from graphc.ops.shape import concat, expand, flip, narrow, permute, reshape, slice_
from graphc.provenance import user_location_text

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


def put_back(whole: Tensor, steps: tuple[ViewStep, ...], value: Tensor) -> Tensor:
    """The whole with other values where a view of it looks.

    It is made of operations that save no values, so it may stand on the tape of memory that is
    about to be written.

    Args:
        whole: the tensor.
        steps: the operations from it to the view.
        value: of the view's shape and dtype.

    Raises:
        AutogradError: if elements of the view share places.
    """
    if not steps:
        return value
    (op, attrs), *rest = steps
    if rest:
        value = put_back(op(whole, **attrs), tuple(rest), value)
    if op is slice_:
        return slice_back(whole, value, **attrs)
    if op is diagonal:
        return diagonal_back(whole, value, **attrs)
    if op is reshape:
        return reshape(value, shape=whole.shape)
    if op is permute:
        dims = attrs["dims"]
        return permute(value, dims=tuple(sorted(range(len(dims)), key=dims.__getitem__)))
    if op is flip:
        return flip(value, dims=attrs["dims"])
    if op is detach:
        return value
    if op is expand and value.type.numel == whole.type.numel:
        return reshape(value, shape=whole.shape)
    raise AutogradError(
        "the tensor's memory cannot be written: its elements share places",
        got=str(value.type), fix="clone() it first", where=user_location_text(),
    )  # fmt: skip


def slice_back(
    whole: Tensor, value: Tensor, starts: tuple[Any, ...], stops: tuple[Any, ...],
    steps: tuple[int, ...],
) -> Tensor:  # fmt: skip
    """The whole with other values in a slice of it."""
    places = list(zip(starts, stops, steps, strict=True))
    cut = [
        dim
        for dim, (start, stop, step) in enumerate(places)
        if (start, stop, step) != (0, whole.shape[dim], 1)
    ]
    if not cut:
        return value
    dim, *others = cut
    start, stop, step = places[dim]
    if others:
        part = slice_(
            whole,
            starts=tuple(start if d == dim else 0 for d in range(whole.ndim)),
            stops=tuple(stop if d == dim else size for d, size in enumerate(whole.shape)),
            steps=tuple(step if d == dim else 1 for d in range(whole.ndim)),
        )
        starts = tuple(0 if d == dim else s for d, s in enumerate(starts))
        stops = tuple(part.shape[d] if d == dim else s for d, s in enumerate(stops))
        steps = tuple(1 if d == dim else s for d, s in enumerate(steps))
        value = slice_back(part, value, starts, stops, steps)
    return _put_along(whole, value, dim, start, step)


def _put_along(whole: Tensor, value: Tensor, dim: int, start: Any, step: int) -> Tensor:
    """The whole with values at every ``step``-th place of one dim from ``start``."""
    count = value.shape[dim]
    if count == 0:
        return whole
    if step != 1 and not isinstance(count, int):
        raise ShapeError(
            "a write to every n-th element of a dim needs a known size", got=str(value.type),
            where=user_location_text(),
        )  # fmt: skip
    after = start + (count - 1) * step + 1
    pieces = [narrow(whole, dim, 0, start), narrow(whole, dim, after, whole.shape[dim])]
    if step == 1:
        pieces.insert(1, value)
    else:
        pieces[1:1] = [_interleaved(whole, value, dim, start, step),
                       narrow(value, dim, count - 1, count)]  # fmt: skip
    kept = [piece for piece in pieces if piece.shape[dim] != 0]
    return concat(*kept, dim=dim) if len(kept) > 1 else kept[0]


def _interleaved(whole: Tensor, value: Tensor, dim: int, start: Any, step: int) -> Tensor:
    """All but the last value, each with the ``step - 1`` elements of the whole that follow it."""
    groups = value.shape[dim] - 1
    before, behind = whole.shape[:dim], whole.shape[dim + 1 :]
    covered = narrow(whole, dim, start, start + groups * step)
    rows = reshape(covered, shape=(*before, groups, step, *behind))
    heads = reshape(narrow(value, dim, 0, groups), shape=(*before, groups, 1, *behind))
    mixed = concat(heads, narrow(rows, dim + 1, 1, step), dim=dim + 1)
    return reshape(mixed, shape=(*before, groups * step, *behind))


def diagonal_back(whole: Tensor, value: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """The whole with other values on a diagonal."""
    order = diagonal_order(whole.ndim, dim1, dim2)
    matrix = permute(whole, dims=order)
    *rest, rows, columns = matrix.shape
    if diagonal_size(rows, columns, offset) == 0:
        return whole
    flat = reshape(matrix, shape=(*rest, rows * columns))
    first = first_on_diagonal(columns, offset)
    written = reshape(_put_along(flat, value, len(rest), first, columns + 1), shape=matrix.shape)
    return permute(written, dims=tuple(sorted(range(len(order)), key=order.__getitem__)))
