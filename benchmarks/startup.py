"""How long it takes until something runs: importing a library, and the first run of a program."""

import os
import subprocess
import sys
import tempfile

from benchmarks.peers import find
from benchmarks.timing import Timing, summary

IMPORTS = {"numpy": "numpy", "graphc": "graphc", "torch": "torch", "jax": "jax"}

_FIRST = {
    "graphc": """
import graphc as gc
x = gc.tensor([[0.5] * 64] * 64)
run = gc.compile(lambda x: gc.softmax(gc.tanh(x) * 2 + x, dim=1).sum())
call = lambda: run(x).numpy()
""",
    "torch.compile": """
import torch
x = torch.full((64, 64), 0.5)
run = torch.compile(lambda x: torch.softmax(torch.tanh(x) * 2 + x, dim=1).sum())
call = lambda: run(x).numpy()
""",
    "jax.jit": """
import jax, jax.numpy as jnp
x = jnp.full((64, 64), 0.5)
run = jax.jit(lambda x: jax.nn.softmax(jnp.tanh(x) * 2 + x, axis=1).sum())
call = lambda: run(x).block_until_ready()
""",
}
_TIMED = "import time; start = time.perf_counter()\n{}\nprint(time.perf_counter() - start)"


def import_times(rounds: int) -> dict[str, Timing]:
    """Seconds of ``import`` in fresh processes that take turns."""
    present = {peer: name for peer, name in IMPORTS.items() if find(name) is not None}
    samples: dict[str, list[float]] = {peer: [] for peer in present}
    for _ in range(rounds):
        for peer, name in present.items():
            samples[peer].append(_measure(_TIMED.format(f"import {name}")))
    return {peer: summary(values) for peer, values in samples.items()}


def first_runs(rounds: int, quick: bool) -> dict[str, Timing]:
    """Seconds from the first call of a compiled function to its result, imports excluded.

    graphc is measured with an empty cache on disk, and again with the cache that the first left.
    """
    peers = ["graphc", *(["jax.jit"] if find("jax") is not None else [])]
    if not quick and find("torch") is not None:
        peers.append("torch.compile")
    samples: dict[str, list[float]] = {}
    for _ in range(rounds):
        for peer in peers:
            code = _FIRST[peer] + _TIMED.format("call()")
            with tempfile.TemporaryDirectory() as folder:
                caches = {"GRAPHC_CACHE_DIR": folder, "TORCHINDUCTOR_CACHE_DIR": folder}
                samples.setdefault(f"{peer}, empty cache", []).append(_measure(code, caches))
                if peer == "graphc":
                    samples.setdefault("graphc, warm cache", []).append(_measure(code, caches))
    return {peer: summary(values) for peer, values in samples.items()}


def _measure(code: str, environment: dict[str, str] | None = None) -> float:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)
