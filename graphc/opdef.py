"""The definition of an operation: its name, types, meaning and gradient, in one record."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from graphc.errors import ArgumentError, did_you_mean
from graphc.types import TensorType


class Trait(enum.Flag):
    """What passes and backends may know about an operation."""

    NONE = 0
    ELEMENTWISE = enum.auto()  # each result element depends on one element of each operand
    COMMUTATIVE = enum.auto()  # op(a, b) is op(b, a), bit for bit unless complex
    REDUCE = enum.auto()  # folds dims to size 1; attr `dims`
    COSTLY = enum.auto()  # an element costs more than to store and load it: div, exp, sqrt ...
    VIEW = enum.auto()  # only re-indexes its input; numpy may return a view
    RANDOM = enum.auto()  # a pseudo-random function of its key
    LEAF = enum.auto()  # has no inputs and is no constant: placeholder, variable
    FALLIBLE = enum.auto()  # may raise on bad data, e.g. an index out of range
    OPAQUE = enum.auto()  # never folded, merged or looked into
    LIBRARY = enum.auto()  # computed by a library's function of arrays: kernels cannot contain it


class Saves(enum.Flag):
    """What the gradient rule reads besides types; dynamic mode keeps nothing else alive."""

    NOTHING = 0
    INPUTS = enum.auto()
    OUTPUT = enum.auto()
    POSITIONS = enum.auto()  # of the inputs, those that are integer or bool


class Operand(Protocol):
    """What operations apply to: a node while recording, a tensor while running dynamically."""

    @property
    def type(self) -> TensorType:
        """Shape and dtype."""
        ...

    def __apply__(self, op: OpDef, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Any:
        """Apply ``op`` in this operand's world."""
        ...

    def __literal__(self, value: Any) -> Any:
        """A constant in this operand's world."""
        ...


V = TypeVar("V", bound=Operand)


class Call(NamedTuple):
    """One application of an operation, as gradient rules see it.

    Attributes:
        inputs: the operands.
        output: the result.
        attrs: the static arguments.
        unwanted: positions whose gradient nobody reads; a rule may give None there.
    """

    inputs: Sequence[Any]
    output: Any
    attrs: Mapping[str, Any]
    unwanted: frozenset[int] = frozenset()


Rule = Callable[[Call, Any], Sequence[Any]]

_registry: dict[str, OpDef] = {}


@dataclass(frozen=True, slots=True, eq=False)
class OpDef:
    """An operation, defined once; calling it applies it to nodes or dynamic tensors alike.

    Args:
        name: unique; the name in the text form.
        infer: ``infer(*input_types, **attrs)`` gives the result's type or raises.
        eval: ``eval(*arrays, **attrs)`` computes the result with numpy; this is the meaning.
        vjp: ``vjp(call, grad)`` gives one gradient (or None) per input, built from operations.
            Rules do not mention broadcasting: the driver sums over broadcast dims. None means
            that the operation has no gradient.
        traits: what passes may rely on.
        saves: what ``vjp`` reads of inputs and output besides their types.

    Attributes:
        is_view: it has the trait VIEW.
        saves_inputs: the rule reads the inputs' values.
        saves_output: the rule reads the output's values.
        saves_positions: the rule reads the values of integer and bool inputs only.
        types_follow_dtypes: once ``infer`` has accepted the operands' dtypes, ``eval`` itself
            notices shapes that do not fit.
    """

    name: str
    infer: Callable[..., Any]
    eval: Callable[..., Any]
    vjp: Rule | None = None
    traits: Trait = Trait.NONE
    saves: Saves = Saves.NOTHING
    is_view: bool = field(init=False, repr=False)
    saves_inputs: bool = field(init=False, repr=False)
    saves_output: bool = field(init=False, repr=False)
    saves_positions: bool = field(init=False, repr=False)
    types_follow_dtypes: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.name in _registry:
            raise ArgumentError(f"operation {self.name!r} is defined twice")
        _registry[self.name] = self
        flags = {  # plain bools: dynamic mode asks at every operation, and enum flags are slow
            "is_view": bool(self.traits & Trait.VIEW),
            "saves_inputs": bool(self.saves & Saves.INPUTS),
            "saves_output": bool(self.saves & Saves.OUTPUT),
            "saves_positions": bool(self.saves & Saves.POSITIONS),
            "types_follow_dtypes": bool(
                self.traits & (Trait.ELEMENTWISE | Trait.REDUCE | Trait.VIEW)
            ),
        }
        for name, value in flags.items():
            object.__setattr__(self, name, value)

    def __call__(self, first: V, *others: V, **attrs: Any) -> V:
        """Apply the operation to nodes or to dynamic tensors, whichever the operands are."""
        result: V = first.__apply__(self, (first, *others), attrs)
        return result

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (get_op, (self.name,))


def get_op(name: str) -> OpDef:
    """The operation with this name.

    Raises:
        ArgumentError: if there is none.
    """
    if name not in _registry:
        raise ArgumentError(f"unknown operation {name!r}", fix=did_you_mean(name, _registry))
    return _registry[name]


def all_ops() -> Iterator[OpDef]:
    """Every operation, in the order of definition."""
    return iter(tuple(_registry.values()))
