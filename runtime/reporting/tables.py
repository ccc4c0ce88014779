"""Text for people: tables, sizes, what a step does."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.runtime.plan import Step
from graphc.types import TensorType


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Columns of text; numbers to the right.

    Example:
        >>> print(table([("add", 2), ("mul", 10)], ("op", "count")))
        op   count
        add      2
        mul     10
    """
    cells = [list(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    numeric = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows)
        for column in range(len(header))
    ]

    def line(texts: Sequence[str]) -> str:
        parts = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, numeric, strict=True)
        )
        return "  ".join(parts).rstrip()

    return "\n".join([line(header), *map(line, cells)])


def bytes_text(count: int) -> str:
    """A number of bytes for people, e.g. ``1.5 KiB``."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def step_text(step: Step) -> str:
    """What a step does, e.g. ``matmul f32[2,3]``."""
    name = step.node.op.name
    kind = step.node.result_type
    if step.kind == "copy":
        return f"copy {TensorType(step.inputs[0].shape, step.inputs[0].dtype)}"
    if isinstance(kind, TensorType):
        return f"{name} {kind}"
    return f"{name} {kind.items[0]}, {len(kind.items) - 1} more"
