"""One training step of a convolutional network with SGD: forward, backward, update."""

from collections.abc import Callable

from benchmarks.case import Case, Job
from benchmarks.images import by_graphc, by_jax, by_torch
from benchmarks.images.problem import Problem, lenet, residual
from benchmarks.peers import find

TOLERANCE = 1e-5
"""Of the losses of the first steps."""

BATCH = 64


def image_case(name: str, problem_of: Callable[[int], Problem]) -> Case:
    """The case of a network; ``quick`` divides the batch by eight."""

    def make(quick: bool) -> Job:
        problem = problem_of(BATCH // 8 if quick else BATCH)
        session = by_graphc.training_session(problem)
        runs = {
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

    return Case(f"{name}, batch {BATCH}: one SGD step", make)


IMAGES = (
    image_case("LeNet-5 28x28", lenet),
    image_case("ResNet 16-32-64 32x32", residual),
)
