"""``graphc doctor``: what this machine offers, and what graphc makes of it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from graphc.config import FLAGS
from graphc.runtime.disk_cache import open_cache
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.entry.objects import are_as_expected
from graphc.runtime.llvm.pool import system
from graphc.runtime.threads import default_threads


def print_diagnosis() -> None:
    """Print versions, the instruction set in use, the cache and the settings."""
    target, cache = host_target(), open_cache()
    rows = [
        ("graphc", version("graphc")),
        ("python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        *((name, version(name)) for name in ("numpy", "llvmlite", "scipy", "networkx")),
        ("processor", target.cpu),
        ("instruction set", f"{target.isa}, {target.vector_bits} bits"),
        ("usable processors", str(_usable_processors())),
        ("threads of a session", str(default_threads())),
        ("idle threads sleep by", "condition" if system.futex_call() is None else "futex"),
        ("native calls", "yes" if are_as_expected() else "no: unexpected layout of numpy arrays"),
        ("kernel cache", f"{cache.status}: {cache.directory or 'no directory'}"),
        *((f"GRAPHC_{flag.name}", f"{flag.text() or '(not set)'}: {flag.doc}") for flag in FLAGS),
    ]
    table = Table(show_header=False)
    for label, text in rows:
        table.add_row(label, text)
    Console(highlight=False).print(table)


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
