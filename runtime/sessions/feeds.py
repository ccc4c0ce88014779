"""What users give to ``run``: names or tensors as keys, anything array-like as values, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from graphc.dims import Dim, Size
from graphc.dtypes import FLOATING, DType
from graphc.errors import DTypeError, FeedError, GraphcError, ShapeError, did_you_mean
from graphc.graph import Graph, bodies_of
from graphc.node import Node
from graphc.provenance import describe
from graphc.shapes import Constraint, collect_constraints, is_static
from graphc.storage import Array
from graphc.types import TensorType

Feed = Mapping[Any, Any]

STEPS = Dim.named("steps")
"""The first size of stacked values, one row per run."""


class Feeds:
    """Checks feeds against the placeholders of one graph.

    Args:
        graph: the program; sizes of placeholders may be unknown.
    """

    def __init__(self, graph: Graph) -> None:
        self._inputs = {str(node.attrs["name"]): node for node in graph.inputs}
        self._names = {node: name for name, node in self._inputs.items()}
        self._static = all(is_static(node.type.shape) for node in graph.inputs)
        self._unknown = [
            (name, position, size)
            for name, node in self._inputs.items()
            for position, size in enumerate(node.type.shape)
            if isinstance(size, Dim)
        ]
        self._unknown.sort(key=lambda item: len(str(item[2])))  # simple ones first: they bind
        self._constraints = [] if self._static else list(_constraints(graph))

    def arrays(self, feed: Feed | None) -> dict[str, Array]:
        """C-contiguous arrays of the placeholders' dtypes, by name, in the graph's order.

        Raises:
            FeedError: for unknown, repeated or missing names, or values that are no arrays.
            DTypeError: if a value would have to be cast unsafely.
            ShapeError: if a shape is not the placeholder's.
        """
        given = self._given(feed)
        return {
            name: _checked(name, node, node.type, given[name])
            for name, node in self._inputs.items()
        }

    def stacked(self, feed: Feed | None) -> dict[str, Array]:
        """Like ``arrays``, for values with one more dim in front, of one size for all.

        Raises:
            ShapeError: also if the values differ in their first size.
        """
        given = self._given(feed)
        arrays: dict[str, Array] = {}
        for name, node in self._inputs.items():
            type_ = TensorType((STEPS, *node.type.shape), node.type.dtype)
            array = arrays[name] = _checked(name, node, type_, given[name])
            first = next(iter(arrays))
            if len(array) != len(arrays[first]):
                raise ShapeError(
                    f"{name}: {len(array)} steps here, but {len(arrays[first])} in {first!r}"
                )
        return arrays

    def listed(self, values: Sequence[Any]) -> dict[str, Array]:
        """Like ``arrays``, for values in the graph's order, one for each input."""
        pairs = zip(self._inputs.items(), values, strict=True)
        return {name: _checked(name, node, node.type, value) for (name, node), value in pairs}

    def sizes(self, arrays: Mapping[str, Array]) -> dict[str, int]:
        """The values of all unknown sizes.

        Raises:
            ShapeError: if two inputs disagree, or sizes that must be equal somewhere are not.
        """
        if self._static:
            return {}
        known: dict[str, int] = {}
        origin: dict[str, str] = {}
        for name, position, size in self._unknown:
            actual = arrays[name].shape[position]
            solved = _solve(size, actual, known)
            for unknown, value in solved.items():
                known[unknown], origin[unknown] = value, name
            if size.bind(known) != actual:
                raise _disagreement(name, size, actual, known, origin)
        for node, constraint in self._constraints:
            _check_constraint(node, constraint, known, origin)
        return known

    def _given(self, feed: Feed | None) -> dict[str, Any]:
        """The values as they were given, by name; one for each input."""
        if type(feed) is dict and feed.keys() == self._inputs.keys():
            return feed
        if feed is None:
            feed = {}
        if not isinstance(feed, Mapping):
            raise FeedError(
                "a feed maps placeholders or their names to values",
                got=type(feed).__name__,
                expected=_listing(self._inputs),
                fix="give one mapping; run_many takes the values of all runs stacked in one, too",
            )
        given: dict[str, Any] = {}
        for key, value in feed.items():
            name = self._name(key)
            if name in given:
                raise FeedError(f"input {name!r} is fed twice")
            given[name] = value
        missing = [name for name in self._inputs if name not in given]
        if missing:
            raise FeedError(
                "missing input" + "s" * (len(missing) > 1),
                got=_listing(given),
                expected=_listing(missing),
                where=describe(self._inputs[missing[0]]),
            )
        return given

    def _name(self, key: Any) -> str:
        if isinstance(key, str) and key in self._inputs:
            return key
        node = key if isinstance(key, Node) else getattr(key, "node", None)
        if node in self._names:
            return self._names[node]
        if not isinstance(key, str):
            raise FeedError(
                "a feed's key is neither a placeholder's name nor a placeholder of this graph",
                got=repr(key),
                expected=_listing(self._inputs),
            )
        raise FeedError(
            f"unknown input {key!r}",
            expected=_listing(self._inputs),
            fix=did_you_mean(key, self._inputs),
        )


def _listing(names: Mapping[str, Any] | list[str]) -> str:
    return ", ".join(map(repr, names)) or "nothing"


def _constraints(graph: Graph) -> list[tuple[Node, Constraint]]:
    """The equalities of sizes that type inference assumed, with the nodes that need them."""
    found: list[tuple[Node, Constraint]] = []
    for node in graph.nodes:
        collected: list[Constraint] = []
        with collect_constraints(collected.append):
            node.op.infer(*(operand.result_type for operand in node.inputs), **node.attrs)
        found += [(node, constraint) for constraint in collected]
        for body in bodies_of(node):
            found += _constraints(body)
    return found


def _checked(name: str, node: Node, wanted: TensorType, value: Any) -> Array:
    if type(value) is np.ndarray and value.dtype == wanted.dtype.numpy:
        if value.shape == wanted.shape and value.flags.carray:
            return value
        array = value
    else:
        array = _converted(name, node, value)
    fits = array.ndim == wanted.rank and all(
        own == size or isinstance(size, Dim)
        for own, size in zip(array.shape, wanted.shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{name}: wrong shape",
            got=str(list(array.shape)),
            expected=f"[{', '.join(map(str, wanted.shape))}]",
            where=describe(node),
        )
    if array.flags.c_contiguous and array.flags.aligned:
        return array
    return np.array(array, order="C")


def _converted(name: str, node: Node, value: Any) -> Array:
    """The value as an array of the placeholder's dtype, without losing anything."""
    wanted = node.type.dtype
    numpy = getattr(value, "numpy", None)  # a dynamic tensor's values, of any library
    if callable(numpy):
        value = numpy()
    from_python = not isinstance(value, np.ndarray | np.generic)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise FeedError(f"{name}: not an array", got=str(error), where=describe(node)) from None
    if not _has_numbers(array):
        raise FeedError(
            f"{name}: not an array of numbers",
            got=type(value).__name__ if from_python else f"an array of dtype {array.dtype}",
            expected=f"an array, tensor or nested list of {wanted.name}",
            where=describe(node),
        )
    if np.can_cast(array.dtype, wanted.numpy, "safe"):
        return np.asarray(array, wanted.numpy)
    if from_python and array.dtype.kind in "biufc":
        converted = _value_preserving(array, wanted)
        if converted is not None:
            return converted
    raise DTypeError(
        f"{name}: values of dtype {array.dtype} do not fit {wanted.name} without loss",
        expected=f"{wanted.name}, or a dtype that casts to it safely",
        fix=f"convert it yourself: value.astype({wanted.numpy.name!r})",
        where=describe(node),
    )


def _has_numbers(array: Array) -> bool:
    """False for texts, times and other objects, of which no cast makes numbers."""
    if array.dtype.kind == "O":  # integers beyond 64 bits come as objects
        return all(isinstance(each, Number) for each in array.flat)
    return array.dtype.kind not in "SUTMm"


def _value_preserving(array: Array, wanted: DType) -> Array | None:
    """Python numbers in the wanted dtype; None if one of them would become another number.

    Rounding a Python float to a shorter float is what everybody means by writing 0.1.
    """
    if array.dtype.kind == "c" and not wanted.is_complex:
        return None
    if array.dtype.kind == "f" and wanted.category < FLOATING:
        return array.astype(wanted.numpy) if array.size == 0 else None
    with np.errstate(all="ignore"):
        converted = array.astype(wanted.numpy)
        if array.dtype.kind in "fc":
            same = np.isfinite(converted) == np.isfinite(array)
        else:
            same = converted.astype(object) == array.astype(object)
    return converted if same.all() else None


def _solve(size: Dim, actual: int, known: Mapping[str, int]) -> dict[str, int]:
    """The one unknown of a linear size, e.g. N from 2*N+1; nothing if it is no such size."""
    unknowns = size.names - known.keys()
    if len(unknowns) != 1:
        return {}
    (unknown,) = unknowns
    base, step = (_number(size.bind({**known, unknown: value})) for value in (0, 1))
    if base is None or step is None or step == base or (actual - base) % (step - base):
        return {}
    value = (actual - base) // (step - base)
    return {unknown: value} if size.bind({**known, unknown: value}) == actual else {}


def _number(size: Size) -> int | None:
    return size if isinstance(size, int) else None


def _disagreement(
    name: str, size: Dim, actual: int, known: Mapping[str, int], origin: Mapping[str, str]
) -> GraphcError:
    bound = size.bind(known)
    if isinstance(bound, Dim):
        return ShapeError(
            f"{name}: the unknown sizes in {size} cannot be found from the feed",
            got=f"{size} = {actual}",
            fix="give a placeholder that has each unknown as a size of its own",
        )
    if len(size.names) == 1 and str(size) in size.names:
        return ShapeError(
            f"{name}: size of dim '{size}' is {actual} here but {bound} in {origin[str(size)]!r}"
        )
    terms = ", ".join(f"{one} = {known[one]} from {origin[one]!r}" for one in sorted(size.names))
    return ShapeError(f"{name}: size of dim '{size}' is {actual} here, not {bound}", got=terms)


def _check_constraint(
    node: Node, constraint: Constraint, known: Mapping[str, int], origin: Mapping[str, str]
) -> None:
    def bound(size: Size) -> Size:
        return size.bind(known) if isinstance(size, Dim) else size

    def text(size: Size) -> str:
        if isinstance(size, int):
            return str(size)
        inputs = ", ".join(repr(origin[one]) for one in sorted(size.names) if one in origin)
        return f"{size} = {bound(size)}" + (f" (of {inputs})" if inputs else "")

    if bound(constraint.left) != bound(constraint.right):
        raise ShapeError(
            f"{node.op.name}: sizes differ that must be equal",
            got=f"{text(constraint.left)} and {text(constraint.right)}",
            where=describe(node),
        )
