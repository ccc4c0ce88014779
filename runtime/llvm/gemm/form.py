"""What a program wants of a product beside its result: copied columns, or units that are rows.

The order in which numbers are added does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphc.runtime.llvm.gemm.factors import Matrix


@dataclass(frozen=True, slots=True)
class Form:
    """How a product is to be computed.

    Args:
        panels: the right factor lies in panels of so many columns, whole vectors, one panel behind
            the other; in a panel the columns of one k are neighbours. 0: it lies as strides say.
        rows: a unit is so many rows of the result, with all of their columns; 0: units are whatever
            suits the product.
    """

    panels: int = 0
    rows: int = 0

    def allows(self, rows: int, width: int) -> bool:
        """Whether tiles of so many rows and columns fit."""
        return self.panels in (0, width) and (not self.rows or self.rows % rows == 0)


PLAIN = Form()
"""Nothing special is wanted."""


def span_of_rows(matrix: Matrix, rows: int, columns: int) -> int | None:
    """Bytes from what a unit of rows touches of a matrix to the next unit's; None if they overlap.

    Args:
        matrix: an operand.
        rows: rows of a unit.
        columns: how many of the matrix's columns there are.
    """
    apart = matrix.column >= 0 and (columns - 1) * matrix.column < matrix.row
    return rows * matrix.row * matrix.dtype.itemsize if apart else None
