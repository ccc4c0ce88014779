"""docs/operators.md: every public operator and every primitive, as they are found to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import graphc as gc
from tests.operators import facts
from tests.operators.notation import Call, plain
from tests.operators.primitives import primitive_rows
from tests.operators.refused import refused
from tests.operators.table import NO_OPERATORS, PLACES, table
from tests.sources import ROOT

PAGE = ROOT / "docs" / "operators.md"

HEAD = """\
# Operators

Written by `make test PYTEST_ARGS="-k operators_page --update-golden"` from what
[tests/operators](../tests/operators) finds out by calling each operator; `make test` compares.
Every operator here runs dynamically. The same calls are tested recorded, as native code, and
against numeric first and second derivatives. A name of PyTorch's that is missing here stands in
[absent.md](absent.md).

- *recorded*: "yes", "no" where a shape or a value for Python depends on values, "some" where that
  is so for one form of the call.
- *execution* in a program compiled for LLVM: "native" code, "eval" (the operation's numpy or scipy
  function, called by the program), or "mixed", with what is evaluated; "-" where nothing is
  computed. Complex numbers are mentioned where that is another answer.
- *1st*, *2nd*: the derivatives that exist; "0" where the first one depends on no operand, "-"
  where the result is constant, not differentiable, or random.
- *dtypes*: bool, int (five), float (float16, bfloat16, float32, float64), complex (two), as one of
  the sample calls takes them for its numbers or as `dtype=`.
"""

INTRODUCTIONS = {
    "graphc": "Those with *m* are methods of tensors as well.",
    "graphc.Tensor": "Methods that are no function besides.",
}


def operators_page() -> str:
    """The whole page."""
    parts = [HEAD]
    for place in PLACES:
        parts += [f"## {place}\n", *_introduction(place), operator_table(place)]
    parts += [
        "## Refused arguments\n",
        "PyTorch takes these, graphc raises. `out=`, `layout=`, `pin_memory=` and `memory_format=`"
        " are refused by\nevery function that has them in PyTorch.\n",
        _table(
            ("call", "why"),
            ([f"`{_prefix(one.call)}{plain(one.call.text)}`", one.reason] for one in refused()),
        ),
        "## Primitives\n",
        "The operations that graphs consist of; the functions above are made of them. *traits* are"
        " what passes may\nrely on, *kept* is what dynamic mode keeps for the gradient besides"
        " types.\n",
        _table(("operation", "traits", "execution", "derivative", "kept"), primitive_rows()),
    ]
    return "\n".join(parts)


def _introduction(place: str) -> list[str]:
    lines = []
    if place in INTRODUCTIONS:
        lines.append(f"{INTRODUCTIONS[place]}\n")
    if place in NO_OPERATORS:
        names = ", ".join(f"`{name}`" for name in sorted(NO_OPERATORS[place]))
        lines.append(f"No operators, and not in the table: {names}.\n")
    return lines


def operator_table(place: str) -> str:
    """The table of one namespace."""
    rows = [
        _row(place, name, calls) for (home, name), calls in sorted(table().items()) if home == place
    ]
    header = ("operator", "recorded", "execution", "1st", "2nd", "dtypes", "for example")
    return _table(header, rows)


def _row(place: str, name: str, calls: Sequence[Call]) -> list[str]:
    is_method = place == "graphc" and getattr(gc.Tensor, name, None) is getattr(gc, name)
    return [
        f"`{name}`{' *m*' if is_method else ''}",
        facts.recorded(calls),
        facts.execution(calls),
        *facts.derivatives(calls),
        facts.dtypes(calls),
        f"`{plain(calls[0].text)}`",
    ]


def _prefix(call: Call) -> str:
    return "" if call.place == "graphc.Tensor" else f"{call.place.replace('graphc', 'gc', 1)}."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
