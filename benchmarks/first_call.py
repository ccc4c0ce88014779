"""``python -m benchmarks.first_call PEER``: seconds of the first training step in this process.

Prints two numbers: the seconds without those spent in import statements, and these. A library may
import parts of itself when they are first needed; how long that takes is another question.
"""

import builtins
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.cases.training import DIGITS
from benchmarks.mlp import by_graphc, by_jax, by_torch
from benchmarks.mlp.problem import Problem, make_problem
from benchmarks.peers import find
from benchmarks.ways import compiled

STEPS: dict[str, Callable[[Problem], Callable[[], Any]]] = {
    "graphc": lambda problem: compiled(by_graphc.training_step(problem), x=problem.x, y=problem.y),
    "torch": lambda problem: by_torch.training(find("torch"), problem, compiled=False)["torch"],
    "torch.compile": lambda problem: by_torch.training(find("torch"), problem, compiled=True)[
        "torch.compile step"
    ],
    "jax.jit": lambda problem: by_jax.training(find("jax"), problem),
}


class ImportClock:
    """Counts the seconds of the outermost import statements while it is entered."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._plain = builtins.__import__

    def __enter__(self) -> "ImportClock":
        builtins.__import__ = self._timed
        return self

    def __exit__(self, *_: object) -> None:
        builtins.__import__ = self._plain

    def _timed(self, *args: Any, **kwargs: Any) -> Any:
        self._depth += 1
        start = time.perf_counter()
        try:
            return self._plain(*args, **kwargs)
        finally:
            self._depth -= 1
            if not self._depth:
                self.seconds += time.perf_counter() - start


def main() -> None:
    run = STEPS[sys.argv[1]](make_problem(*DIGITS))
    with ImportClock() as imports:
        start = time.perf_counter()
        run()
        whole = time.perf_counter() - start
    print(whole - imports.seconds, imports.seconds)


if __name__ == "__main__":
    main()
