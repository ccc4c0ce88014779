"""The optional peers, and settings that give all of them the same threads."""

import functools
import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from typing import Any

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def limit_threads(threads: int) -> None:
    """Start this process again unless all libraries will use this many threads.

    They read the variables when they are loaded. On Linux the process is also bound to that many
    processors, which is what JAX goes by.
    """
    wanted = str(threads)
    if all(os.environ.get(name) == wanted for name in THREAD_VARIABLES):
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        return
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, wanted)}
    command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
    os.execve(sys.executable, command, environment)


@functools.cache
def find(module: str) -> Any | None:
    """The module if it is installed."""
    if importlib.util.find_spec(module) is None:
        return None
    found = importlib.import_module(module)
    if module == "torch":
        found.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return found


def versions() -> str:
    """Names and versions of all that takes part."""
    parts = ("numpy", "llvmlite", "torch", "jax")
    present = [name for name in parts if importlib.util.find_spec(name) is not None]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in present)


def torch_compiled(function: Callable[..., Any], example: Callable[..., Any]) -> Any | None:
    """``torch.compile`` of a function that ran once; None where it has no C++ compiler or fails.

    Args:
        function: what to compile.
        example: calls the compiled function with arguments like those to come.
    """
    torch = find("torch")
    if torch is None or not any(map(shutil.which, ("g++", "clang++", "cl"))):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own defaults
        compiled = torch.compile(function)
        try:
            example(compiled)
        except Exception as error:  # a peer that does not work here must not stop the others
            print(f"torch.compile is left out: {type(error).__name__}", file=sys.stderr)
            return None
    return compiled
