"""Loops and branches with small bodies, and the same written as Python loops over numbers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.dtypes import float64, int64
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.ops.comparison import lt
from graphc.ops.elementwise import add, mul, sub
from graphc.ops.leaf import placeholder
from graphc.types import TensorType

Array = npt.NDArray[Any]
Operands = tuple[tuple[Array, ...], Mapping[str, Any]]
Maker = Callable[[np.random.Generator], Iterator[Operands]]

VECTOR, NUMBER, COUNT = (
    TensorType((2,), float64), TensorType((), float64), TensorType((), int64)
)  # fmt: skip
ONE = constant(np.int64(1))


def _inputs(**types: TensorType) -> list[Node]:
    return [placeholder(name, type) for name, type in types.items()]


def _scan_body() -> Graph:
    """``c * k + x`` and a count are carried; ``c * x`` and the count before are stacked."""
    inputs = _inputs(carry0=VECTOR, carry1=COUNT, item0=VECTOR, captured0=NUMBER)
    c, n, x, k = inputs
    nexts = {"carry0": add(mul(c, k), x), "carry1": add(n, ONE)}
    return Graph(inputs, {**nexts, "result0": mul(c, x), "result1": n})


def scans(rng: np.random.Generator) -> Iterator[Operands]:
    """Some lengths, both directions, and a sequence that is not contiguous."""
    for length in (0, 1, 4):
        for reverse in (False, True):
            xs = rng.normal(size=(length, 2))
            turned = np.asarray(rng.normal(size=(2, length))).T
            attrs = {
                "body": _scan_body(), "carries": 2, "sequences": 1, "length": length,
                "reverse": reverse,
            }  # fmt: skip
            for sequence in (xs, turned):
                start = rng.normal(size=2)
                yield (start, np.array(7), sequence, np.array(0.5)), attrs


def scan(c: Array, n: Array, xs: Array, k: Array, *, reverse: bool, **_: Any) -> tuple[Array, ...]:
    """The scan of the samples."""
    carried, count, factor = c.tolist(), int(n), float(k)
    results: dict[int, tuple[list[float], int]] = {}
    places = list(range(len(xs)))
    for place in places[::-1] if reverse else places:
        item = xs[place].tolist()
        results[place] = ([a * b for a, b in zip(carried, item, strict=True)], count)
        carried = [a * factor + b for a, b in zip(carried, item, strict=True)]
        count += 1
    rows = [results[place][0] for place in places]
    counts = [results[place][1] for place in places]
    return (
        np.array(carried), np.array(count),
        np.array(rows, float).reshape(len(xs), 2), np.array(counts, np.int64),
    )  # fmt: skip


def branches(rng: np.random.Generator) -> Iterator[Operands]:
    """Both decisions."""
    inputs = _inputs(operand0=VECTOR, operand1=NUMBER)
    a, b = inputs
    true = Graph(inputs, {"result0": mul(a, b), "result1": add(b, b)})
    false = Graph(inputs, {"result0": sub(a, b), "result1": mul(b, b)})
    for decision in (True, False):
        operands = (np.array(decision), rng.normal(size=2), np.array(rng.normal()))
        yield operands, {"true": true, "false": false}


def cond(decision: Array, a: Array, b: Array, **_: Any) -> tuple[Array, ...]:
    """The branch of the samples."""
    number, values = float(b), a.tolist()
    if bool(decision):
        return np.array([x * number for x in values]), np.array(number + number)
    return np.array([x - number for x in values]), np.array(number * number)


def _loop() -> dict[str, Any]:
    """``c * k`` is carried as often as a count says."""
    inputs = _inputs(carry0=VECTOR, carry1=COUNT, captured0=COUNT, captured1=VECTOR)
    c, n, limit, k = inputs
    body = Graph(inputs, {"carry0": mul(c, k), "carry1": add(n, ONE)})
    return {"condition": Graph(inputs, {"go_on": lt(n, limit)}), "body": body, "carries": 2}


def loops(rng: np.random.Generator) -> Iterator[Operands]:
    """No step, and some."""
    for limit in (0, 1, 3):
        vectors = rng.normal(size=(2, 2))
        yield (vectors[0], np.array(0), np.array(limit), vectors[1]), _loop()


def while_loop(c: Array, n: Array, limit: Array, k: Array, **_: Any) -> tuple[Array, ...]:
    """The loop of the samples."""
    carried, count = c.tolist(), int(n)
    while count < int(limit):
        carried = [a * b for a, b in zip(carried, k.tolist(), strict=True)]
        count += 1
    return np.array(carried), np.array(count)


def loop_gradients(rng: np.random.Generator) -> Iterator[Operands]:
    """The gradient of these loops."""
    types = {"carry0": VECTOR, "carry1": COUNT, "captured0": COUNT, "captured1": VECTOR}
    inputs = _inputs(**types, grad0=VECTOR)
    c, _, _, k, g = inputs
    backward = Graph(inputs, {"grad0": mul(g, k), "captured0": mul(g, c)})
    for operands, attrs in loops(rng):
        yield (*operands, rng.normal(size=2)), {**attrs, "backward": backward, "grads": 1}


def while_loop_gradient(
    c: Array, n: Array, limit: Array, k: Array, g: Array, **_: Any
) -> tuple[Array, ...]:
    """``c * k**steps``, differentiated."""
    steps = max(int(limit) - int(n), 0)
    by_start, by_factor = [], []
    for start, factor, grad in zip(c.tolist(), k.tolist(), g.tolist(), strict=True):
        going, total, carried = grad, 0.0, [start]
        for _ in range(steps):
            carried.append(carried[-1] * factor)
        for step in reversed(range(steps)):
            total += going * carried[step]
            going *= factor
        by_start.append(going)
        by_factor.append(total)
    return np.array(by_start), np.array(by_factor)


def given_gradients(rng: np.random.Generator) -> Iterator[Operands]:
    """A value, what it was made of, and what its gradient reads."""
    read, value, grad = _inputs(read0=NUMBER, value0=VECTOR, grad0=VECTOR)
    backward = Graph([read, value, grad], {"grad0": mul(mul(grad, value), read)})
    operands = (rng.normal(size=2), rng.normal(size=2), np.array(rng.normal()))
    yield operands, {"backward": backward, "values": 1, "operands": 1}


def with_gradient(value: Array, operand: Array, read: Array, **_: Any) -> tuple[Array, ...]:
    """The value."""
    return (value,)


CONTROL_SAMPLES: dict[str, Maker] = {
    "scan": scans, "cond": branches, "while_loop": loops, "while_loop_gradient": loop_gradients,
    "with_gradient": given_gradients,
}  # fmt: skip
CONTROL_ORACLES: dict[str, Callable[..., Any]] = {
    "scan": scan, "cond": cond, "while_loop": while_loop,
    "while_loop_gradient": while_loop_gradient, "with_gradient": with_gradient,
}  # fmt: skip
