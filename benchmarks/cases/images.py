"""One training step of a convolutional network with SGD: forward, backward, update."""

from collections.abc import Callable

from benchmarks.case import Case, Job
from benchmarks.images import by_graphc, by_jax, by_torch
from benchmarks.images.problem import Problem, lenet, residual
from benchmarks.jobs import training_job

BATCH = 64


def image_case(name: str, problem_of: Callable[[int], Problem]) -> Case:
    """The case of a network; ``quick`` divides the batch by eight."""

    def make(quick: bool) -> Job:
        problem = problem_of(BATCH // 8 if quick else BATCH)
        return training_job(problem, by_graphc, by_torch, by_jax, quick=quick)

    return Case(f"{name}, batch {BATCH}: one SGD step", make)


IMAGES = (
    image_case("LeNet-5 28x28", lenet),
    image_case("ResNet 16-32-64 32x32", residual),
)
