"""Convolution, and what takes its results back to its inputs.

With ``pad``, ``slice``, ``permute`` and ``flip`` around it, one operation serves strided, dilated,
grouped and transposed convolutions and the gradients of all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from graphc.dims import Shape, Size
from graphc.errors import ArgumentError, ShapeError
from graphc.opdef import Call, OpDef, Saves
from graphc.ops.convolution_eval import eval_conv, window_span
from graphc.ops.convolution_parts import (
    PlaceClass,
    class_of,
    interleaved,
    padded_shape,
    shared_frame,
    transposed_kernel,
    with_padding,
)
from graphc.ops.infer import FLOAT, require_category, require_one_per_dim, require_same_dtype
from graphc.ops.select import scalar
from graphc.ops.shape import expand, pad, permute, reshape, slice_
from graphc.shapes import unify
from graphc.types import TensorType

Ints = tuple[int, ...]


def _infer_conv(
    x: TensorType, weight: TensorType, *, stride: Ints, dilation: Ints, groups: int,
    low: Ints = (), high: Ints = (),
) -> TensorType:  # fmt: skip
    require_same_dtype("conv", (x, weight))
    require_category("conv", (x, weight), FLOAT)
    if x.rank != weight.rank or x.rank < 3:
        raise ShapeError(
            "conv: expected (batch, channels, ...) and (out, channels / groups, ...)",
            got=f"{x} and {weight}",
        )
    require_one_per_dim("conv", "one stride and dilation", x.rank - 2, stride, dilation)
    if groups < 1 or min(*stride, *dilation) < 1:
        raise ArgumentError(
            "conv: stride, dilation and groups must be positive",
            got=f"{stride}, {dilation} and {groups}",
        )
    _check_channels(x, weight, groups)
    if low or high:
        require_one_per_dim("conv", "one amount of padding", x.rank - 2, low, high)
        if min(*low, *high) < 0:
            raise ArgumentError("conv: padding must not be negative", got=f"{low} and {high}")
        x = x.with_shape(padded_shape(x.shape, low, high))
    return x.with_shape((x.shape[0], weight.shape[0], *_sizes(x, weight, stride, dilation)))


def _check_channels(x: TensorType, weight: TensorType, groups: int) -> None:
    out = weight.shape[0]
    uneven = isinstance(out, int) and out % groups
    if unify(x.shape[1], weight.shape[1] * groups) is None or uneven:
        raise ShapeError(
            "conv: the channels do not fit", got=f"{x} and {weight}, {groups} groups",
            expected="channels / groups in the weight, and groups that divide its first size",
        )  # fmt: skip


def _sizes(x: TensorType, weight: TensorType, stride: Ints, dilation: Ints) -> Shape:
    """The spatial sizes of the result."""
    sizes: list[Size] = []
    spatial = zip(x.shape[2:], weight.shape[2:], stride, dilation, strict=True)
    for size, kernel, step, gap in spatial:
        room = size - window_span(kernel, gap)
        empty = isinstance(kernel, int) and kernel == 0
        if empty or (isinstance(room, int) and room < 0):
            raise ShapeError(
                "conv: the kernel must have elements and fit into the padded input",
                got=f"{x} and {weight}, dilation {dilation}",
            )
        sizes.append(room // step + 1)
    return tuple(sizes)


def _conv_vjp(call: Call, g: Any) -> tuple[Any | None, Any | None]:
    return (
        None if 0 in call.unwanted else _to_input(call, g),
        None if 1 in call.unwanted else _to_weight(call, g),
    )


def _to_input(call: Call, g: Any) -> Any:
    """Each window gives its gradient back."""
    x, weight = call.inputs
    stride = call.attrs["stride"]
    return conv_back(
        g, weight, stride=stride, dilation=call.attrs["dilation"], groups=call.attrs["groups"],
        starts=call.attrs.get("low") or (0,) * len(stride), sizes=x.type.shape[2:],
    )  # fmt: skip


def conv_back(
    g: Any, weight: Any, *, stride: Ints, dilation: Ints, groups: int, starts: Ints, sizes: Shape
) -> Any:
    """The sum of all windows, each times an element of ``g``: the transpose of ``conv``.

    Places whose distance is a multiple of the stride meet the same elements of the kernel: each
    such class is a convolution of its own, without the zeros between the elements of ``g``.

    Args:
        g: ``(batch, out, ...)``.
        weight: ``(out, channels / groups, ...)``.
        stride: distance of windows.
        dilation: distance of a window's elements.
        groups: so many convolutions side by side.
        starts: the first place of the result along each spatial dim, from the first window's.
        sizes: the spatial sizes of the result.
    """
    places, kernel = g.type.shape[2:], weight.type.shape[2:]
    known = tuple(size for size in sizes if isinstance(size, int))
    if len(known) < len(sizes) or not all(isinstance(size, int) for size in places):
        return _spread_back(g, weight, stride, dilation, groups, starts, sizes)
    rounds = [-(-size // step) for size, step in zip(known, stride, strict=True)]
    chosen: dict[Ints, list[PlaceClass]] = {}
    for residues in itertools.product(*map(range, stride)):
        found = [
            class_of(start + residue, *rest)
            for start, residue, *rest in zip(
                starts, residues, kernel, stride, dilation, strict=True
            )
        ]
        reached = [each for each in found if each is not None]
        if len(reached) == len(found):
            chosen[residues] = reached
    if not chosen:
        channels = groups * weight.type.shape[1]
        return expand(scalar(g, 0), shape=(g.type.shape[0], channels, *sizes))
    read = shared_frame(g, [_amounts(each, rounds, places) for each in chosen.values()])
    classes = {
        residues: _class_back(x, weight, each, groups)
        for x, (residues, each) in zip(read, chosen.items(), strict=True)
    }
    return interleaved(classes, stride, rounds, sizes)


def _amounts(
    classes: Sequence[PlaceClass], rounds: Sequence[int], places: Sequence[int]
) -> list[tuple[int, int]]:
    """How far the places of a class reach beyond both ends of ``g``, per dim."""
    return [
        ((each.count - 1) * each.dilation - each.shift, count + each.shift - size)
        for each, count, size in zip(classes, rounds, places, strict=True)
    ]


def _class_back(x: Any, weight: Any, classes: Sequence[PlaceClass], groups: int) -> Any:
    """All places of one class, from the elements that they meet."""
    out, channels, *kernel = weight.type.shape
    some = slice_(
        weight,
        starts=(0, 0, *(each.first for each in classes)),
        stops=(out, channels, *kernel),
        steps=(1, 1, *(each.step for each in classes)),
    )
    return conv(
        x, transposed_kernel(some, groups), stride=(1,) * len(classes),
        dilation=tuple(each.dilation for each in classes), groups=groups,
    )  # fmt: skip


def _spread_back(
    g: Any, weight: Any, stride: Ints, dilation: Ints, groups: int, starts: Ints, sizes: Shape
) -> Any:
    """One convolution of ``g`` with zeros between its elements, for sizes that are not known."""
    reach = [
        window_span(k, gap) - 1 for k, gap in zip(weight.type.shape[2:], dilation, strict=True)
    ]
    unread = [
        start + size - ((count - 1) * step + 1 + far)
        for start, size, count, step, far in zip(
            starts, sizes, g.type.shape[2:], stride, reach, strict=True
        )
    ]
    added = [max(rest, 0) if isinstance(rest, int) else rest for rest in unread]
    spread = pad(
        g,
        low=(0, 0, *reach),
        high=(0, 0, *(far + rest for far, rest in zip(reach, added, strict=True))),
        interior=(0, 0, *(step - 1 for step in stride)),
        value=0.0,
    )
    back = transposed_kernel(weight, groups)
    whole = conv(spread, back, stride=(1,) * len(stride), dilation=dilation, groups=groups)
    stops = tuple(start + size for start, size in zip(starts, sizes, strict=True))
    lead = whole.type.shape[:2]
    return slice_(
        whole, starts=(0, 0, *starts), stops=(*lead, *stops), steps=(1,) * (2 + len(starts))
    )


def _to_weight(call: Call, g: Any) -> Any:
    """A convolution of the input with ``g``, where batch and channels change places."""
    x, weight = call.inputs
    groups, stride, dilation = (call.attrs[name] for name in ("groups", "stride", "dilation"))
    x = with_padding(x, call.attrs.get("low", ()), call.attrs.get("high", ()))
    swapped = (1, 0, *range(2, len(x.type.shape)))
    found = conv(
        _batch_behind(_read_part(x, weight, g, stride, dilation), groups),
        permute(g, dims=swapped), stride=dilation, dilation=stride, groups=groups,
    )  # fmt: skip
    return permute(found, dims=swapped)


def _read_part(x: Any, weight: Any, g: Any, stride: Ints, dilation: Ints) -> Any:
    """What windows read: a stride may leave out the end of the input."""
    sizes: list[Size] = []
    spatial = zip(
        x.type.shape[2:], weight.type.shape[2:], g.type.shape[2:], stride, dilation, strict=True
    )
    for size, kernel, places, step, gap in spatial:
        reach = (places - 1) * step + window_span(kernel, gap)
        sizes.append(size if step == 1 else reach)
    stops = (*x.type.shape[:2], *sizes)
    if stops == x.type.shape:
        return x
    return slice_(x, starts=(0,) * len(stops), stops=stops, steps=(1,) * len(stops))


def _batch_behind(x: Any, groups: int) -> Any:
    """``(batch, groups * channels, ...)`` as ``(channels, groups * batch, ...)``."""
    batch, channels, *sizes = x.type.shape
    spatial = range(2, 2 + len(sizes))
    if groups == 1:
        return permute(x, dims=(1, 0, *spatial))
    apart = reshape(x, shape=(batch, groups, channels // groups, *sizes))
    turned = permute(apart, dims=(2, 1, 0, *(dim + 1 for dim in spatial)))
    return reshape(turned, shape=(channels // groups, groups * batch, *sizes))


conv = OpDef("conv", _infer_conv, eval_conv, _conv_vjp, saves=Saves.INPUTS)
"""``conv(x, weight, stride=, dilation=, groups=, low=, high=)``: ``(batch, channels, ...)`` with
``(out, channels / groups, ...)`` to ``(batch, out, ...)``; windows inside of the input, to which
``low`` and ``high`` add zeros before and after each spatial dim."""
