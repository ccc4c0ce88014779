"""Parts of convolutions and of their transposes: frames of zeros, kernels, classes of places."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.dims import Shape
from graphc.ops.select import scalar
from graphc.ops.shape import concat, expand, flip, pad, permute, reshape, slice_

Ints = tuple[int, ...]


def padded_shape(shape: Shape, low: Ints, high: Ints) -> Shape:
    """The shape of an input with zeros around its spatial dims."""
    sizes = zip(shape[2:], low, high, strict=True)
    return (*shape[:2], *(size + less + more for size, less, more in sizes))


def with_padding(x: Any, low: Ints, high: Ints) -> Any:
    """The input with zeros around its spatial dims."""
    if not any(low) and not any(high):
        return x
    none = (0,) * len(x.type.shape)
    return pad(x, low=(0, 0, *low), high=(0, 0, *high), interior=none, value=0.0)


def shared_frame(x: Any, amounts: Sequence[Sequence[tuple[int, int]]]) -> list[Any]:
    """Views of the input with zeros around its spatial dims: all of one padded value.

    Args:
        x: ``(batch, channels, ...)``.
        amounts: for each view and dim, how many elements before and after the input it has;
            negative amounts cut off.
    """
    sizes = x.type.shape[2:]
    low = tuple(max(0, *(low for low, _ in along)) for along in zip(*amounts, strict=True))
    high = tuple(max(0, *(high for _, high in along)) for along in zip(*amounts, strict=True))
    whole, views = with_padding(x, low, high), []
    for each in amounts:
        starts, stops = [0, 0], list(x.type.shape[:2])
        for (less, more), before, size in zip(each, low, sizes, strict=True):
            starts.append(before - less)
            stops.append(before + size + more)
        steps = (1,) * len(starts)
        views.append(slice_(whole, starts=tuple(starts), stops=tuple(stops), steps=steps))
    return views


def transposed_kernel(weight: Any, groups: int) -> Any:
    """The kernel that goes back from results to inputs: mirrored, in and out swapped."""
    out, channels, *kernel = weight.type.shape
    parts = reshape(weight, shape=(groups, out // groups, channels, *kernel))
    spatial = range(3, 3 + len(kernel))
    swapped = permute(parts, dims=(0, 2, 1, *spatial))
    joined = reshape(swapped, shape=(groups * channels, out // groups, *kernel))
    return flip(joined, dims=tuple(range(2, 2 + len(kernel))))


@dataclass(frozen=True, slots=True)
class PlaceClass:
    """Which elements of the kernel the places of one class meet, along one dim.

    Args:
        first: the first of them.
        step: distance between them.
        count: their number.
        dilation: distance of the elements of ``g`` that belong to them.
        shift: the element of ``g`` that the first one meets at the first place.
    """

    first: int
    step: int
    count: int
    dilation: int
    shift: int


def class_of(place: int, kernel: int, stride: int, dilation: int) -> PlaceClass | None:
    """The class of a place; None if windows never reach it."""
    common = math.gcd(stride, dilation)
    step = stride // common
    for first in range(min(step, kernel)):
        if (place - first * dilation) % stride == 0:
            shift = (place - first * dilation) // stride
            return PlaceClass(
                first, step, len(range(first, kernel, step)), dilation // common, shift
            )
    return None


def interleaved(
    classes: Mapping[Ints, Any], stride: Ints, rounds: Sequence[int], sizes: Shape
) -> Any:
    """Put the places of all classes where they belong; those of no class are zeros."""
    like = next(iter(classes.values()))
    lead = like.type.shape[:2]
    if max(stride) == 1:
        return like
    apart = tuple(size for count in rounds for size in (count, 1))

    def joined(residues: Ints) -> Any:
        depth = len(residues)
        if depth == len(stride):
            if residues in classes:
                return reshape(classes[residues], shape=(*lead, *apart))
            return expand(scalar(like, 0), shape=(*lead, *apart))
        parts = [joined((*residues, residue)) for residue in range(stride[depth])]
        return concat(*parts, dim=3 + 2 * depth) if len(parts) > 1 else parts[0]

    whole = tuple(count * step for count, step in zip(rounds, stride, strict=True))
    together = reshape(joined(()), shape=(*lead, *whole))
    none = (0,) * (2 + len(whole))
    return slice_(together, starts=none, stops=(*lead, *sizes), steps=(1,) * len(none))
