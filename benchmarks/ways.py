"""The three ways to run a function of tensors in graphc."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import graphc as gc
from benchmarks.case import Run


@dataclass(frozen=True)
class Static:
    """A session and what it is fed with."""

    session: Any
    feed: dict[str, Any]

    def run(self) -> Any:
        """One run; the output as an array."""
        return self.session.run(self.feed)

    def profile(self) -> Any:
        """Times of the steps."""
        return self.session.profile(self.feed)


def dynamic(function: Callable[..., Any], **arrays: Any) -> Run:
    """Op by op."""
    tensors = [gc.tensor(array) for array in arrays.values()]
    return lambda: function(*tensors).numpy()


def compiled(function: Callable[..., Any], **arrays: Any) -> Run:
    """The function, by ``gc.compile``."""
    return dynamic(gc.compile(function), **arrays)


def static(function: Callable[..., Any], **arrays: Any) -> Static:
    """The graph, written by hand; fed with arrays."""
    with gc.Graph() as graph:
        inputs = [gc.placeholder(array.shape, array.dtype, name) for name, array in arrays.items()]
        result = function(*inputs)
    return Static(graph.compile(outputs=result), arrays)


def in_all_ways(
    make: Callable[[], Callable[..., Any]], **arrays: Any
) -> tuple[dict[str, Run], Callable[[], Any]]:
    """A function in all three ways, by their names, and what makes a profile of its session.

    Args:
        make: gives the function; each way gets one of its own, with parameters of its own.
        arrays: its arguments.
    """
    session = static(make(), **arrays)
    runs = {
        "graphc dynamic": dynamic(make(), **arrays),
        "graphc": compiled(make(), **arrays),
        "graphc session.run": session.run,
    }
    return runs, session.profile
