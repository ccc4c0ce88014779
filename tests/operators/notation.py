"""Calls of operators as text: ``add(F23, F3)`` adds a float (2, 3) and a float (3,).

A line holds calls of one operator, divided by ``;``. A capital letter and digits stand for a tensor
of that shape, ``F{12}3`` for (12, 3):

    F  float64                              C  complex128
    P  float64 between 0.5 and 2            E  complex128, as S in complex
    U  float64 between 0.2 and 0.8          N  int64 from 1 to 5
    A  float64 between 1.2 and 3            K  int64, the positions 0 and 1
    S  symmetric positive definite          B  bool
    Q  float64 of which no gradient is asked

All other names are the namespace's, or graphc's. A method is called on its tensor:
``F23.view(6)``.

Words after ``#`` say what is special: ``random`` (its values differ from run to run), ``dynamic``
(it works on concrete tensors only), ``kink`` (differences say nothing of its derivatives:
low precision, an arbitrary phase, a part that is left out by intention), ``loop`` (recorded, its
gradients add up the steps in another order).
"""

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import graphc as gc

Array = npt.NDArray[Any]
_TOKEN = re.compile(r"(?<![\w.\"'])([FPUAQCESNKB])((?:\d|\{\d+\})*)(?![\w\"'=])")
_RANGES = {"F": (-1.5, 1.5), "P": (0.5, 2.0), "U": (0.2, 0.8), "A": (1.2, 3.0), "Q": (1.2, 2.0)}


@dataclass(frozen=True)
class Leaf:
    """One tensor of a call.

    Args:
        kind: the letter.
        shape: its shape.
    """

    kind: str
    shape: tuple[int, ...]

    def values(self, rng: np.random.Generator) -> Array:
        """Random values, away from poles and ties."""
        if self.kind in _RANGES:
            return rng.uniform(*_RANGES[self.kind], self.shape)
        if self.kind == "N":
            return np.asarray(rng.integers(1, 6, self.shape))
        if self.kind == "K":
            return np.asarray(rng.integers(0, 2, self.shape))
        if self.kind == "B":
            return np.asarray(rng.integers(0, 2, self.shape) > 0)
        values = np.asarray(rng.normal(size=self.shape))
        if self.kind != "S":
            values = np.asarray(values + 1j * rng.normal(size=self.shape))
        if self.kind == "C":
            return values
        transposed = np.conj(np.swapaxes(values, -1, -2))
        return np.asarray(values @ transposed + 2 * np.eye(self.shape[-1]))

    def symmetric(self, values: Array) -> Array:
        """The part of the values, or of a direction, that keeps the matrices what they are."""
        if self.kind in "ES":
            return np.asarray(values + np.conj(np.swapaxes(values, -1, -2))) / 2
        return values


@dataclass(frozen=True)
class Call:
    """One call of an operator.

    Args:
        place: the namespace, e.g. ``graphc.linalg`` or ``graphc.Tensor``.
        name: the operator.
        text: as it was written.
        marks: the words after ``#``.
    """

    place: str
    name: str
    text: str
    marks: frozenset[str]

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"

    @property
    def writes(self) -> bool:
        """True if it writes its first tensor, of which it gets a copy."""
        return self.name.endswith("_") and self.name != "requires_grad_"

    @property
    def leaves(self) -> list[Leaf]:
        """Its tensors, in order."""
        return [
            Leaf(kind, tuple(int(size.strip("{}")) for size in re.findall(r"\d|\{\d+\}", sizes)))
            for kind, sizes in _TOKEN.findall(self.text)
        ]

    def arrays(self) -> list[Array]:
        """The tensors' values, the same ones each time."""
        rng = np.random.default_rng(zlib.crc32(self.text.encode()))
        return [leaf.values(rng) for leaf in self.leaves]

    @property
    def function(self) -> Callable[..., Any]:
        """What makes the call of one tensor per leaf."""
        numbers = iter(range(len(self.leaves)))
        code = compile(_TOKEN.sub(lambda _: f"leaf{next(numbers)}", self.text), str(self), "eval")
        names = vars(gc) | vars(namespace(self.place)) | {"np": np}

        def call(*leaves: Any) -> Any:
            if self.writes:
                leaves = (leaves[0].clone(), *leaves[1:])
            bound = {f"leaf{number}": leaf for number, leaf in enumerate(leaves)}
            return eval(code, names, bound)

        return call


def plain(text: str) -> str:
    """A call as people write it: tensors are x, y, z, then x3 and so on."""
    names = iter([*"xyz", *(f"x{number}" for number in range(3, 20))])
    return _TOKEN.sub(lambda _: next(names), text)


def namespace(place: str) -> Any:
    """The module, or the class of tensors, that a place names."""
    here: Any = gc
    for name in place.split(".")[1:]:
        here = getattr(here, name)
    return here


def calls(place: str, text: str) -> Iterator[Call]:
    """The calls in a table of lines.

    Args:
        place: the namespace whose operators the lines call.
        text: the lines.
    """
    for line in filter(None, map(str.strip, text.splitlines())):
        written, _, words = line.partition("#")
        for one in written.split(";"):
            found = re.match(r"\w+(?=\()", one.strip())
            if place == "graphc.Tensor":
                found = re.search(r"(?<=\.)\w+", one)
            assert found, line
            yield Call(place, found[0], one.strip(), frozenset(words.split()))


def in_place(place: str, name: str, bases: Sequence[Call]) -> list[Call]:
    """The calls of an operator that writes its first tensor, made of those of its twin.

    Args:
        place: where the operator is.
        name: its name, which ends with an underscore.
        bases: the calls of the operator without it.
    """
    made = []
    for base in bases:
        found = _FUNCTION.fullmatch(base.text) or _METHOD.fullmatch(base.text)
        if found is not None:
            first, others = found.group(1), found.group(2) or ""
            comma = ", " if others else ""
            is_method = place == "graphc.Tensor"
            text = f"{first}.{name}({others})" if is_method else f"{name}({first}{comma}{others})"
            made.append(Call(place, name, text, base.marks))
    return made


_FIRST = r"([FPUAQNCESB](?:\d|\{\d+\})*)"
_FUNCTION = re.compile(rf"\w+\({_FIRST}(?:, (.*))?\)")
_METHOD = re.compile(rf"{_FIRST}\.\w+\((.*)\)")
