"""What compiled functions take and give: records, special dicts, and values that stay behind."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import RecordingError


@dataclass
class Output:
    logits: gc.Tensor
    loss: gc.Tensor | None = None
    hidden: list[gc.Tensor] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Batch:
    x: gc.Tensor
    y: Any
    name: str = "a"


@dataclass(frozen=True)
class Config:
    """Has no tensors: an ordinary hashable argument."""

    scale: float


def test_dataclasses_are_results() -> None:
    weight = gc.tensor([2.0], requires_grad=True)
    fast = gc.compile(lambda x: Output(x * weight, hidden=[x + 1, weight * 3]))
    for value in (1.0, 5.0, 7.0):
        weight.grad = None
        found = fast(gc.tensor([value]))
        assert type(found) is Output
        assert found.loss is None
        np.testing.assert_array_equal(found.logits.detach(), [2 * value])
        np.testing.assert_array_equal(found.hidden[0], [value + 1])
        (found.logits + found.hidden[1]).sum().backward()
        np.testing.assert_array_equal(weight.grad, [value + 3])


def test_dataclasses_are_arguments() -> None:
    def function(batch: Batch, config: Config) -> gc.Tensor:
        return batch.x * config.scale + batch.y

    fast = gc.compile(function)
    for value in (1.0, 2.0, 3.0):
        given = Batch(gc.tensor([value]), np.ones(1, "f"))
        np.testing.assert_array_equal(fast(given, Config(3.0)), [3 * value + 1])
    assert fast.cache_info().misses == 1
    np.testing.assert_array_equal(fast(given, Config(4.0)), [13.0])
    fast(Batch(gc.ones(2), np.ones(2, "f")), Config(4.0))
    fast(Batch(gc.ones(2), np.ones(2, "f"), "b"), Config(4.0))
    assert fast.cache_info().misses == 4


def test_dicts_keep_their_class() -> None:
    def function(x: gc.Tensor) -> tuple[Any, Any]:
        return OrderedDict(b=x, a=x + 1), defaultdict(int, {"c": x * 2})

    ordered, counts = gc.compile(function)(gc.ones(1))
    assert type(ordered) is OrderedDict
    assert list(ordered) == ["b", "a"]
    assert counts["unknown"] == 0
    np.testing.assert_array_equal(counts["c"], [2.0])


def test_values_that_stay_behind_are_refused_later() -> None:
    """Hooks run while tracing: what they keep has no value, and adds nothing to the program."""
    model, seen = nn.Linear(2, 1), []
    model.register_forward_hook(lambda module, args, output: seen.append(output))
    fast = gc.compile(model)
    fast(gc.ones(1, 2))
    for use in (seen[0].sum, seen[0].backward, lambda: gc.ones(1) + seen[0], seen[0].zero_):
        with pytest.raises(RecordingError, match="kept by what it called"):
            use()
    with pytest.raises(RecordingError, match="kept by what it called"):
        gc.compile(lambda x: x + seen[0])(gc.ones(1))
    assert fast(gc.ones(1, 2)).shape == (1, 1)
