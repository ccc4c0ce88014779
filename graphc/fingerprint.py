"""A name for what a graph is: equal in every process for graphs that nothing can tell apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from graphc.dims import Dim
from graphc.dtypes import DType
from graphc.graph import Graph
from graphc.literal import Literal
from graphc.storage import HostValue, Storage
from graphc.types import TensorType, TupleType


def fingerprint(graph: Graph) -> str | None:
    """A hash of operations, types, constants and names.

    The memory of variables does not count, only their order. Nor do the user's places: a node
    that another program of the process has, too, knows that one's places.

    Returns:
        64 hexadecimal digits, or None if a node has an attribute that has no name.

    Example:
        >>> from graphc.dtypes import float32
        >>> from graphc.ops.elementwise import exp
        >>> from graphc.ops.leaf import placeholder
        >>> x = placeholder("x", TensorType((2,), float32))
        >>> one, same, other = (Graph([x], {name: exp(x)}) for name in "yyz")
        >>> fingerprint(one) == fingerprint(same), fingerprint(one) == fingerprint(other)
        (True, False)
    """
    digest = hashlib.sha256()
    try:
        for part in _parts(graph):
            digest.update(part.encode())
    except _NamelessError:
        return None
    return digest.hexdigest()


class _NamelessError(Exception):
    """A value that has no name which is the same in every process."""


def _parts(graph: Graph) -> Iterator[str]:
    number = {node: index for index, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        operands = ",".join([str(number[operand]) for operand in node.inputs])
        yield f"\n{node.op.name}({operands})"
        for name in sorted(node.attrs):
            yield f" {name}={_name(node.attrs[name])}"
    yield f"\ninputs {[number[node] for node in graph.inputs]}"
    yield f"\noutputs {[(name, number[node]) for name, node in graph.outputs.items()]}"
    yield f"\nupdates {[(number[var], number[node]) for var, node in graph.updates.items()]}"


def _name(value: Any) -> str:
    """A text that tells the value from all others."""
    if isinstance(value, tuple | list):
        return f"({','.join(map(_name, value))})"
    if isinstance(value, float):
        return value.hex()
    if value is None or isinstance(value, bool | int | str | complex):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, Storage | HostValue):
        return type(value).__name__
    if isinstance(value, Literal):
        content = hashlib.sha256(value.array.tobytes()).hexdigest()
        return f"literal {value.type} {value.array.strides} {content}"
    if isinstance(value, Graph):
        return f"graph {{{''.join(_parts(value))}}}"
    if isinstance(value, DType | TensorType | TupleType | Dim):
        return f"{type(value).__name__} {value}"
    raise _NamelessError
