"""The results as tables for people and as data for programs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.timing import Timing

STATIC = ("graphc", "graphc session.run")
"""graphc's compiled forms: the function and the session."""
RIVALS = ("torch", "jax")
"""How the names of those begin whom graphc is measured against."""


def table(title: str, timings: Mapping[str, Timing]) -> str:
    """One line per peer: median, quartiles, and its time over that of graphc's function."""
    base = timings.get(STATIC[0])
    lines = [title]
    for name, timing in timings.items():
        low, median, high = timing.quartiles
        ratio = f"{timing.over(base):8.2f}x" if base is not None else ""
        spread = f"{seconds(low)} .. {seconds(high)}"
        lines.append(f"  {name:<24}{seconds(median):>11}   {spread:<26}{ratio}")
    return "\n".join(lines)


@dataclass(frozen=True)
class Row:
    """What one case comes to.

    Args:
        name: the case's.
        graphc: the faster of graphc's compiled forms.
        rival: the fastest other library, the one with the smallest ratio to graphc's function.
        function: the rival's time over that of graphc's compiled function.
        best: the smallest ratio to the faster form.
    """

    name: str
    graphc: str
    rival: str
    function: float
    best: float


def row_of(name: str, timings: Mapping[str, Timing]) -> Row | None:
    """Who wins by how much; None where no other library took part."""
    rivals = [peer for peer in timings if peer.startswith(RIVALS)]
    if not rivals:
        return None
    ratios = {
        form: {peer: timings[peer].over(timings[form]) for peer in rivals}
        for form in STATIC
        if form in timings
    }
    function = ratios[STATIC[0]]
    rival = min(function, key=lambda peer: function[peer])
    best = {form: min(each.values()) for form, each in ratios.items()}
    fastest = max(best, key=lambda form: best[form])
    return Row(name, fastest, rival, function[rival], best[fastest])


def summary(rows: Sequence[Row]) -> str:
    """All cases against the best peer of each, and their geometric mean."""
    lines = [
        "against the best peer of each row: its time over that of graphc's compiled function, "
        "and of the faster of function and session"
    ]
    lines += [
        f"  {row.name:<52}{row.function:7.2f}x {row.best:7.2f}x   {row.rival} / {row.graphc}"
        for row in rows
    ]
    means = [_geometric_mean([getattr(row, kind) for row in rows]) for kind in ("function", "best")]
    lines.append(f"  {'geometric mean':<52}{means[0]:7.2f}x {means[1]:7.2f}x")
    return "\n".join(lines)


def as_data(timings: Mapping[str, Timing]) -> dict[str, Any]:
    """Seconds by peer, for ``--json``."""
    return {
        name: {
            "median": timing.median,
            "low": timing.quartiles[0],
            "high": timing.quartiles[2],
            "samples": len(timing.samples),
        }
        for name, timing in timings.items()
    }


def seconds(value: float) -> str:
    """A time with a fitting unit."""
    for unit, factor in (("s ", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= factor:
            return f"{value / factor:,.2f} {unit}"
    return f"{value * 1e9:,.0f} ns"


def _geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))
