"""The backends by name."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable

from graphc.errors import ArgumentError, did_you_mean
from graphc.runtime.backend import Backend
from graphc.runtime.threads import checked_threads, default_threads

_BACKENDS = {  # loaded on first use: a hundred modules of code generation are no one's import
    "numpy": "graphc.runtime.numpy_backend:NumpyBackend",
    "llvm": "graphc.runtime.llvm.backend:LlvmBackend",
}


def get_backend(name: str, threads: int | None = None) -> Backend:
    """The backend with this name, ``llvm`` or ``numpy``.

    Args:
        name: which one.
        threads: how many may work on one run; default: ``default_threads()``.

    Raises:
        ArgumentError: if there is none, or for a wrong number of threads.

    Example:
        >>> get_backend("numpy").name
        'numpy'
    """
    if name not in _BACKENDS:
        raise ArgumentError(
            f"unknown backend {name!r}",
            expected=" or ".join(_BACKENDS),
            fix=did_you_mean(name, _BACKENDS),
        )
    make: Callable[[int], Backend] = pkgutil.resolve_name(_BACKENDS[name])
    return make(default_threads() if threads is None else checked_threads(threads))
