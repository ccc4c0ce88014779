"""One training step of a perceptron with Adam: gradients to zero, forward, backward, update."""

from collections.abc import Sequence

from benchmarks.case import Case, Job
from benchmarks.jobs import training_job
from benchmarks.mlp import by_graphc, by_jax, by_numpy, by_torch
from benchmarks.mlp.problem import make_problem

DIGITS = ((784, 512, 512, 10), 128)
WIDE = ((1024, 2048, 2048, 1000), 256)
TINY = ((4, 64, 64, 2), 32)


def training_case(sizes: Sequence[int], batch: int) -> Case:
    """The case of some layer sizes; ``quick`` divides the batch, and large layers, by four."""

    def make(quick: bool) -> Job:
        small = [size // 4 if size > 1000 else size for size in sizes]
        problem = make_problem(small, batch // 4) if quick else make_problem(sizes, batch)
        others = {"numpy": by_numpy.training(problem)}
        return training_job(problem, by_graphc, by_torch, by_jax, quick=quick, others=others)

    name = "-".join(map(str, sizes))
    return Case(f"MLP {name}, batch {batch}: one Adam step", make)


TRAINING = tuple(training_case(*which) for which in (DIGITS, WIDE, TINY))
