"""One training step of an LSTM with Adam: forward, backward through time, update."""

from benchmarks.case import Case, Job
from benchmarks.jobs import training_job
from benchmarks.sequences import by_graphc, by_jax, by_torch
from benchmarks.sequences.problem import make_problem

SIZES = (64, 32, 64, 128)
"""Steps, batch, features, hidden."""


def sequence_case() -> Case:
    """The case; ``quick`` divides steps and batch by four."""
    steps, batch, features, hidden = SIZES

    def make(quick: bool) -> Job:
        part = 4 if quick else 1
        problem = make_problem(steps // part, batch // part, features, hidden)
        return training_job(problem, by_graphc, by_torch, by_jax, quick=quick)

    return Case(f"LSTM {features}-{hidden}, {steps} steps, batch {batch}: one Adam step", make)


SEQUENCES = (sequence_case(),)
