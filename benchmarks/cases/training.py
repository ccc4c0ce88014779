"""One training step of a perceptron with Adam: gradients to zero, forward, backward, update."""

from collections.abc import Sequence

from benchmarks.case import Case, Job
from benchmarks.mlp import by_graphc, by_jax, by_numpy, by_torch
from benchmarks.mlp.problem import make_problem
from benchmarks.peers import find

TOLERANCE = 1e-5
"""Of the losses of the first steps; a step changes them by at least six times as much."""

DIGITS = ((784, 512, 512, 10), 128)
WIDE = ((1024, 2048, 2048, 1000), 256)
TINY = ((4, 64, 64, 2), 32)


def training_case(sizes: Sequence[int], batch: int) -> Case:
    """The case of some layer sizes; ``quick`` divides the batch, and large layers, by four."""

    def make(quick: bool) -> Job:
        small = [size // 4 if size > 1000 else size for size in sizes]
        problem = make_problem(small, batch // 4) if quick else make_problem(sizes, batch)
        session = by_graphc.training_session(problem)
        runs = {
            "numpy": by_numpy.training(problem),
            "graphc dynamic": by_graphc.training_dynamic(problem),
            "graphc": by_graphc.training_compiled(problem),
            "graphc session.run": session.run,
        }
        torch, jax = find("torch"), find("jax")
        if torch is not None:
            runs |= by_torch.training(torch, problem, compiled=not quick)
        if jax is not None:
            runs["jax.jit"] = by_jax.training(jax, problem)
        return Job(runs, TOLERANCE, flops=problem.flops, profile=session.profile)

    name = "-".join(map(str, sizes))
    return Case(f"MLP {name}, batch {batch}: one Adam step", make)


TRAINING = tuple(training_case(*which) for which in (DIGITS, WIDE, TINY))
