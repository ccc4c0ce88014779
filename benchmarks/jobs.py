"""One job for graphc, in all its ways, and for the peers that are installed."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from benchmarks.case import Job, Run
from benchmarks.peers import find
from benchmarks.ways import in_all_ways

TOLERANCE = 1e-5
"""Of the losses of the first steps; a step of the perceptron changes them by six times as much."""


def training_job(
    problem: Any, by_graphc: Any, by_torch: Any, by_jax: Any, *, quick: bool,
    others: Mapping[str, Run] | None = None,
) -> Job:  # fmt: skip
    """One training step.

    Args:
        problem: its data, and how much arithmetic it is.
        by_graphc: the module that has ``training_step(problem)``.
        by_torch: the module that has ``training(torch, problem, compiled=)``.
        by_jax: the module that has ``training(jax, problem)``.
        quick: leave out peers that take long to compile.
        others: runs of further peers, which come first.
    """
    make = partial(by_graphc.training_step, problem)
    runs, profile = in_all_ways(make, x=problem.x, y=problem.y)
    runs = {**(others or {}), **runs}
    torch, jax = find("torch"), find("jax")
    if torch is not None:
        runs |= by_torch.training(torch, problem, compiled=not quick)
    if jax is not None:
        runs["jax.jit"] = by_jax.training(jax, problem)
    return Job(runs, TOLERANCE, flops=problem.flops, profile=profile)
