"""Mistakes in loops and branches: what is named, in both executions."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

import graphc as gc
from graphc import nn
from graphc.errors import (
    ArgumentError,
    ArgumentTypeError,
    AutogradError,
    DTypeError,
    GraphcError,
    IndexRangeError,
    RecordingError,
    ShapeError,
    SymbolicValueError,
)  # fmt: skip

Z, XS = gc.zeros(3), gc.ones(4, 3)
W = nn.Parameter(gc.ones(3))
Case = tuple[Callable[[gc.Tensor], Any], type[GraphcError], str]

BOTH: dict[str, Case] = {
    "dtype of a carry": (
        lambda x: gc.scan(lambda c, y: (c.double(), y), x, XS), DTypeError,
        "scan: the next carry must be as the carry is, and init has another dtype\n"
        "  got: f64\\[3\\]\n  expected: f32\\[3\\]",
    ),
    "shape of a part of it": (
        lambda x: gc.scan(lambda c, y: ({"h": c["h"][:2]}, y), {"h": x}, XS), ShapeError,
        "init.h has another shape\n  got: f32\\[2\\]\n  expected: f32\\[3\\]",
    ),
    "structure of a carry": (
        lambda x: gc.scan(lambda c, y: ((c, c), y), x, XS), ShapeError, "another structure",
    ),
    "not a pair": (
        lambda x: gc.scan(lambda c, y: c + y, x, XS), ArgumentError, "must return two things",
    ),
    "no tensor as a result": (
        lambda x: gc.scan(lambda c, y: (c, 1.0), x, XS), DTypeError, "y is no tensor\n  got: float",
    ),
    "no tensor as init": (
        lambda x: gc.scan(lambda c, y: (c, x), [x, 0], XS), DTypeError, "init.1 is no tensor",
    ),
    "different lengths": (
        lambda x: gc.scan(lambda c, y: (c, y), x, {"a": XS, "b": XS[:3]}), ShapeError,
        "different lengths\n  got: xs.a: 4, xs.b: 3",
    ),
    "another length": (
        lambda x: gc.scan(lambda c, y: (c, y), x, XS, length=3), ShapeError, "xs: 4, length: 3",
    ),
    "no length": (
        lambda x: gc.scan(lambda c, y: (c, y), x), ArgumentError, "neither xs nor length",
    ),
    "a negative length": (
        lambda x: gc.scan(lambda c, y: (c, y), x, length=-1), ArgumentError, "negative",
    ),
    "a dim that is not there": (
        lambda x: gc.scan(lambda c, y: (c, y), x, XS, dim=2), IndexRangeError, "dim out of range",
    ),
    "a dim that one sequence lacks": (
        lambda x: gc.scan(lambda c, y: (c, y), x, (XS, x), dim=1), ShapeError, "xs.1 has no dim 1",
    ),
    "a carry written in place": (
        lambda x: gc.scan(lambda c, y: (c.add_(1), y), x * 1, XS), RecordingError,
        "an argument was written in place",
    ),
    "an item written in place": (
        lambda x: gc.scan(lambda c, y: (c, y.mul_(2)), x, XS), RecordingError,
        "an argument was written in place",
    ),
    "a predicate of several elements": (
        lambda x: gc.cond(x > 0, lambda: x, lambda: x), ShapeError, "must have one element",
    ),
    "no predicate": (
        lambda x: gc.cond("yes", lambda: x, lambda: x), ArgumentTypeError, "a bool or a tensor",
    ),
    "operands that are no tuple": (
        lambda x: gc.cond(True, lambda x: x, lambda x: x, x), ArgumentTypeError, "must be a tuple",
    ),
    "a condition of several elements": (
        lambda x: gc.while_loop(lambda c: c > 0, lambda c: (c,), (x,)), ShapeError, "one element",
    ),
    "no tuple of carries": (
        lambda x: gc.while_loop(lambda c: c > 0, lambda c: (c,), x), ArgumentTypeError, "a tuple",
    ),
    "a number as a carry": (
        lambda x: gc.while_loop(lambda c, n: n < 3, lambda c, n: (c, n + 1), (x, 0)), DTypeError,
        "carry.1 is no tensor",
    ),
    "a loop that changes a type": (
        lambda x: gc.while_loop(lambda c: c.sum() < 9, lambda c: (c.double() + 1,), (x,)),
        DTypeError, "what the body gives must be as what is carried, and carry.0 has another dtype",
    ),
}  # fmt: skip


def _hooked(x: gc.Tensor) -> Any:
    def step(c: gc.Tensor, y: gc.Tensor) -> Any:
        d = c * W
        d.register_hook(lambda g: g * 2)
        return d, None

    return gc.scan(step, x, XS)


def _written_outside(x: gc.Tensor) -> Any:
    total = x * 1

    def step(c: gc.Tensor, y: gc.Tensor) -> Any:
        total.add_(y)
        return c, None

    return gc.scan(step, x, XS)


def _kept(x: gc.Tensor) -> Any:
    kept = []

    def step(c: gc.Tensor, y: gc.Tensor) -> Any:
        kept.append(c * 2)
        return c, None

    gc.scan(step, x, XS)
    return kept[0] + 1


RECORDED: dict[str, Case] = {
    "branches of different shapes": (
        lambda x: gc.cond(x.sum() > 0, lambda: x, lambda: x[:2]), ShapeError,
        "both branches must give the same, and output has another shape\n  got: f32\\[2\\]",
    ),
    "branches of different dtypes": (
        lambda x: gc.cond(x.sum() > 0, lambda: (x, x), lambda: (x, x.long())), DTypeError,
        "output.1 has another dtype",
    ),
    "branches of different structures": (
        lambda x: gc.cond(x.sum() > 0, lambda: x, lambda: (x, x)), ShapeError, "structure",
    ),
    "a loop without an end": (
        lambda x: gc.while_loop(lambda c: True, lambda c: (c,), (x,)), ArgumentError, "never end",
    ),
    "a condition that draws": (
        lambda x: gc.while_loop(lambda c: c.sum() < gc.rand(1), lambda c: (c,), (x,)),
        RecordingError, "the condition changes something outside, or draws random numbers",
    ),
    "a value inside": (
        lambda x: gc.scan(lambda c, y: (c + float(c.sum()), y), x, XS), SymbolicValueError,
        "gc.cond between functions; gc.while_loop and gc.scan are loops",
    ),
    "backward inside": (
        lambda x: gc.scan(lambda c, y: ((c * W).sum().backward(), y), x, XS), RecordingError,
        "scan: a tensor's grad was read or written",
    ),
    "a gradient by something outside": (
        lambda x: gc.scan(lambda c, y: (c + gc.grad((W * y).sum(), [W])[0], None), x, XS),
        RecordingError, "a gradient inside is asked by a tensor from outside",
    ),
    "a hook inside": (_hooked, RecordingError, "a tensor inside has a hook"),
    "a write to something outside": (
        _written_outside, RecordingError, "scan: a tensor from outside was written in place",
    ),
    "a tensor that was kept": (_kept, RecordingError, "a tensor from inside was used outside"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_mistake_is_named(name: str, is_recorded: bool) -> None:
    act, kind, text = BOTH[name]
    with gc.Graph() if is_recorded else nullcontext():
        x = gc.placeholder((3,), name="x") if is_recorded else gc.zeros(3)
        with pytest.raises(kind, match=text) as caught:
            act(x)
    assert "test_errors.py" in caught.value.where
    assert not gc.is_recording()


@pytest.mark.parametrize("name", RECORDED)
def test_a_mistake_in_a_recording_is_named(name: str) -> None:
    act, kind, text = RECORDED[name]
    with gc.Graph(), pytest.raises(kind, match=text) as caught:
        act(gc.placeholder((3,), name="x"))
    assert "test_errors.py" in caught.value.where


def test_a_clone_inside_has_a_gradient() -> None:
    def run(w: gc.Tensor) -> Any:
        def step(c: gc.Tensor, y: gc.Tensor) -> Any:
            own = w.clone()
            return c + gc.grad((own * own * y).sum(), [own])[0], None

        return gc.scan(step, gc.zeros(3), XS)[0]

    w = gc.ones(3, requires_grad=True)
    want = run(w)
    assert gc.compile(run, backend="numpy")(w).tolist() == want.tolist() == [8, 8, 8]


def test_the_gradient_of_a_recorded_while_loop_has_none() -> None:
    with gc.Graph():
        x = gc.placeholder((3,), name="x", requires_grad=True)
        (last,) = gc.while_loop(lambda c: c.sum() < 9, lambda c: (c * c,), (x,))
        (grad,) = gc.grad(last.sum(), [x], create_graph=True)
        with pytest.raises(AutogradError, match="while_loop_gradient has no gradient"):
            gc.grad(grad.sum(), [x])


def test_after_an_error_the_state_is_as_before() -> None:
    norm = nn.BatchNorm1d(3)
    before = gc.get_rng_state().tolist()

    def run(xs: gc.Tensor) -> Any:
        def step(c: gc.Tensor, x: gc.Tensor) -> Any:
            return norm(c + gc.rand(5, 3)), c.double()[0] + "no"

        return gc.scan(step, gc.zeros(5, 3), xs)

    with pytest.raises(TypeError):
        gc.compile(run)(gc.ones(2, 5, 3))
    assert norm.num_batches_tracked.item() == 0
    assert gc.get_rng_state().tolist() == before
