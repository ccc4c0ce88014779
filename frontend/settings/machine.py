"""PyTorch's questions about the machine, and its settings that are always so here."""

from __future__ import annotations

import os

from graphc.config import NUM_THREADS
from graphc.errors import ArgumentError
from graphc.frontend.settings.devices import CPU, Device, DeviceLike, require_cpu
from graphc.provenance import user_location_text
from graphc.runtime.threads import checked_threads, default_threads

_precision = ["highest"]


def get_num_threads() -> int:
    """How many threads a program gets that is compiled now (``torch.get_num_threads``)."""
    return default_threads()


def set_num_threads(num: int) -> None:
    """How many threads programs get that are compiled from now on (``torch.set_num_threads``).

    The results are the same for any number. It is the setting ``GRAPHC_NUM_THREADS``.

    Raises:
        ArgumentError: for no thread, or too many.
    """
    os.environ[f"GRAPHC_{NUM_THREADS.name}"] = str(checked_threads(num, "set_num_threads"))


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted for PyTorch's sake: results are always deterministic."""


def are_deterministic_algorithms_enabled() -> bool:
    """True: there are no others (``torch.are_deterministic_algorithms_enabled``)."""
    return True


def set_float32_matmul_precision(precision: str) -> None:
    """Permit less precise products; graphc computes all of them in full precision.

    Raises:
        ArgumentError: for another word than PyTorch's.

    Source: ``torch.set_float32_matmul_precision``.
    """
    if precision not in ("highest", "high", "medium"):
        raise ArgumentError(
            "unknown precision of products", got=repr(precision), expected="highest, high, medium",
            where=user_location_text(),
        )  # fmt: skip
    _precision[0] = precision


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was told (``torch.get_float32_matmul_precision``)."""
    return _precision[0]


def get_default_device() -> Device:
    """The CPU (``torch.get_default_device``)."""
    return CPU


def set_default_device(device: DeviceLike) -> None:
    """Raise ArgumentError unless it is the CPU (``torch.set_default_device``)."""
    require_cpu(device)
