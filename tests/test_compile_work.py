"""Compiling a program that is four times as long is about four times the work.

Counted, not timed: how often passes look at a node, kernels tell each other of a merge, and the
checker of plans looks at a buffer.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.passes import rewrite
from graphc.passes.fusion.groups import Groups
from graphc.passes.pipeline import optimize
from graphc.runtime.check.addresses import NearBuffers
from graphc.runtime.check.plan import check_plan
from graphc.runtime.planning.planner import make_plan

GROWTH = {"told of merges": 12, "near buffers": 8}
"""How much more of some work four times the layers may take; squares would be 16 times as much."""


def train_step(layers: int) -> Any:
    """A step of Adam for a perceptron of equal layers, recorded."""
    gc.manual_seed(0)
    pairs = [(nn.Linear(16, 16), nn.ReLU()) for _ in range(layers)]
    model = nn.Sequential(*(layer for pair in pairs for layer in pair))
    optimizer = optim.Adam(model.parameters())

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = np.zeros((8, 16), np.float32), np.zeros(8, np.int64)
    return gc.trace(step, x, y).recorder.program()


def work(layers: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How much of what compiling takes, in pieces of work."""
    program, counts = train_step(layers), Counter[str]()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            counts[name] += 1
            return function(*args)

        return call

    def listed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Iterator[Any]:
            for each in function(*args):
                counts[name] += 1
                yield each

        return call

    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "_first_change", counted("rules", rewrite._first_change))
        patch.setattr(rewrite, "with_inputs", counted("rebuilt", rewrite.with_inputs))
        patch.setattr(Groups, "named", listed("told of merges", Groups.named))
        patch.setattr(NearBuffers, "near", listed("near buffers", NearBuffers.near))
        optimized, _ = optimize(program)
        plan = make_plan(optimized)
        check_plan(plan, optimized)
    counts["steps"] = len(plan.steps)
    return counts


def test_work_grows_as_the_program_does(monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = work(12, monkeypatch), work(48, monkeypatch)
    assert short.keys() == long.keys()
    growth = {name: long[name] / short[name] for name in long}
    assert {name: times for name, times in growth.items() if times > GROWTH.get(name, 5)} == {}
