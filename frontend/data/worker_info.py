"""What a worker process knows about itself, and its random numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.frontend.functions.generators import Generator, default_generator, manual_seed


@dataclass(frozen=True)
class WorkerInfo:
    """About the worker process that runs this.

    Attributes:
        id: which worker, from 0 on.
        num_workers: how many there are.
        seed: the epoch's seed plus ``id``.
        dataset: this process's copy of the data set.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What this worker process is, or None outside of workers.

    Source: ``torch.utils.data.get_worker_info``.

    Example:
        >>> from graphc.utils.data import get_worker_info
        >>> get_worker_info() is None
        True
    """
    return _info


def set_worker_info(info: WorkerInfo) -> None:
    """Make this process a worker."""
    global _info
    _info = info


def draw_seed(generator: Generator | None) -> int:
    """A seed of 63 bits, from a generator or the global one; counts one call."""
    words = (generator or default_generator).bits((2,)).array()
    return int.from_bytes(words.tobytes(), "little") >> 1


def seed_everything(*entropy: int) -> None:
    """Seed ``random``, ``numpy.random`` and the global generator from these numbers."""
    words = np.random.SeedSequence(entropy).generate_state(8)
    np.random.seed(words[:4])  # noqa: NPY002  # what old code draws from
    random.seed(int.from_bytes(words[4:6].tobytes(), "little"))
    manual_seed(int.from_bytes(words[6:].tobytes(), "little"))
