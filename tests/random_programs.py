"""Random programs written with the public API, as hypothesis strategies.

A program is a list of steps on tensors, so one program runs dynamically and compiled. While it is
drawn it runs once, so that each step is known to fit its operands.

Values are exact or not. Exact ones come out the same bits on every backend: inputs, whole numbers,
and what correctly rounded operations make of exact values. Steps with jumps, such as ``floor`` or
``<``, take exact operands only: elsewhere a difference in the last bit could become a large one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import graphc as gc
from tests.programs.base import Array

SHAPES = [(), (1,), (3,), (3, 1), (1, 5), (3, 5), (5, 3), (2, 3, 5), (0, 3), (17,), (17, 5)]
DTYPES = ["float32", "float32", "float32", "float64", "float16", "int32", "int64", "uint8", "bool"]
LARGEST = 2000
"""How many elements a value may have."""


@dataclass(frozen=True)
class Step:
    """One operation on earlier values.

    Args:
        text: how the operation reads.
        operands: positions of values.
        apply: the operation.
    """

    text: str
    operands: tuple[int, ...]
    apply: Callable[..., Any]

    def __repr__(self) -> str:
        return f"{self.text} {' '.join(f'%{i}' for i in self.operands)}"


@dataclass(frozen=True)
class RandomProgram:
    """Steps on inputs and variables.

    Args:
        inputs: the first values.
        variables: the values after these; they are float32 and require gradients.
        steps: each makes one more value.
        results: positions of the values that it returns.
        exact: which values are the same bits on every backend.
        differentiate: it also returns gradients by its variables, and updates them.
    """

    inputs: tuple[Array, ...]
    variables: tuple[Array, ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]
    exact: tuple[bool, ...]
    differentiate: bool

    def __repr__(self) -> str:
        first = [f"{x.dtype}{list(x.shape)}" for x in (*self.inputs, *self.variables)]
        lines = [f"%{n} = {text}" for n, text in enumerate([*first, *map(repr, self.steps)])]
        ending = f"return {self.results}" + ", gradients" * self.differentiate
        return "\n".join(["", *lines, ending])

    def start(self, wide: bool = False) -> tuple[Callable[..., list[Any]], list[Any]]:
        """The program as a function bound to fresh variables, and these; float64 if `wide`."""
        dtype = gc.float64 if wide else gc.float32
        variables = [gc.tensor(v, dtype=dtype, requires_grad=True) for v in self.variables]
        return (lambda *inputs: self._run(inputs, variables)), variables

    def _run(self, inputs: tuple[Any, ...], variables: list[Any]) -> list[Any]:
        values = [*inputs, *variables]
        for step in self.steps:
            values.append(step.apply(*(values[i] for i in step.operands)))
        results = [values[i] for i in self.results]
        tracked = [x for x in results if x.requires_grad]
        copies = [x.detach().clone() for x in results]
        if not (self.differentiate and tracked):
            return copies
        loss = sum((x.double() * 0.5).sum() for x in tracked)
        gradients = gc.grad(loss, variables, allow_unused=True)
        with gc.no_grad():
            for variable, gradient in zip(variables, gradients, strict=True):
                if gradient is not None:
                    variable.sub_(gradient * 0.125)
        return copies + [g for g in gradients if g is not None]


@dataclass
class Drawn:
    """A value of the program that is being drawn."""

    value: Any
    exact: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def kind(self) -> str:
        """``b``, ``i`` or ``f``."""
        dtype = self.value.dtype
        return "b" if dtype is gc.bool else "f" if dtype.is_floating_point else "i"


@st.composite
def programs(draw: st.DrawFn, differentiate: bool = False) -> RandomProgram:
    """Draw a program of up to 16 steps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes, dtypes = st.sampled_from(SHAPES), st.sampled_from(DTYPES)
    inputs = [random_array(rng, draw(shapes), draw(dtypes)) for _ in range(draw(st.integers(1, 3)))]
    count = draw(st.integers(1, 2)) if differentiate else draw(st.integers(0, 1))
    variables = [random_array(rng, draw(shapes), "float32") for _ in range(count)]
    pool = [Drawn(gc.tensor(x), exact=True) for x in inputs]
    pool += [Drawn(gc.tensor(x, requires_grad=True), exact=True) for x in variables]
    steps: list[Step] = []
    for _ in range(draw(st.integers(3, 16))):
        maker = draw(st.sampled_from(MAKERS))
        step, exact = maker(draw, pool, differentiate) or (None, False)
        if step is None:
            continue
        with np.errstate(all="ignore"):
            value = step.apply(*(pool[i].value for i in step.operands))
        if math.prod(value.shape) <= LARGEST:
            pool.append(Drawn(value, exact))
            steps.append(step)
    used = {i for step in steps for i in step.operands}
    unused = [i for i in range(len(pool) - len(steps), len(pool)) if i not in used]
    results = unused[-6:] + draw(st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=2))
    return RandomProgram(
        tuple(inputs), tuple(variables), tuple(steps), tuple(results),
        tuple(one.exact for one in pool), differentiate,
    )  # fmt: skip


def random_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Moderate numbers, some of them equal."""
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    whole = rng.integers(0 if dtype == "uint8" else -9, 9, shape)
    if dtype.startswith("float"):
        return np.asarray(
            np.where(rng.random(shape) < 0.3, whole, rng.standard_normal(shape)), dtype
        )
    return np.asarray(whole, dtype)


Made = tuple[Step, bool] | None
"""A step and whether its result is exact; None if no operand fits."""


def pick(
    draw: st.DrawFn, pool: list[Drawn], accepts: Callable[[Drawn], bool] = lambda one: True
) -> int | None:
    """The position of a value that is accepted; later values are drawn more often."""
    fitting = [i for i, one in enumerate(pool) if accepts(one)]
    if not fitting:
        return None
    return fitting[-1 - min(draw(st.integers(0, 5)), len(fitting) - 1)]


SMOOTH: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda x: x.tanh(),
    "sin": lambda x: x.sin(),
    "sigmoid": lambda x: x.sigmoid(),
    "erf": lambda x: x.erf(),
    "exp tanh": lambda x: x.tanh().exp(),
    "log": lambda x: (x * x + 0.5).log(),
    "softmax": lambda x: x.softmax(-1) if x.ndim else x.cos(),
}
ROUNDED: dict[str, Callable[[Any], Any]] = {
    "neg": lambda x: -x,
    "scale": lambda x: x * 3 - 1,
    "divide": lambda x: 1 / (x * x + 1),
    "sqrt": lambda x: (x * x + 1).sqrt(),
    "reuse": lambda x: x * x - x,
    "idle": lambda x: (x * 1 + 0) / 1,
}
KINKED: dict[str, Callable[[Any], Any]] = {
    "abs": lambda x: x.abs(),
    "relu": lambda x: x.relu(),
    "clamp": lambda x: x.clamp(-1, 2),
}
JUMPS: dict[str, Callable[[Any], Any]] = {
    "floor": lambda x: x.floor(),
    "round": lambda x: x.round(),
    "sign": lambda x: x.sign(),
    "to half": lambda x: x.half(),
    "to int": lambda x: x.int(),
    "to byte": lambda x: x.byte(),
    "isnan": lambda x: x.isnan(),
    "log": lambda x: x.log().sign(),
}


def unary(draw: st.DrawFn, pool: list[Drawn], smooth: bool) -> Made:
    at = pick(draw, pool, lambda one: one.kind == "f")
    if at is None:
        return None
    exact = pool[at].exact
    tables = [SMOOTH, ROUNDED]
    if exact or not smooth:
        tables.append(KINKED)
    if exact:
        tables.append(JUMPS)
    table = draw(st.sampled_from(tables))
    name = draw(st.sampled_from(sorted(table)))
    return Step(name, (at,), table[name]), exact and table is not SMOOTH


def numbers(x: Any) -> Any:
    """Bools as numbers, since they cannot be subtracted."""
    return x.byte() if x.dtype is gc.bool else x


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: numbers(x) - numbers(y),
    "mul": lambda x, y: x * y,
    "ratio": lambda x, y: x / (y * y + 1),
}
WHOLE: dict[str, Callable[[Any, Any], Any]] = {
    "floor_divide": lambda x, y: x // y,
    "remainder": lambda x, y: x % y,
    "and": lambda x, y: x & y,
    "xor": lambda x, y: x ^ y,
}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "lt": lambda x, y: x < y,
    "eq": lambda x, y: x == y,
    "ge": lambda x, y: x >= y,
    "where": lambda x, y: gc.where(x < y, x * 2, y),
    "dead": lambda x, y: gc.where(x > 0, (x * y).log(), y),
    "divide": lambda x, y: x / y,
}


def binary(draw: st.DrawFn, pool: list[Drawn], smooth: bool) -> Made:
    """Operands of any dtypes whose shapes broadcast; promotion is part of the program."""
    first = pick(draw, pool)
    assert first is not None
    x = pool[first]
    second = pick(draw, pool, lambda one: broadcasts(x.shape, one.shape))
    assert second is not None
    y = pool[second]
    exact = x.exact and y.exact
    if x.kind != "f" and y.kind != "f" and draw(st.booleans()):
        table = WHOLE
        if x.kind == y.kind == "b":
            table = {name: table[name] for name in ("and", "xor")}
    elif exact and draw(st.booleans()):
        table = COMPARE
    elif x.kind == y.kind == "b":
        table = {"add": BINARY["add"]}
    elif "f" in (x.kind, y.kind) and (exact or not smooth) and draw(st.booleans()):
        table = {"maximum": gc.maximum, "minimum": gc.minimum}
    else:
        table = BINARY
        if "f" not in (x.kind, y.kind):
            table = {name: table[name] for name in ("add", "mul")}
    name = draw(st.sampled_from(sorted(table)))
    if name == "dead" and "f" not in (x.kind, y.kind):
        name = "where"
    if name in ("where", "dead") and "b" in (x.kind, y.kind):
        name = "lt"
    return Step(name, (first, second), table[name]), exact and name != "dead"


def broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


def view(draw: st.DrawFn, pool: list[Drawn], smooth: bool) -> Made:
    at = pick(draw, pool, lambda one: bool(one.shape))
    if at is None:
        return None
    shape = pool[at].shape
    name, apply = draw(st.sampled_from(VIEWS))(draw, shape)
    return Step(name, (at,), apply), pool[at].exact


View = tuple[str, Callable[[Any], Any]]


def permuted(draw: st.DrawFn, shape: tuple[int, ...]) -> View:
    dims = draw(st.permutations(range(len(shape))))
    return f"permute{dims}", lambda x: x.permute(dims)


def reshaped(draw: st.DrawFn, shape: tuple[int, ...]) -> View:
    size = math.prod(shape)
    fitting = [one for one in SHAPES if math.prod(one) == size] + [(size,), (1, size, 1)]
    new = draw(st.sampled_from(fitting))
    return f"reshape{new}", lambda x: x.reshape(new)


def sliced(draw: st.DrawFn, shape: tuple[int, ...]) -> View:
    """One slice per dim, with any bounds and steps, now and then an int."""
    key: list[Any] = []
    for size in shape:
        bound = st.none() | st.integers(-size - 1, size + 1)
        if size and draw(st.integers(0, 4)) == 0:
            key.append(draw(st.integers(-size, size - 1)))
        else:
            step = draw(st.sampled_from([None, None, 1, 2, -1, -2]))
            key.append(slice(draw(bound), draw(bound), step))
    return f"slice{key}", lambda x: x[tuple(key)]


def flipped(draw: st.DrawFn, shape: tuple[int, ...]) -> View:
    dim = draw(st.integers(0, len(shape) - 1))
    return f"flip[{dim}]", lambda x: x.flip(dim)


def expanded(draw: st.DrawFn, shape: tuple[int, ...]) -> View:
    new = (draw(st.integers(1, 3)), *(4 if size == 1 else size for size in shape))
    return f"expand{new}", lambda x: x.expand(new)


def doubled(draw: st.DrawFn, shape: tuple[int, ...]) -> View:
    dim = draw(st.integers(0, len(shape) - 1))
    return f"cat[{dim}]", lambda x: gc.cat([x, x.flip(dim)], dim)


def picked(draw: st.DrawFn, shape: tuple[int, ...]) -> View:
    if not shape[0]:
        return "same", lambda x: x.reshape(shape)
    rows = draw(st.lists(st.integers(0, shape[0] - 1), min_size=1, max_size=6))
    return f"rows{rows}", lambda x: x[rows]


VIEWS = [permuted, permuted, reshaped, reshaped, sliced, sliced, flipped, expanded, doubled, picked]


def reduction(draw: st.DrawFn, pool: list[Drawn], smooth: bool) -> Made:
    at = pick(draw, pool, lambda one: bool(one.shape))
    if at is None:
        return None
    x = pool[at]
    dims = draw(st.sets(st.integers(0, len(x.shape) - 1), min_size=1))
    dim = tuple(sorted(dims))
    keep = draw(st.booleans())
    empty = any(x.shape[d] == 0 for d in dim)
    text = f"{dim}{' keep' * keep}"
    chosen = draw(st.sampled_from(["sum", "mean", "amax", "amin", "argmax", "any", "var"]))
    if chosen == "any":
        return (Step("any" + text, (at,), lambda v: (v != 0).any(dim, keepdim=keep)), True) \
            if x.exact else None  # fmt: skip
    if chosen == "argmax":
        if empty or not x.exact or x.kind == "b":
            return None
        return Step(f"argmax{dim[0]}", (at,), lambda v: v.argmax(dim[0], keepdim=keep)), True
    if chosen in ("amax", "amin"):
        if empty or (smooth and not x.exact):
            return None
        return Step(chosen + text, (at,), lambda v: getattr(v, chosen)(dim, keepdim=keep)), x.exact
    if chosen == "sum" or x.kind != "f":
        return Step("sum" + text, (at,), lambda v: v.sum(dim, keepdim=keep)), x.kind != "f"
    if chosen == "var":
        return Step(
            "var" + text, (at,), lambda v: v.var(dim, correction=0, keepdim=keep)
        ), False  # fmt: skip
    return Step("mean" + text, (at,), lambda v: v.mean(dim, keepdim=keep)), False


def product(draw: st.DrawFn, pool: list[Drawn], smooth: bool) -> Made:
    """``x @ y.T`` of two values of one dtype with equal last sizes."""
    first = pick(draw, pool, lambda one: one.kind == "f" and len(one.shape) >= 1)
    if first is None:
        return None
    x = pool[first]
    second = pick(
        draw, pool,
        lambda one: len(one.shape) == 2 and one.value.dtype is x.value.dtype
        and one.shape[-1] == x.shape[-1],
    )  # fmt: skip
    if second is None:
        return None
    return Step("matmul", (first, second), lambda v, w: v @ w.T * 0.25), False


def conversion(draw: st.DrawFn, pool: list[Drawn], smooth: bool) -> Made:
    """To a dtype that has room for the values."""
    at = pick(draw, pool)
    assert at is not None
    of = draw(st.sampled_from([gc.float32, gc.float64, gc.int64]))
    if pool[at].kind == "f" and (of is gc.int64 or not pool[at].exact):
        of = gc.float64
    return Step(f"to {of.name}", (at,), lambda x: x.to(of)), pool[at].exact


MAKERS = [unary, unary, unary, binary, binary, binary, view, view, view, reduction, reduction,
          product, conversion]  # fmt: skip
