"""A trace that fails leaves tensors, gradients and optimizers as they were."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import RecordingError

MAKERS: list[Callable[[Any], optim.Optimizer]] = [
    functools.partial(optim.Adam, lr=0.1),
    functools.partial(optim.Adam, lr=0.1, amsgrad=True),
    functools.partial(optim.SGD, lr=0.1, momentum=0.9, dampening=0.5),
    functools.partial(optim.SGD, lr=0.1),
]


class Job:
    """Two parameters, one optimizer, and a step that fails while it is told to."""

    def __init__(self, make: Callable[[Any], optim.Optimizer]) -> None:
        self.weights = [nn.Parameter([1.0, -2.0]), nn.Parameter([0.5])]
        self.optimizer = make(self.weights)
        self.fails = True

    def step(self, x: Any) -> Any:
        self.optimizer.zero_grad()
        loss = (self.weights[0] * x * self.weights[1]).sum()
        loss.backward()
        self.optimizer.step()
        if self.fails:
            raise ZeroDivisionError
        return loss

    def snapshot(self) -> dict[str, Any]:
        """All that dynamic code can see."""
        state = self.optimizer.state
        return {
            "values": [w.tolist() for w in self.weights],
            "gradients": [None if w.grad is None else w.grad.tolist() for w in self.weights],
            "gradient objects": [id(w.grad) for w in self.weights],
            "state of": [w in state for w in self.weights],
            "state": {
                (number, key): (id(value), value.tolist())
                for number, w in enumerate(self.weights)
                for key, value in state.get(w, {}).items()
            },
        }


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("steps_before", [0, 2])
def test_state_is_as_before(make: Any, steps_before: int) -> None:
    job = Job(make)
    job.fails = False
    for _ in range(steps_before):
        job.step(gc.ones(2))
    before = job.snapshot()
    job.fails = True
    fast = gc.compile(job.step, backend="numpy")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fast(gc.ones(2))
        assert job.snapshot() == before
    assert fast.cache_info().misses == fast.cache_info().size == 0
    job.fails = False
    twin = Job(make)
    twin.fails = False
    for _ in range(steps_before):
        twin.step(gc.ones(2))
    for _ in range(3):
        assert fast(gc.ones(2)).item() == twin.step(gc.ones(2)).item()
    assert [w.tolist() for w in job.weights] == [w.tolist() for w in twin.weights]


def test_state_that_was_there_stays_when_options_add_more() -> None:
    job = Job(MAKERS[0])
    job.fails = False
    job.step(gc.ones(2))
    before = job.snapshot()
    job.fails, job.optimizer.param_groups[0]["amsgrad"] = True, True
    with pytest.raises(ZeroDivisionError):
        gc.compile(job.step, backend="numpy")(gc.ones(2))
    assert job.snapshot() == before


def test_a_program_that_cannot_be_made_leaves_no_state() -> None:
    """The trace itself ends well, but its result cannot become a session."""
    job = Job(MAKERS[0])
    job.fails = False
    before = job.snapshot()

    def step(x: Any) -> Any:
        loss = job.step(x)
        return {"1": loss, 1: loss}

    with pytest.raises(gc.GraphcError, match="two results have one name"):
        gc.compile(step, backend="numpy")(gc.ones(2))
    assert job.snapshot() == before


def test_a_graph_that_fails_leaves_no_state() -> None:
    job = Job(MAKERS[0])
    before = job.snapshot()
    with pytest.raises(ZeroDivisionError), gc.Graph():
        job.step(gc.placeholder((2,), name="x"))
    assert job.snapshot() == before


def test_what_was_recorded_before_keeps_its_state() -> None:
    job = Job(MAKERS[0])
    job.fails = False
    graph = gc.Graph()
    with graph:
        graph.output(job.step(gc.placeholder((2,), name="x")), "loss")
    with pytest.raises(ZeroDivisionError), graph:
        raise ZeroDivisionError
    session = graph.compile(backend="numpy")
    session.run({"x": np.ones(2, np.float32)})
    assert job.optimizer.state[job.weights[0]]["step"].item() == 1


def test_gradients_set_and_cleared_in_a_failed_trace_are_as_before() -> None:
    w, v = (gc.tensor([value], requires_grad=True) for value in (2.0, 3.0))
    (w * w).sum().backward()
    kept = w.grad

    def step(x: Any) -> None:
        w.grad = None
        v.grad = gc.ones(1)
        (w * v * x).sum().backward()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gc.compile(step)(gc.ones(1))
    assert w.grad is kept
    assert w.grad.tolist() == [4.0]
    assert v.grad is None
    (w * v).sum().backward()
    assert (w.grad.tolist(), v.grad.tolist()) == ([7.0], [2.0])
    assert not gc.is_recording()


def test_an_argument_written_in_place_leaves_no_state() -> None:
    job = Job(MAKERS[0])
    job.fails = False
    before = job.snapshot()

    def step(x: Any) -> None:
        job.step(x)
        x.add_(1)

    with pytest.raises(RecordingError, match="written in place"):
        gc.compile(step, backend="numpy")(gc.ones(2))
    assert job.snapshot() == before
