"""The options of a group as update rules read them: numbers now, or anew at each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.dtypes import float64
from graphc.errors import ArgumentError
from graphc.frontend.functions.convert import to_operand
from graphc.frontend.functions.pointwise import mul
from graphc.frontend.functions.pointwise import pow as power
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.tensor import Tensor
from graphc.node import Node
from graphc.provenance import user_location_text
from graphc.storage import HostValue

Scalar = float | Tensor
"""A Python number, or a 0-d float64 tensor: combine them with operators, which suit both."""


class Options:
    """A group's options in dynamic mode.

    Args:
        group: the group.
    """

    def __init__(self, group: Mapping[str, Any]) -> None:
        self.group = group

    def fact(self, name: str) -> Any:
        """An option that decides which expressions are built; part of ``structure``."""
        return self.group[name]

    def number(self, name: str, position: int | None = None) -> Scalar:
        """An option that is a number in expressions, or one of a tuple of them."""
        return _reader(self.group, name, position)()

    def value(self, name: str, position: int | None = None) -> Tensor:
        """The same number as a 0-d float64 tensor, for functions of tensors."""
        return to_operand(self.number(name, position), float64)

    def weight_so_far(self, name: str, position: int, steps: Tensor) -> Tensor:
        """``1 - beta^steps``: what a running mean that began at 0 has of its full weight."""
        return 1.0 - power(self.value(name, position), steps)


class RecordedOptions(Options):
    """A group's options while recording: numbers are variables that read the group.

    Args:
        group: the group.
        recorder: where the variables are made.
    """

    def __init__(self, group: Mapping[str, Any], recorder: Recorder) -> None:
        super().__init__(group)
        self._recorder = recorder
        self._made: dict[tuple[str, int | None], Tensor] = {}

    def number(self, name: str, position: int | None = None) -> Scalar:
        """A 0-d float64 tensor whose value each run reads from the group."""
        key = (name, position)
        if key not in self._made:
            label = name if position is None else f"{name}.{position}"
            source = HostValue(_reader(self.group, name, position))
            self._made[key] = self._recorder.host_value(source, float64, label)
        return self._made[key]


class PlaceholderOptions(Options):
    """A group's options as inputs of a program that is recorded once for many groups.

    Args:
        group: a group, whose facts hold for all of them.
        recorder: where the inputs are made.

    Attributes:
        readers: what gives the numbers of a group, in the order of the inputs.
        nodes: the inputs.
    """

    def __init__(self, group: Mapping[str, Any], recorder: Recorder) -> None:
        super().__init__(group)
        self._recorder = recorder
        self._made: dict[tuple[str, int | None], Tensor] = {}
        self.readers: list[Callable[[Mapping[str, Any]], float]] = []
        self.nodes: list[Node] = []

    def number(self, name: str, position: int | None = None) -> Scalar:
        """A 0-d float64 tensor."""
        key = (name, position)
        if key not in self._made:
            made = self._recorder.placeholder((), float64, f"option{len(self._made)}")
            self._made[key] = made
            self.readers.append(lambda group: _number(group, name, position))
            self.nodes.append(self._recorder.node_of(made))
        return self._made[key]


def _number(group: Mapping[str, Any], name: str, position: int | None) -> float:
    value: Any = group.get(name)
    try:
        return float(value if position is None else value[position])
    except (TypeError, ValueError, LookupError, ArgumentError) as error:
        kind = "a number" if position is None else "numbers"
        raise ArgumentError(
            f"the optimizer's option {name!r} must be {kind}", got=repr(value),
            fix=f"write a number to param_groups[...][{name!r}]" if position is None else "",
            where=user_location_text(),
        ) from error  # fmt: skip


def _reader(group: Mapping[str, Any], name: str, position: int | None) -> Callable[[], float]:
    return lambda: _number(group, name, position)


def times(x: Tensor, factor: Scalar) -> Tensor:
    """``factor * x`` in the dtype of ``x``, whatever the factor's."""
    return mul(x, to_operand(factor, x.dtype))
