"""From a recorded program to a session: puts passes and runtime together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from graphc.errors import ArgumentError
from graphc.frontend.structure import flatten, map_leaves
from graphc.graph import Graph
from graphc.passes.base import PassRecord
from graphc.passes.pipeline import optimize
from graphc.runtime.session import Session

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

OptLevel = Literal["O0", "O1", "O2"]
Numerics = Literal["strict", "stable", "fast"]


def optimizer(
    level: OptLevel, disable: tuple[str, ...], numerics: Numerics, stop_after: str | None = None
) -> Callable[[Graph], tuple[Graph, list[PassRecord]]]:
    """The pipeline with these options, as a function of the graph that can be pickled."""
    return functools.partial(
        optimize, level=level, disable=disable, numerics=numerics, stop_after=stop_after
    )


def make_session(
    outputs: Any,
    program: Callable[[dict[str, Tensor]], Graph],
    *,
    backend: str = "llvm",
    optimize: OptLevel = "O2",
    disable: tuple[str, ...] = (),
    threads: int | None = None,
    numerics: Numerics = "strict",
) -> Session:
    """Make a session for nested outputs; the options are those of ``Graph.compile``.

    Args:
        outputs: nested structure of symbolic tensors.
        program: gives the graph that computes these named results.

    Raises:
        ArgumentError: for more than one thread, which native code does not use yet.
    """
    if threads not in (None, 1):
        raise ArgumentError(
            "threads: kernels run on one thread", got=str(threads), expected="None or 1"
        )
    names, tensors, rebuild = flatten(outputs)
    return Session(
        program(dict(zip(names, tensors, strict=True))),
        backend=backend,
        optimize=optimizer(optimize, disable, numerics),
        outputs=map_leaves(rebuild(names), "", _name_or_none),
    )


def _name_or_none(name: str, leaf: Any) -> str | None:
    """Results that are no tensors have no value in a session."""
    return leaf if isinstance(leaf, str) else None
