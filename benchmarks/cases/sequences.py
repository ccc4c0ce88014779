"""One training step of an LSTM with Adam: forward, backward through time, update."""

from benchmarks.case import Case, Job
from benchmarks.peers import find
from benchmarks.sequences import by_graphc, by_jax, by_torch
from benchmarks.sequences.problem import make_problem

TOLERANCE = 1e-5
"""Of the losses of the first steps."""

SIZES = (64, 32, 64, 128)
"""Steps, batch, features, hidden."""


def sequence_case() -> Case:
    """The case; ``quick`` divides steps and batch by four."""
    steps, batch, features, hidden = SIZES

    def make(quick: bool) -> Job:
        part = 4 if quick else 1
        problem = make_problem(steps // part, batch // part, features, hidden)
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

    return Case(f"LSTM {features}-{hidden}, {steps} steps, batch {batch}: one Adam step", make)


SEQUENCES = (sequence_case(),)
