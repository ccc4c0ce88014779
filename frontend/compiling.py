"""From a recorded program to a session: puts passes and runtime together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from graphc.errors import ArgumentError, GraphcError
from graphc.frontend.base import is_tensor
from graphc.frontend.boxing import TENSOR
from graphc.frontend.structure import flatten, map_leaves, records_as_dicts
from graphc.graph import Graph
from graphc.passes.base import PassRecord
from graphc.passes.pipeline import optimize, require_options
from graphc.provenance import user_location_text
from graphc.runtime.backends import get_backend
from graphc.runtime.sessions.session import Link, Session

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

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


def make_session(
    outputs: Any,
    program: Callable[[dict[str, Tensor]], Graph],
    options: CompileOptions,
    link: Link | None = None,
) -> Session:
    """Make a session for nested outputs.

    Args:
        outputs: nested structure of symbolic tensors; other leaves have no value in a session.
        program: gives the graph that computes these named results.
        options: how to compile it.
        link: keeps the session and tensors outside together.
    """
    names, tensors, _ = flatten(outputs)
    named = iter(names)
    return Session(
        program(dict(zip(names, tensors, strict=True))),
        backend=options.backend,
        threads=options.threads,
        optimize=options.optimizer(),
        outputs=map_leaves(
            records_as_dicts(outputs),
            "",
            lambda name, leaf: next(named) if is_tensor(leaf) else None,
        ),
        box=TENSOR,
        link=link,
    )


def make_plain_session(graph: Graph, options: CompileOptions) -> Session:
    """Make a session for a program whose results are arrays."""
    return Session(
        graph, backend=options.backend, threads=options.threads, optimize=options.optimizer()
    )
