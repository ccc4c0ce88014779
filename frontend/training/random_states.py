"""The global sources of random numbers that a training script draws from."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.frontend.functions.generators import get_rng_state, set_rng_state


def random_states() -> dict[str, Any]:
    """The states of graphc's, numpy's and Python's global generators."""
    return {
        "graphc": get_rng_state(),
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002 - what scripts may draw from
        "python": random.getstate(),
    }


def set_random_states(states: Mapping[str, Any]) -> None:
    """Go back to what ``random_states`` gave."""
    set_rng_state(states["graphc"])
    np.random.set_state(states["numpy"])  # noqa: NPY002 - as above
    random.setstate(states["python"])
