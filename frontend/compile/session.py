"""From a recorded program to a session: puts passes and runtime together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.frontend.base import is_tensor
from graphc.frontend.compile.options import CompileOptions
from graphc.frontend.compile.tensor_box import TENSOR_BOX
from graphc.frontend.structure import flatten, map_leaves, records_as_dicts
from graphc.graph import Graph
from graphc.runtime.sessions.session import Link, Session

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


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
        box=TENSOR_BOX,
        link=link,
    )


def make_plain_session(graph: Graph, options: CompileOptions) -> Session:
    """Make a session for a program whose results are arrays."""
    return Session(
        graph, backend=options.backend, threads=options.threads, optimize=options.optimizer()
    )
