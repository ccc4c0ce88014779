"""The forward run of a perceptron for one input."""

from functools import partial

from benchmarks.case import Case, Job
from benchmarks.cases.training import DIGITS
from benchmarks.mlp import by_graphc, by_jax, by_numpy, by_torch
from benchmarks.mlp.problem import make_problem
from benchmarks.peers import find
from benchmarks.ways import in_all_ways


def _make(quick: bool) -> Job:
    problem = make_problem(DIGITS[0], 1)
    ways, profile = in_all_ways(partial(by_graphc.forward, problem), x=problem.x)
    runs = {"numpy": by_numpy.forward(problem), **ways}
    torch, jax = find("torch"), find("jax")
    if torch is not None:
        runs |= by_torch.forward(torch, problem, compiled=not quick)
    if jax is not None:
        runs["jax.jit"] = by_jax.forward(jax, problem)
    return Job(runs, tolerance=1e-5, profile=profile)


FORWARD = Case("MLP 784-512-512-10, forward, batch 1", _make)
