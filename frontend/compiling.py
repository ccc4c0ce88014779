"""From a recorded program to a session: puts passes and runtime together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Literal

from graphc.graph import Graph
from graphc.passes.base import PassRecord
from graphc.passes.pipeline import optimize

OptLevel = Literal["O0", "O1", "O2"]
Numerics = Literal["strict", "stable", "fast"]


def optimizer(
    level: OptLevel, disable: tuple[str, ...], numerics: Numerics, stop_after: str | None = None
) -> Callable[[Graph], tuple[Graph, list[PassRecord]]]:
    """The pipeline with these options, as a function of the graph that can be pickled."""
    return functools.partial(
        optimize, level=level, disable=disable, numerics=numerics, stop_after=stop_after
    )
