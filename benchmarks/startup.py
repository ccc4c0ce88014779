"""How long it takes until something runs: importing a library, and the first training step."""

import os
import subprocess
import sys
import tempfile

from benchmarks.peers import find
from benchmarks.timing import Timing

IMPORTS = {
    "numpy": "numpy",
    "graphc": "graphc",
    "graphc, nn and the compiler": "graphc.nn, graphc.optim, graphc.frontend.compile.function",
    "torch": "torch",
    "jax": "jax",
}
"""What is imported, by label: graphc loads some parts when they are first used."""
_IMPORT = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"

FIRST = {"graphc": "graphc", "torch": "torch", "jax.jit": "jax", "torch.compile": "torch"}
"""Forms of the training step, and the modules that they need."""
CACHES = ("GRAPHC_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "JAX_COMPILATION_CACHE_DIR")
EAGER_CACHES = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
"""What makes JAX keep short compilations as well."""


def import_times(rounds: int) -> dict[str, Timing]:
    """Seconds of ``import`` in fresh processes that take turns."""
    present = [name for name, what in IMPORTS.items() if find(what.split(".")[0]) is not None]
    samples: dict[str, list[float]] = {name: [] for name in present}
    for _ in range(rounds):
        for name in present:
            samples[name].append(_numbers("-c", _IMPORT.format(IMPORTS[name]))[0])
    return {name: Timing(tuple(values)) for name, values in samples.items()}


def first_calls(rounds: int, quick: bool) -> dict[str, Timing]:
    """Seconds of the first training step of a process, import statements excluded.

    Compilers are measured with an empty cache on disk, and again with the cache that this left.
    For graphc, what its own imports in this step take is listed as well.
    """
    peers = [peer for peer, module in FIRST.items() if find(module) is not None]
    samples: dict[str, list[float]] = {}
    for turn in range(rounds):
        for peer in peers:
            if peer == "torch.compile" and (quick or turn):  # once is long enough
                continue
            with tempfile.TemporaryDirectory() as folder:
                caches = dict.fromkeys(CACHES, folder) | EAGER_CACHES
                for state in ("cold", "warm"):
                    seconds, imports = _numbers("-m", "benchmarks.first_call", peer, **caches)
                    samples.setdefault(f"{peer}, {state}", []).append(seconds)
                    if peer == "graphc":
                        samples.setdefault(f"graphc imports, {state}", []).append(imports)
    return {name: Timing(tuple(values)) for name, values in samples.items()}


def _numbers(*command: str, **environment: str) -> list[float]:
    """What a new Python process prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return [float(number) for number in done.stdout.split()]
