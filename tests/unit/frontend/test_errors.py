"""Every mistake: its class, what it names, what it got and accepts, and the user's line."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc
from graphc import errors
from graphc.frontend.graph import Graph, placeholder

X, Y, N, B = gc.ones(2, 3), gc.ones(4), gc.tensor([1, 2]), gc.tensor([True, False])
MISTAKES: list[tuple[Callable[[], Any], type[Exception], list[str]]] = [
    (lambda: X + Y, errors.ShapeError, ["add", "f32[2,3]", "f32[4]", "1"]),
    (lambda: X @ X, errors.ShapeError, ["matmul", "3", "2", "f32[2,3]"]),
    (lambda: X.reshape(4), errors.ShapeError, ["reshape", "6", "4"]),
    (lambda: X.sum(2), errors.ArgumentError, ["sum", "2", "-2..1"]),
    (lambda: X.sum((0, 0)), errors.ArgumentError, ["sum", "twice"]),
    (lambda: X.permute(0, 0), errors.ArgumentError, ["permute", "(0, 0)"]),
    (lambda: X.transpose(0, 5), errors.ArgumentError, ["transpose", "5"]),
    (lambda: X & X, errors.DTypeError, ["bitwise_and", "float32", "bool or integer"]),
    (lambda: B - B, errors.DTypeError, ["sub", "bool"]),
    (lambda: -B, errors.DTypeError, ["neg", "bool"]),
    (lambda: gc.exp(3.0), errors.DTypeError, ["exp", "float", "gc.tensor"]),
    (lambda: gc.where(X, X, X), errors.DTypeError, ["where", "float32", "x > 0"]),
    (lambda: gc.where(B, X, X), errors.ShapeError, ["where", "bool[2]"]),
    (lambda: N**-1, errors.DTypeError, ["pow", "int64"]),
    (lambda: N.mean(), errors.DTypeError, ["mean", "int64", ".float()"]),
    (lambda: gc.zeros(0).amax(), errors.ShapeError, ["amax", "no elements"]),
    (lambda: gc.cat([]), errors.ArgumentError, ["cat", "one tensor"]),
    (lambda: gc.cat([X, Y]), errors.ShapeError, ["cat", "f32[2,3]", "f32[4]"]),
    (lambda: gc.stack([X, Y]), errors.ShapeError, ["stack", "f32[4]"]),
    (lambda: X.split(0), errors.ArgumentError, ["split", "0"]),
    (lambda: X.chunk(0), errors.ArgumentError, ["chunk", "0"]),
    (lambda: X[5], errors.IndexRangeError, ["5", "-2..1"]),
    (lambda: X[0, 0, 0], errors.IndexRangeError, ["3", "f32[2,3]"]),
    (lambda: X.item(), errors.ArgumentError, ["item", "f32[2,3]"]),
    (lambda: bool(X), errors.ArgumentError, ["ambiguous", ".any()"]),
    (lambda: X.clamp(), errors.ArgumentError, ["clamp", "min"]),
    (lambda: X.to("float33"), errors.DTypeError, ["float33", "float32"]),
    (lambda: X.div(X, rounding_mode="up"), errors.ArgumentError, ["'up'", "'floor'"]),
    (lambda: X.backward(), errors.AutogradError, ["require", "requires_grad=True"]),
    (lambda: X.t().unsqueeze(0).t(), errors.ShapeError, ["t:", "transpose"]),
    (lambda: X.squeeze(3), errors.ArgumentError, ["squeeze", "3"]),
    (lambda: X.unsqueeze(4), errors.ArgumentError, ["unsqueeze", "4"]),
    (lambda: X.flatten(1, 0), errors.ArgumentError, ["flatten"]),
    (lambda: gc.arange(3, 0), errors.ArgumentError, ["arange", "3, 0"]),
    (lambda: gc.softmax(X), errors.ArgumentError, ["softmax", "dim=-1"]),
    (lambda: gc.gather(X, 0, X), errors.DTypeError, ["gather", "float32"]),
    (lambda: X.argmax(2), errors.ArgumentError, ["argmax", "2"]),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "kind", "words"), MISTAKES)
def test_messages(mistake: Any, kind: type[Exception], words: list[str]) -> None:
    with pytest.raises(kind) as caught:
        mistake()
    text = str(caught.value)
    for word in words:
        assert word in text
    line = inspect.getsourcelines(mistake)[1]
    assert f"test_errors.py:{line}" in text


@pytest.mark.parametrize(
    ("mistake", "kind"),
    [
        (lambda x, y: x + y, errors.ShapeError),
        (lambda x, y: x & x, errors.DTypeError),
        (lambda x, y: x.sum(4), errors.ArgumentError),
        (lambda x, y: gc.cat([x, y]), errors.ShapeError),
        (lambda x, y: x[7], errors.IndexRangeError),
    ],
)
def test_the_same_class_while_recording(mistake: Any, kind: type[Exception]) -> None:
    with Graph():
        x, y = placeholder((2, 3), name="x"), placeholder((4,), name="y")
        with pytest.raises(kind) as caught:
            mistake(x, y)
    with pytest.raises(kind) as now:
        mistake(X, Y)
    line = inspect.getsourcelines(mistake)[1]
    for error in (caught, now):
        assert f"test_errors.py:{line}" in str(error.value)


def test_all_errors_are_graphc_errors() -> None:
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, Exception):
            assert issubclass(error, gc.GraphcError)
