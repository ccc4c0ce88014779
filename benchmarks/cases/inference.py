"""The forward run of a perceptron for one input."""

from benchmarks.case import Case, Job
from benchmarks.cases.training import DIGITS
from benchmarks.mlp import by_graphc, by_jax, by_numpy, by_torch
from benchmarks.mlp.problem import make_problem
from benchmarks.peers import find


def _make(quick: bool) -> Job:
    problem = make_problem(DIGITS[0], 1)
    session = by_graphc.forward_session(problem)
    runs = {
        "numpy": by_numpy.forward(problem),
        "graphc dynamic": by_graphc.forward_dynamic(problem),
        "graphc": by_graphc.forward_compiled(problem),
        "graphc session.run": session.run,
    }
    torch, jax = find("torch"), find("jax")
    if torch is not None:
        runs |= by_torch.forward(torch, problem, compiled=not quick)
    if jax is not None:
        runs["jax.jit"] = by_jax.forward(jax, problem)
    return Job(runs, tolerance=1e-5, profile=session.profile)


FORWARD = Case("MLP 784-512-512-10, forward, batch 1", _make)
