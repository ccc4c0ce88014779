"""Every mistake: its class, what it names, what it got and accepts, and the user's line."""

import contextlib
import functools
import inspect
import operator
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import errors, nn, optim
from graphc.frontend.graph import Graph, placeholder

EMPTY = gc.ones(0, 3)
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
    (lambda: EMPTY[-1], errors.IndexRangeError, ["-1", "the dim has no elements"]),
    (lambda: EMPTY[N], errors.IndexRangeError, ["2", "the dim has no elements"]),
    (lambda: EMPTY[:, 3], errors.IndexRangeError, ["3", "-3..2"]),
    (lambda: F.cross_entropy(X, gc.tensor([0, 3])), errors.IndexRangeError,
     ["cross_entropy (3 classes): target class out of range", "got: 3", "0..2"]),
    (lambda: F.cross_entropy(X, gc.tensor([-7, 3])), errors.IndexRangeError, ["got: -7"]),
    (lambda: F.cross_entropy(X, gc.tensor([0, 3]), weight=gc.ones(3)), errors.IndexRangeError,
     ["cross_entropy (3 classes)"]),
    (lambda: F.nll_loss(X, gc.tensor([0, 3])), errors.IndexRangeError, ["nll_loss (3 classes)"]),
    (lambda: F.embedding(N, X), errors.IndexRangeError, ["embedding: index", "2", "0..1"]),
    (lambda: gc.compile(abs, backend="lvm"), errors.ArgumentError, ["'lvm'", "mean 'llvm'"]),
    (lambda: gc.compile(abs, optimize="O9"), errors.ArgumentError, ["'O9'", "O0, O1, O2"]),
    (lambda: gc.compile(abs, optimize=2), errors.ArgumentError, ["2", "O0, O1, O2"]),
    (lambda: gc.compile(abs, disable=("fuze",)), errors.ArgumentError, ["'fuze'", "'fuse'"]),
    (lambda: gc.compile(abs, disable="fuse"), errors.ArgumentError, ["disable=('fuse',)"]),
    (lambda: gc.compile(abs, numerics="x"), errors.ArgumentError, ["'x'", "strict, stable, fast"]),
    (lambda: Graph().compile(backend="lvm"), errors.ArgumentError, ["did you mean 'llvm'"]),
    (lambda: Graph().compile(optimize="O9"), errors.ArgumentError, ["'O9'", "O0, O1, O2"]),
    (lambda: Graph().compile(disable=("fuze",)), errors.ArgumentError, ["'fuze'", "'fuse'"]),
    (lambda: Graph().compile(numerics="x"), errors.ArgumentError, ["strict, stable, fast"]),
    (lambda: Graph().lower(to="fuze"), errors.ArgumentError, ["'fuze'", "'fuse'"]),
    (lambda: Graph().lower(numerics="x"), errors.ArgumentError, ["strict, stable, fast"]),
    (lambda: gc.trace(lambda x: x, X, backend="numpy"), errors.FeedError, ["'backend'"]),
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


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("optimize", ["O0", "O2"])
def test_a_class_out_of_range_in_a_compiled_step(backend: str, optimize: str) -> None:
    net = nn.Linear(3, 5)
    optimizer = optim.Adam(net.parameters())

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    fast = gc.compile(step, backend=backend, optimize=optimize)
    fast(X, gc.tensor([0, 4]))
    before = net.weight.tolist()
    with pytest.raises(errors.IndexRangeError) as caught:
        fast(X, gc.tensor([0, 7]))
    text = str(caught.value)
    assert "cross_entropy (5 classes): target class out of range" in text
    assert "got: 7" in text
    assert f"test_errors.py:{inspect.getsourcelines(step)[1] + 2}" in text
    assert net.weight.tolist() == before


def test_locations_skip_the_standard_library() -> None:
    """Python's own modules stand between the user's line and graphc here."""

    def add(x: Any, y: Any) -> Any:
        return operator.add(x, y)

    line = inspect.getsourcelines(test_locations_skip_the_standard_library)[1]
    with pytest.raises(errors.ShapeError) as caught, contextlib.ExitStack() as stack:
        stack.callback(functools.partial(gc.add, X, Y))
    assert f"test_errors.py:{line + 7}" in str(caught.value)
    with pytest.raises(errors.ShapeError) as caught, ThreadPoolExecutor(1) as pool:
        pool.submit(gc.add, X, Y).result()
    assert "created at" not in str(caught.value)
    with pytest.raises(errors.ShapeError) as caught, ThreadPoolExecutor(1) as pool:
        pool.submit(add, X, Y).result()
    assert f"test_errors.py:{line + 4}" in str(caught.value)
