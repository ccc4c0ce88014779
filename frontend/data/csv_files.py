"""Tables in CSV files: columns as arrays, and rows as samples.

Files are read in pieces of some thousand rows, each of which becomes arrays at once, so that a
file of millions of rows needs the memory of its numbers only.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataFileError, MissingFileError, did_you_mean
from graphc.frontend.data.csv_columns import Category, Column, column_of
from graphc.frontend.data.tensors import TensorDataset
from graphc.frontend.making import concrete
from graphc.provenance import user_location_text
from graphc.storage import Array

PathLike = str | os.PathLike[str]

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Table:
    """The columns of a file.

    Attributes:
        columns: an array per column, by name, in the order of the file.
        categories: the texts of each column of categories; its array has their places.
    """

    columns: dict[str, Array]
    categories: dict[str, list[str]]


def read_csv(
    path: PathLike, columns: Sequence[str] | None = None, dtypes: Mapping[str, Any] | None = None,
    *, header: bool | Sequence[str] = True, delimiter: str = ",",
    missing: Collection[str] = ("", "NA", "NaN", "nan"), fill: Any = None, encoding: str = "utf-8",
) -> Table:  # fmt: skip
    """Read a CSV file into one array per column.

    Args:
        path: the file.
        columns: names of those to read; default: all.
        dtypes: dtypes by column name, or ``"category"`` for texts, which become numbers in the
            order in which they first appear; default: float32.
        header: the first line has the names; or the names, if it has not; False names the columns
            "0", "1", ...
        delimiter: between the fields of a line.
        missing: the texts of fields without a value.
        fill: the value of such fields; default: NaN for floats, an error for others.
        encoding: of the text.

    Raises:
        MissingFileError: if there is no such file.
        DataFileError: for a field that is no value of its column, or a line with too many or too
            few fields; it says in which line.
        ArgumentError: for a column that is not there.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("pets.csv").write_text("name,legs,weight\\ncat,4,4.5\\nbird,2,\\ncat,3,4\\n")
        >>> table = read_csv("pets.csv", dtypes={"name": "category", "legs": "int64"})
        >>> table.columns["weight"], table.columns["legs"].tolist()
        (array([4.5, nan, 4. ], dtype=float32), [4, 2, 3])
        >>> table.columns["name"].tolist(), table.categories
        ([0, 1, 0], {'name': ['cat', 'bird']})
    """
    try:
        with open(path, newline="", encoding=encoding) as file:
            reader = _Reader(
                os.fspath(path), csv.reader(_texts(file), delimiter=delimiter, strict=True)
            )
            return reader.read(columns, dtypes or {}, header, frozenset(missing), fill)
    except FileNotFoundError:
        raise MissingFileError(
            "read_csv: no such file", got=os.fspath(path), where=user_location_text()
        ) from None
    except UnicodeDecodeError as error:
        raise DataFileError(
            f"read_csv: {os.fspath(path)} is no text in {encoding}", got=str(error),
            fix="encoding=", where=user_location_text(),
        ) from None  # fmt: skip


class _ZeroByteError(Exception):
    """A line has bytes that a crash may leave where it should have had text."""


def _texts(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:  # numpy would not see those at the end of a field
            raise _ZeroByteError("a character of code 0")
        yield line


class _Reader:
    def __init__(self, path: str, rows: Any) -> None:
        self._path, self._rows = path, rows

    def read(
        self, wanted: Sequence[str] | None, dtypes: Mapping[str, Any],
        header: bool | Sequence[str], missing: frozenset[str], fill: Any,
    ) -> Table:  # fmt: skip
        rows = self._numbered()
        first = next(rows, None)
        if first is None:
            raise DataFileError(
                "read_csv: the file is empty", got=self._path, where=user_location_text()
            )
        names = self._names(first[1], header)
        chosen = names if wanted is None else list(wanted)
        for name in (*chosen, *dtypes):
            if name not in names:
                raise ArgumentError(
                    f"read_csv: {self._path} has no column {name!r}", expected=", ".join(names),
                    fix=did_you_mean(name, names), where=user_location_text(),
                )  # fmt: skip
        made = {name: column_of(name, dtypes.get(name), missing, fill) for name in chosen}
        places = {name: names.index(name) for name in chosen}
        piece = [] if header is True else [first]
        while piece := [*piece, *islice(rows, _ROWS_AT_ONCE)]:
            self._take(piece, len(names), places, made)
            piece = []
        return Table(
            {name: column.array() for name, column in made.items()},
            {name: one.texts for name, one in made.items() if isinstance(one, Category)},
        )

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not empty, each with its line."""
        while True:
            line = self._rows.line_num + 1
            try:
                row = next(self._rows, None)
            except (csv.Error, _ZeroByteError) as error:
                raise self._error(line, str(error)) from None
            if row is None:
                return
            if row:
                yield line, row

    def _names(self, first: list[str], header: bool | Sequence[str]) -> list[str]:
        if header is True:
            names = [name.strip().removeprefix("\ufeff") for name in first]
        elif header is False:
            names = [str(place) for place in range(len(first))]
        else:
            names = list(header)
        if len(set(names)) != len(names):
            raise DataFileError(
                "read_csv: two columns have one name", got=", ".join(names),
                fix="header= with other names", where=user_location_text(),
            )  # fmt: skip
        return names

    def _take(
        self, piece: list[tuple[int, list[str]]], width: int, places: dict[str, int],
        made: dict[str, Column],
    ) -> None:  # fmt: skip
        for line, row in piece:
            if len(row) != width:
                raise self._error(line, f"{len(row)} fields where there are {width} columns")
        for name, column in made.items():
            place = places[name]
            problem = column.add([row[place] for _, row in piece])
            if problem is not None:
                raise self._error(piece[problem.row][0], f"column {name!r}: {problem.what}")

    def _error(self, line: int, what: str) -> DataFileError:
        return DataFileError(
            f"read_csv: {self._path}, line {line}: {what}", where=user_location_text()
        )


class CsvDataset(TensorDataset):
    """Rows of a CSV file as samples: the features in one float32 tensor, and what to predict.

    A sample is ``(features, target)``, or ``(features,)`` without a target.

    Args:
        path: the file.
        target: the column to predict.
        columns: the features; default: all other columns.
        dtypes: see ``read_csv``; a target is float32 unless this says otherwise.
        header: see ``read_csv``, as the rest.

    Attributes:
        names: the features' names.
        categories: the texts of each column of categories.

    Raises:
        DataFileError: see ``read_csv``.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("iris.csv").write_text("length,width,kind\\n5.1,3.5,setosa\\n7,3.2,versi\\n")
        >>> data = CsvDataset("iris.csv", target="kind", dtypes={"kind": "category"})
        >>> data[1], data.categories["kind"]
        ((tensor([7.0000, 3.2000]), tensor(1)), ['setosa', 'versi'])
    """

    def __init__(
        self, path: PathLike, target: str | None = None, columns: Sequence[str] | None = None,
        dtypes: Mapping[str, Any] | None = None, *, header: bool | Sequence[str] = True,
        delimiter: str = ",", missing: Collection[str] = ("", "NA", "NaN", "nan"), fill: Any = None,
        encoding: str = "utf-8",
    ) -> None:  # fmt: skip
        wanted = columns
        if columns is not None and target is not None:
            wanted = [*(name for name in columns if name != target), target]
        table = read_csv(
            path, wanted, dtypes, header=header, delimiter=delimiter, missing=missing, fill=fill,
            encoding=encoding,
        )  # fmt: skip
        if target is not None and target not in table.columns:
            raise ArgumentError(
                f"CsvDataset: {os.fspath(path)} has no column {target!r}",
                expected=", ".join(table.columns), fix=did_you_mean(target, table.columns),
                where=user_location_text(),
            )  # fmt: skip
        self.names = [name for name in table.columns if name != target]
        self.categories = table.categories
        if not table.columns:
            raise ArgumentError(
                "CsvDataset: there is neither a feature nor a target", got=f"columns={columns!r}",
                where=user_location_text(),
            )  # fmt: skip
        rows = len(next(iter(table.columns.values())))
        features = np.empty((rows, len(self.names)), np.float32)
        for place, name in enumerate(self.names):
            features[:, place] = table.columns[name]
        tensors = [concrete(features)]
        if target is not None:
            tensors.append(concrete(table.columns[target]))
        super().__init__(*tensors)
