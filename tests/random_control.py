"""Random programs with scans, loops and branches, on operands that lie in memory in many ways.

A program is made from a seed. Values stay small, so that nothing overflows in a loop.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphc.dtypes import DType, float32, float64, int64
from graphc.graph import Graph
from graphc.node import Node, constant, make_node
from graphc.ops import elementwise as e
from graphc.ops.comparison import lt
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.ops.fused import item
from graphc.ops.index import index
from graphc.ops.leaf import iota, placeholder, variable
from graphc.ops.linalg import matmul
from graphc.ops.reduce import sum_
from graphc.ops.select import cast, where
from graphc.ops.shape import concat, expand, flip, permute, reshape, slice_
from graphc.storage import Array, Storage
from graphc.types import TensorType

ROWS, COLUMNS = 3, 5
STATE, SQUARE = (ROWS, COLUMNS), (COLUMNS, COLUMNS)


@dataclass
class ControlProgram:
    """A graph, what one run of it takes, and the memory of its variables."""

    graph: Graph
    feed: dict[str, Array]
    storages: list[Storage]


def control_program(seed: int, depth: int = 2) -> ControlProgram:
    """The program with this number.

    Args:
        seed: the number.
        depth: how many loops and branches may be inside each other.
    """
    return _Maker(random.Random(seed)).program(depth)


class _Maker:
    """Draws programs; all values have one dtype, but for counters."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.dtype: DType = source.choice([float32, float64])
        self.inputs: list[Node] = []
        self.storages: list[Storage] = []

    def program(self, depth: int) -> ControlProgram:
        node = self.source.choice([self.scan, self.scan, self.scan, self.loop, self.branch])(
            self.outer(), depth
        )
        parts = [item(node, number) for number in range(len(node.result_type.items))]
        outputs = {f"r{number}": self.after(part) for number, part in enumerate(parts)}
        for name in list(outputs):
            if len(outputs) > 1 and self.source.random() < 0.2:
                del outputs[name]
        updates = {}
        for state in [each for each in self.inputs if each.op.name == "variable"]:
            fitting = [part for part in parts if part.type == state.type]
            if fitting:
                updates[state] = self.source.choice(fitting)
        random_numbers = np.random.default_rng(self.source.randrange(1 << 30))
        inputs = [each for each in self.inputs if each.op.name == "placeholder"]
        feed = {each.attrs["name"]: self.numbers(random_numbers, each.type) for each in inputs}
        for storage in self.storages:
            storage.array[...] = random_numbers.standard_normal(storage.array.shape)
        return ControlProgram(Graph(inputs, outputs, updates), feed, self.storages)

    @staticmethod
    def numbers(source: np.random.Generator, type_: TensorType) -> Array:
        return source.standard_normal(type_.static_shape).astype(type_.dtype.numpy)

    # ------------------------------------------------------------------ around a loop

    def outer(self) -> "_Values":
        return _Values(self, ())

    def given(self, shape: tuple[int, ...]) -> Node:
        """An input or a variable."""
        kind = TensorType(shape, self.dtype)
        name = f"x{len(self.inputs)}"
        if self.source.random() < 0.2:
            storage = Storage(np.zeros(shape, self.dtype.numpy))
            self.storages.append(storage)
            self.inputs.append(variable(name, kind, storage))
        else:
            self.inputs.append(placeholder(name, kind))
        return self.inputs[-1]

    def lying(self, shape: tuple[int, ...]) -> Node:
        """A value of a shape, in some layout."""
        rank = len(shape)
        match self.source.randrange(7):
            case 0:
                order = list(range(rank))
                self.source.shuffle(order)
                below = [0] * rank
                for position, dim in enumerate(order):
                    below[dim] = shape[position]
                return permute(self.given(tuple(below)), dims=tuple(order))
            case 1:
                return flip(self.given(shape), dims=(self.source.randrange(rank),))
            case 2:
                dim = self.source.randrange(rank)
                small = tuple(1 if at == dim else size for at, size in enumerate(shape))
                return expand(self.given(small), shape=shape)
            case 3:
                wide = tuple(2 * size + 1 for size in shape)
                starts = tuple(self.source.randrange(2) for _ in shape)
                stops = tuple(start + 2 * size for start, size in zip(starts, shape, strict=True))
                return slice_(self.given(wide), starts=starts, stops=stops, steps=(2,) * rank)
            case 4:
                return expand(constant(np.asarray(0.25, self.dtype.numpy)), shape=shape)
            case 5:
                return e.neg(self.given(shape))
            case _:
                return self.given(shape)

    def after(self, part: Node) -> Node:
        """An output: a part itself, something made of it, or a part of something larger."""
        if part.type.dtype is not self.dtype:
            return part
        match self.source.randrange(4):
            case 0:
                return e.mul(part, part)
            case 1 if part.type.rank:
                return concat(part, e.neg(part), dim=0)
            case _:
                return part

    # ------------------------------------------------------------------ loops and branches

    def scan(self, values: "_Values", depth: int) -> Node:
        length = self.source.choice([0, 1, 2, 5, 16])
        carries, items = self.source.randrange(3), self.source.randrange(3)
        inits = [values.some(STATE) for _ in range(carries)]
        xs = [values.some((length, *STATE)) for _ in range(items)]
        captured = [values.some(self.source.choice([STATE, SQUARE])) for _ in range(2)]
        states = [TensorType(STATE, self.dtype)] * (carries + items)
        inputs = self.placeholders([*states, *(each.type for each in captured)])
        body = _Values(self, inputs)
        body.compute(depth)
        outputs = {f"carry{number}": body.state() for number in range(carries)}
        for number in range(self.source.randrange(0 if carries else 1, 4)):
            chosen = [*outputs.values()] if self.source.random() < 0.4 else []
            outputs[f"result{number}"] = self.source.choice([*chosen, body.state(), body.state()])
        return make_node(
            SCAN, (*inits, *xs, *captured),
            {"body": Graph(inputs, outputs), "carries": carries, "sequences": items,
             "length": length, "reverse": self.source.random() < 0.5},
        )  # fmt: skip

    def loop(self, values: "_Values", depth: int) -> Node:
        carried = [values.some(STATE) for _ in range(self.source.randrange(1, 3))]
        captured = [values.some(self.source.choice([STATE, SQUARE]))]
        counter = constant(np.asarray(self.source.randrange(4), np.int64))
        types = [each.type for each in (counter, *carried, *captured)]
        inputs = self.placeholders(types)
        body = _Values(self, inputs[1:])
        body.compute(depth)
        outputs = {"carry0": e.add(inputs[0], constant(np.int64(1)))}
        outputs |= {f"carry{at}": body.state() for at in range(1, len(carried) + 1)}
        test = Graph(inputs, {"test": lt(inputs[0], constant(np.int64(3)))})
        attrs = {"condition": test, "body": Graph(inputs, outputs), "carries": len(carried) + 1}
        return make_node(WHILE_LOOP, (counter, *carried, *captured), attrs)

    def branch(self, values: "_Values", depth: int) -> Node:
        operands = [values.some(STATE), values.some(self.source.choice([STATE, SQUARE]))]
        total = sum_(values.some(STATE), dims=(0, 1))
        predicate = reshape(lt(total, constant(np.asarray(0.5, self.dtype.numpy))), shape=())
        graphs = []
        count = self.source.randrange(1, 3)
        for _ in range(2):
            inputs = self.placeholders([each.type for each in operands])
            body = _Values(self, inputs)
            body.compute(depth)
            graphs.append(Graph(inputs, {f"r{at}": body.state() for at in range(count)}))
        return make_node(COND, (predicate, *operands), {"true": graphs[0], "false": graphs[1]})

    @staticmethod
    def placeholders(types: Sequence[TensorType]) -> list[Node]:
        return [placeholder(f"a{number}", each) for number, each in enumerate(types)]


class _Values:
    """The values at one place: of a body, or of the program around it."""

    def __init__(self, maker: _Maker, known: Sequence[Node]) -> None:
        self.maker, self.known = maker, list(known)
        self.source = maker.source
        self.inside = bool(known)

    def some(self, shape: tuple[int, ...]) -> Node:
        """A value of this shape."""
        fitting = [each for each in self.known if each.type.shape == shape]
        if fitting and (self.inside or self.source.random() < 0.3):
            return self.source.choice(fitting)
        if not self.inside:
            self.known.append(self.maker.lying(shape))
            return self.known[-1]
        ones = iota(shape=shape, dim=self.source.randrange(len(shape)), dtype=int64)
        return cast(ones, dtype=self.maker.dtype)

    def state(self) -> Node:
        """A value that a body may return; small numbers."""
        value = self.some(STATE)
        if not value.inputs or self.source.random() < 0.2:
            return value
        limit = constant(np.asarray(4, self.maker.dtype.numpy))
        return e.minimum(e.maximum(value, e.neg(limit)), limit)

    def compute(self, depth: int) -> None:
        """Add some values."""
        for _ in range(self.source.randrange(5)):
            x, y = self.some(STATE), self.some(STATE)
            match self.source.randrange(9 if depth > 1 else 7):
                case 0:
                    value = e.add(x, y)
                case 1:
                    value = e.mul(x, e.sub(x, y))
                case 2:
                    value = matmul(x, self.some(SQUARE))
                case 3:
                    value = matmul(x, permute(self.some(SQUARE), dims=(1, 0)))
                case 4:
                    value = e.tanh(e.sub(x, sum_(y, dims=(1,))))
                case 5:
                    value = where(lt(x, y), flip(x, dims=(0,)), concat(
                        slice_(y, starts=(1, 0), stops=STATE, steps=(1, 1)),
                        slice_(x, starts=(0, 0), stops=(1, COLUMNS), steps=(1, 1)), dim=0,
                    ))  # fmt: skip
                case 6:
                    rows = constant(np.asarray([2, 0, 1]))
                    value = index(x, rows, dims=(0,)) if depth > 0 else e.sin(x)
                case _:
                    inner = self.source.choice(
                        [self.maker.scan, self.maker.loop, self.maker.branch]
                    )(self, depth - 1)
                    found = [item(inner, at) for at in range(len(inner.result_type.items))]
                    fitting = [each for each in found if each.type.shape == STATE]
                    value = fitting[0] if fitting else x
            self.known.append(value)
