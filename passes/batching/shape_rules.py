"""Batching operations that re-index or join elements, or work along dims."""

from __future__ import annotations

from typing import Any

from graphc.ops.shape import reshape
from graphc.passes.batching.application import Application, joined, later


def elementwise(call: Application) -> Any:
    """Operands broadcast behind the batch dim, so that they all need the result's rank."""
    rank = call.result.rank
    return call.again(*(call.aligned(i, rank) for i in range(len(call.operands))))


def along_dims(call: Application) -> Any:
    """The same over dims that are one place later; all operands have the batch dim."""
    changes: dict[str, Any] = {}
    for name, value in call.attrs.items():
        if name in ("dim", "dim1", "dim2"):
            changes[name] = value + 1
        elif name == "dims":
            changes[name] = later(value)
    return call.again(*call.fronts(), **changes)


def on_last_dims(call: Application) -> Any:
    """What works on the last dims and takes any others before them."""
    return call.again(*call.fronts())


def reshaped(call: Application) -> Any:
    """Each example becomes the shape."""
    return call.again(call.value(0), shape=(call.size, *call.attrs["shape"]))


def expanded(call: Application) -> Any:
    """New dims of each example go behind the batch dim."""
    shape = call.attrs["shape"]
    return call.again(call.aligned(0, len(shape)), shape=(call.size, *shape))


def permuted(call: Application) -> Any:
    """The batch dim stays first."""
    return call.again(call.value(0), dims=(0, *later(call.attrs["dims"])))


def sliced(call: Application) -> Any:
    """All examples, the same part of each."""
    starts, stops, steps = (call.attrs[name] for name in ("starts", "stops", "steps"))
    return call.again(
        call.value(0), starts=(0, *starts), stops=(call.size, *stops), steps=(1, *steps)
    )


def padded(call: Application) -> Any:
    """Nothing between or beside the examples."""
    changes = {name: (0, *call.attrs[name]) for name in ("low", "high", "interior")}
    return call.again(call.value(0), **changes)


def searched(call: Application) -> Any:
    """One sequence per example makes rows of the values."""
    sequence, values = call.types
    if not call.is_batched(0) and sequence.rank == 1:
        return call.again(call.value(0), call.value(1))
    if sequence.rank > 1:
        return call.again(*call.fronts())
    rows = reshape(call.front(1), shape=(call.size, joined(values.shape)))
    return reshape(call.again(call.value(0), rows), shape=(call.size, *values.shape))
