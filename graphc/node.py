"""The node: one operation of a program, immutable and interned.

Two nodes with the same operation, inputs and attributes are the same object, so structural
equality is ``is`` and common subexpressions merge by construction.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from graphc.errors import GraphcError
from graphc.forks import lock_over_forks
from graphc.literal import Literal
from graphc.opdef import OpDef, get_op
from graphc.provenance import add_origins, describe, origins_of, stamp, user_location_text
from graphc.types import TensorType, TupleType, Type

Attrs = Mapping[str, Any]

_interned: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_lock = lock_over_forks()


class Node:
    """One operation with its inputs; make it by calling an ``OpDef`` or ``make_node``.

    Attributes:
        op: the operation.
        inputs: the operand nodes, in order.
        attrs: the operation's static arguments; all values are hashable.
        type: the type of the result.
    """

    __slots__ = ("__weakref__", "_type", "attrs", "inputs", "op")

    op: OpDef
    inputs: tuple[Node, ...]
    attrs: Attrs
    _type: Type

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"nodes are immutable, so {name!r} cannot be set")

    @property
    def type(self) -> TensorType:
        """Shape and dtype of the result; use ``result_type`` for nodes with several results."""
        assert isinstance(self._type, TensorType), "a tuple node is used through its items"
        return self._type

    @property
    def result_type(self) -> Type:
        """The type of the result, a ``TupleType`` for nodes with several results."""
        return self._type

    def __apply__(self, op: OpDef, inputs: tuple[Node, ...], attrs: Attrs) -> Node:
        return make_node(op, inputs, attrs)

    def __literal__(self, value: Any) -> Node:
        return constant(value)

    def __results__(self, op: OpDef, inputs: tuple[Node, ...], attrs: Attrs) -> tuple[Node, ...]:
        whole = make_node(op, inputs, attrs)
        assert isinstance(whole.result_type, TupleType), "it has several results"
        count = len(whole.result_type.items)
        return tuple(make_node(get_op("item"), (whole,), {"index": i}) for i in range(count))

    def __leaf__(self, node: Node) -> Node:
        return node

    def __repr__(self) -> str:
        return f"<{self.op.name}: {self._type}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (make_node, (self.op, self.inputs, dict(self.attrs)))


def make_node(op: OpDef, inputs: tuple[Node, ...] = (), attrs: Attrs | None = None) -> Node:
    """Make the node, or find the one that already exists.

    Args:
        op: the operation.
        inputs: operand nodes.
        attrs: static arguments; hashable values only.

    Raises:
        GraphcError: if the operands' types do not fit; it names the user's line.
    """
    node = _intern(op, inputs, attrs or {}, None)
    stamp(node)
    return node


def remake_node(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same operation on other inputs; it comes from where the old node comes from.

    Args:
        node: the old node.
        inputs: other operands; where their types are those of the old ones, so is the result's.

    Raises:
        GraphcError: if the operands' types do not fit.
    """
    same = all(new._type == old._type for new, old in zip(inputs, node.inputs, strict=True))
    made = _intern(node.op, inputs, node.attrs, node._type if same else None)
    add_origins(made, origins_of(node))
    return made


def _intern(op: OpDef, inputs: tuple[Node, ...], attrs: Attrs, type: Type | None) -> Node:
    """Make the node, or find it; its type is inferred unless it is known."""
    key = (op.name, *map(id, inputs), *((name, _identity(attrs[name])) for name in sorted(attrs)))
    with _lock:
        node = _interned.get(key)
        if node is None:
            node = object.__new__(Node)
            set_slot = object.__setattr__
            set_slot(node, "op", op)
            set_slot(node, "inputs", inputs)
            set_slot(node, "attrs", MappingProxyType(dict(attrs)))
            set_slot(node, "_type", _infer(op, inputs, attrs) if type is None else type)
            _interned[key] = node
    return node


def _infer(op: OpDef, inputs: tuple[Node, ...], attrs: Attrs) -> Type:
    try:
        inferred: Type = op.infer(*(node.result_type for node in inputs), **attrs)
    except GraphcError as error:
        operands = ", ".join(
            f"{node.result_type} from {described}"
            for node in inputs
            if (described := describe(node))
        )
        if operands and not error.got:
            error.got = operands
        raise error.located(user_location_text()) from None
    return inferred


def _identity(value: Any) -> Any:
    """A key that tells apart what ``==`` does not: 1, 1.0 and True, 0.0 and -0.0, two NaNs."""
    if isinstance(value, float):
        return ("float", struct.pack("<d", value) if not math.isnan(value) else b"nan")
    if isinstance(value, tuple):
        return tuple(map(_identity, value))
    return (type(value), value)


def constant(value: Any) -> Node:
    """A node that holds an array.

    Args:
        value: a numpy array or scalar; its dtype is kept.
    """
    literal = value if isinstance(value, Literal) else Literal(np.asarray(value))
    return make_node(CONSTANT, (), {"value": literal})


def _infer_constant(*, value: Literal) -> TensorType:
    return value.type


def _eval_constant(*, value: Literal) -> Any:
    return value.array


CONSTANT = OpDef("constant", infer=_infer_constant, eval=_eval_constant)
