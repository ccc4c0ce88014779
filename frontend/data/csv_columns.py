"""Columns of a table while they are read: texts in, numbers kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from graphc.dtypes import DType, as_dtype
from graphc.errors import ArgumentError
from graphc.provenance import user_location_text
from graphc.storage import Array


@dataclass(frozen=True)
class Problem:
    """A field that is no value of its column: its row in the piece, and what is wrong."""

    row: int
    what: str


class Column(Protocol):
    """What collects one column."""

    def add(self, texts: Sequence[str]) -> Problem | None:
        """Take in a piece, or say what is wrong with it."""
        ...

    def array(self) -> Array:
        """All pieces in one array."""
        ...


def column_of(name: str, dtype: Any, missing: frozenset[str], fill: Any) -> Column:
    """What collects a column of this dtype, or of categories.

    Raises:
        ArgumentError: for a dtype that texts do not become.
    """
    if dtype == "category":
        return Category(missing, fill)
    of = as_dtype("float32" if dtype is None else dtype)
    if of.numpy.kind not in "fiub":
        raise ArgumentError(
            f"read_csv: column {name!r} cannot be of this dtype", got=of.name,
            expected='a float, an integer, bool or "category"', where=user_location_text(),
        )  # fmt: skip
    return Numbers(of, missing, fill)


class Numbers:
    """A column of numbers or bools.

    Args:
        dtype: of the array.
        missing: texts of fields without a value.
        fill: the value of these; None means NaN for floats and an error for others.
    """

    def __init__(self, dtype: DType, missing: frozenset[str], fill: Any) -> None:
        self._dtype, self._missing, self._fill = dtype, missing, fill
        self._pieces: list[Array] = []
        kind = dtype.numpy.kind
        self._parse: Any = {"f": float, "b": _truth}.get(kind, int)
        self._wide = np.dtype({"f": np.float64, "b": np.bool_}.get(kind, np.int64))

    def add(self, texts: Sequence[str]) -> Problem | None:
        """Take in a piece, or say what is wrong with it."""
        lacking = [row for row, text in enumerate(texts) if text.strip() in self._missing]
        fields: Sequence[str] = texts
        if lacking:
            if self._fill is None and self._wide.kind != "f":
                return Problem(lacking[0], f"no value, and {self._dtype.name} has no NaN (fill=)")
            stand_in = math.nan if self._fill is None else self._fill
            fields = list(texts)
            for row in lacking:
                fields[row] = str(stand_in)
        try:
            if self._wide.kind == "b":
                values = np.array([_truth(text) for text in fields])
            else:
                values = np.array(fields).astype(self._wide)
        except (ValueError, OverflowError):
            return self._first_problem(fields)
        with np.errstate(over="ignore"):  # numbers beyond float32 are infinite there
            narrow = values.astype(self._dtype.numpy)
        if self._wide.kind != "f" and not np.array_equal(narrow, values):
            row = int((narrow != values).argmax())
            return Problem(row, f"{fields[row].strip()!r} is out of {self._dtype.name}'s range")
        self._pieces.append(narrow)
        return None

    def _first_problem(self, fields: Sequence[str]) -> Problem:
        for row, text in enumerate(fields):
            try:
                np.array([self._parse(text)]).astype(self._wide, casting="safe")
            except (ValueError, OverflowError, TypeError):
                return Problem(row, f"{text!r} is no {self._dtype.name}")
        return Problem(0, f"a field is no {self._dtype.name}")

    def array(self) -> Array:
        """All pieces in one array."""
        return np.concatenate([np.empty(0, self._dtype.numpy), *self._pieces])


_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _truth(text: str) -> bool:
    found = _TRUTHS.get(text.strip().lower())
    if found is None:
        raise ValueError(text)
    return found


class Category:
    """A column of texts, kept as their numbers.

    Args:
        missing: texts of fields without a value.
        fill: the text of these; None means an error.
    """

    def __init__(self, missing: frozenset[str], fill: Any) -> None:
        self._missing, self._fill = missing, fill
        self._numbers: dict[str, int] = {}
        self._pieces: list[Array] = []

    @property
    def texts(self) -> list[str]:
        """The texts, in the order of their numbers."""
        return list(self._numbers)

    def add(self, texts: Sequence[str]) -> Problem | None:
        """Take in a piece, or say what is wrong with it."""
        numbers = []
        for row, text in enumerate(texts):
            value = text.strip()
            if value in self._missing:
                if self._fill is None:
                    return Problem(row, "no value (fill= gives such fields a category)")
                value = str(self._fill)
            numbers.append(self._numbers.setdefault(value, len(self._numbers)))
        self._pieces.append(np.array(numbers, np.int64))
        return None

    def array(self) -> Array:
        """All pieces in one array."""
        return np.concatenate([np.empty(0, np.int64), *self._pieces])
