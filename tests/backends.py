"""The executions that tests compare: every backend at every level that it is tested at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.frontend.compile.options import OptLevel


@dataclass(frozen=True)
class Execution:
    """One way to run a compiled program.

    Args:
        backend: the backend's name.
        optimize: the level.
        exact: whether its results are dynamic mode's bit for bit.
    """

    backend: str
    optimize: OptLevel
    exact: bool

    def __str__(self) -> str:
        return f"{self.backend}-{self.optimize}"

    def options(self, **more: Any) -> dict[str, Any]:
        """What ``compile`` takes."""
        return {"backend": self.backend, "optimize": self.optimize, **more}


EXECUTIONS = [
    Execution("numpy", "O0", exact=True),
    Execution("numpy", "O1", exact=True),
    Execution("numpy", "O2", exact=True),
    Execution("llvm", "O0", exact=False),
    Execution("llvm", "O2", exact=False),
]
OPTIMIZED = [one for one in EXECUTIONS if one.optimize == "O2"]
BACKENDS = [one.backend for one in OPTIMIZED]
