"""How to make a session of a program: what ``gc.compile`` and ``Graph.compile`` are told."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from graphc.errors import ArgumentError, GraphcError
from graphc.graph import Graph
from graphc.passes.base import PassRecord
from graphc.passes.pipeline import optimize, require_options
from graphc.provenance import user_location_text
from graphc.runtime.backends import get_backend

OptLevel = Literal["O0", "O1", "O2"]
Numerics = Literal["strict", "stable", "fast"]


@dataclass(frozen=True)
class CompileOptions:
    """How to make a session; see ``Graph.compile``.

    Raises:
        ArgumentError: for an unknown backend, level, pass or numerics, or a wrong number of
            threads.
    """

    backend: str = "llvm"
    optimize: OptLevel = "O2"
    disable: Iterable[str] = ()
    threads: int | None = None
    numerics: Numerics = "strict"

    def __post_init__(self) -> None:
        if isinstance(self.disable, str):
            raise ArgumentError(
                "disable: expected names of passes, not one text", got=repr(self.disable),
                fix=f"disable=({self.disable!r},)", where=user_location_text(),
            )  # fmt: skip
        object.__setattr__(self, "disable", tuple(self.disable))
        try:
            get_backend(self.backend, self.threads)
            require_options(self.optimize, self.disable, self.numerics)
        except GraphcError as error:
            raise error.located(user_location_text()) from None

    def optimizer(
        self, stop_after: str | None = None
    ) -> Callable[[Graph], tuple[Graph, list[PassRecord]]]:
        """The pipeline with these options, as a function of the graph that can be pickled.

        Args:
            stop_after: the name of the last pass; None for all.
        """
        return functools.partial(
            optimize, level=self.optimize, disable=tuple(self.disable), numerics=self.numerics,
            stop_after=stop_after,
        )  # fmt: skip
