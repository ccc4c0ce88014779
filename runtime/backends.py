"""The backends by name."""

from __future__ import annotations

from graphc.errors import ArgumentError, did_you_mean
from graphc.runtime.backend import Backend
from graphc.runtime.llvm.backend import BACKEND as LLVM
from graphc.runtime.numpy_backend import BACKEND as NUMPY

_BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (NUMPY, LLVM)}


def get_backend(name: str) -> Backend:
    """The backend with this name, ``llvm`` or ``numpy``.

    Raises:
        ArgumentError: if there is none.

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
    return _BACKENDS[name]
