"""The optional peers, and settings that give all of them the same threads."""

import functools
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import sys
import warnings
from typing import Any

THREAD_VARIABLES = (
    "GRAPHC_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
SHORT_SPIN = {"OPENBLAS_THREAD_TIMEOUT": "20"}
"""numpy's idle threads sleep after 2**20 ticks: by default they disturb who has the next turn."""
HOW = (
    "threads are limited by environment variables (graphc, BLAS, OpenMP), torch.set_num_threads "
    "and the process's affinity (JAX)"
)


def limit_threads(threads: int) -> None:
    """Start this process again unless all libraries will use this many threads.

    They read the variables when they are loaded. On Linux the process is also bound to that many
    processors, which is what JAX goes by.
    """
    wanted = str(threads)
    if all(os.environ.get(name) == wanted for name in THREAD_VARIABLES):
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
        return
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, wanted), **SHORT_SPIN}
    command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
    os.execve(sys.executable, command, environment)


def threads() -> int:
    """What ``limit_threads`` has set; 1 without it."""
    return int(os.environ.get("GRAPHC_NUM_THREADS") or 1)


@functools.cache
def find(module: str) -> Any | None:
    """The module if it is installed, with the settings that suit it best."""
    if importlib.util.find_spec(module) is None:
        return None
    found = importlib.import_module(module)
    if module == "torch":
        found.set_num_threads(threads())
        found.set_num_interop_threads(1)
        logging.getLogger("torch").setLevel(logging.ERROR)  # it warns of its own defaults
        warnings.filterwarnings("ignore", module="torch")
    if module == "jax":  # handing each call to another thread makes short ones slower
        found.config.update("jax_cpu_enable_async_dispatch", False)
    return found


def versions() -> str:
    """Names and versions of all that takes part."""
    parts = ("numpy", "llvmlite", "torch", "jax")
    present = [name for name in parts if importlib.util.find_spec(name) is not None]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in present)
