"""Orders of arrays: equal elements keep theirs, and NaN counts as the largest, all NaN alike.

numpy's stable sorts take ten times as long as its others, so that long lanes are sorted by keys
that hold an element and its place, or its rank and its place, of which no two are equal.
"""

from __future__ import annotations

import numpy as np

from graphc.storage import Array

_LONG = 512
"""From this size on, making keys costs less than it saves."""

_VERY_LONG = 4096
"""From this size on, selecting some ranks of one lane after another costs less than sorting."""

_PLACE_BITS = 32
_PLACES = (1 << _PLACE_BITS) - 1


def stable_order(x: Array, dim: int, descending: bool) -> Array:
    """The positions that sort along a dim, int64 in one piece."""
    order = _order(_lanes(x, dim), descending)
    return np.ascontiguousarray(order.swapaxes(-1, dim))


def sorted_values(x: Array, dim: int, descending: bool) -> Array:
    """The elements at the places of ``stable_order``, bit for bit, in one piece."""
    lanes = _lanes(x, dim)
    values = np.sort(lanes, -1, kind="stable" if x.dtype.itemsize < 4 else None)
    if _has_unlike_equals(lanes, values):
        order = _order(lanes, descending)
        values = np.take_along_axis(x.swapaxes(dim, -1), order, -1)
    elif descending:
        values = np.flip(values, -1)
    return np.ascontiguousarray(values.swapaxes(-1, dim).astype(x.dtype, copy=False))


def some_positions(x: Array, dim: int, start: int, stop: int, descending: bool) -> Array:
    """``stable_order(x, dim, descending)`` from ``start`` to ``stop``."""
    lanes = _lanes(x, dim)
    size, count = lanes.shape[-1], stop - start
    if size < _VERY_LONG or not 0 < 8 * count <= size or _has_nan(lanes):
        places = _order(lanes, descending)[..., start:stop]
    else:
        places = np.empty((*lanes.shape[:-1], count), np.int64)
        for lane in np.ndindex(*lanes.shape[:-1]):
            places[lane] = _some_of_lane(lanes[lane], start, stop, descending)
    return np.ascontiguousarray(places.swapaxes(-1, dim))


def _lanes(x: Array, dim: int) -> Array:
    """The dim last, in one piece; 16-bit numbers in float32, and bool in uint8."""
    if x.dtype.kind == "b":
        x = x.view(np.uint8)
    elif x.dtype.itemsize == 2 and x.dtype.kind not in "iu":
        x = x.astype(np.float32)
    return np.ascontiguousarray(x.swapaxes(dim, -1))


def _has_nan(x: Array) -> bool:
    return x.dtype.kind == "f" and bool(np.isnan(x).any())


def _has_unlike_equals(lanes: Array, values: Array) -> bool:
    """Whether elements may be equal, or be NaN, and have other bits; ``values`` are sorted."""
    if lanes.dtype.kind != "f" or not lanes.size:
        return False
    bits = 8 * lanes.dtype.itemsize
    is_minus_zero = lanes.view(f"i{bits // 8}") == -(1 << (bits - 1))
    return _has_nan(values[..., -1]) or bool(is_minus_zero.any())


def _order(lanes: Array, descending: bool) -> Array:
    """``stable_order`` along the last dim."""
    size, itemsize = lanes.shape[-1], lanes.dtype.itemsize
    if itemsize == 1 or not _LONG <= size <= _PLACES >> 1:
        return _plain_order(lanes, descending)
    if itemsize < 8:
        return _places_by(_ranks(lanes, descending))
    order = np.argsort(lanes, -1)
    if descending:
        order = np.flip(order, -1)
    values = np.take_along_axis(lanes, order, -1)
    before, after = values[..., :-1], values[..., 1:]
    differs = (before != after) & ((before == before) | (after == after))
    if differs.all():
        return order
    ranks = np.zeros(lanes.shape, np.int64)
    np.cumsum(differs, -1, out=ranks[..., 1:])
    return _places_by(ranks, order)


def _plain_order(lanes: Array, descending: bool) -> Array:
    if not descending:
        return np.argsort(lanes, -1, kind="stable")
    backwards = np.argsort(np.flip(lanes, -1), -1, kind="stable")
    order: Array = lanes.shape[-1] - 1 - np.flip(backwards, -1)
    return order


def _ranks(lanes: Array, descending: bool) -> Array:
    """int64 numbers of 32 bits in the order of the elements; equal ones for equal elements."""
    if lanes.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            bits = (lanes + np.float32(0)).view(np.int32)  # -0.0 becomes 0.0
        bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
        bits[lanes != lanes] = 0x7FFFFFFF
        lanes = bits
    return (~lanes if descending else lanes).astype(np.int64)


def _places_by(ranks: Array, places: Array | None = None) -> Array:
    """Places in the order of their ranks, those of one rank in the order of the places."""
    keys = ranks << _PLACE_BITS
    keys |= np.arange(keys.shape[-1]) if places is None else places
    keys.sort(-1)
    keys &= _PLACES
    return keys


def _some_of_lane(lane: Array, start: int, stop: int, descending: bool) -> Array:
    """``some_positions`` of one lane without NaN, by sorting what lies between two ranks."""
    ranks = (len(lane) - stop, len(lane) - 1 - start) if descending else (start, stop - 1)
    below = np.partition(lane, ranks[1])[: ranks[1] + 1]  # one rank at a time is much faster
    low, high = np.partition(below, ranks[0])[ranks[0]], below[-1]
    between = np.flatnonzero((lane >= low) & (lane <= high))
    before = np.count_nonzero(lane > high if descending else lane < low)
    order = _order(lane[between], descending)
    places: Array = between[order[start - before : stop - before]]
    return places
