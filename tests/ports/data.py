"""The same numbers for both libraries; ``torch`` is one of them."""

from __future__ import annotations

from typing import Any

import numpy as np

compiled = False
"""Whether ``fill`` gives compiled models."""

is_whole = False
"""Whether ``whole`` gives compiled steps."""


def normal(torch: Any, *shape: int, seed: int) -> Any:
    """Normal numbers, float32."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype("f"))


def uniform(torch: Any, *shape: int, seed: int) -> Any:
    """Numbers from 0 to 1, float32."""
    return torch.from_numpy(np.random.default_rng(seed).uniform(size=shape).astype("f"))


def integers(torch: Any, *shape: int, hi: int, seed: int) -> Any:
    """Integers below ``hi``, int64."""
    return torch.from_numpy(np.random.default_rng(seed).integers(0, hi, shape))


def fill(torch: Any, model: Any) -> Any:
    """The model with the same weights in both libraries: factors around 1, all others around 0."""
    rng = np.random.default_rng(77)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            around = 1.0 if parameter.ndim == 1 and "weight" in name else 0.0
            values = rng.normal(loc=around, scale=0.2, size=tuple(parameter.shape))
            parameter.copy_(torch.from_numpy(values.astype("f")))
    return torch.compile(model) if compiled else model


def whole(torch: Any, step: Any) -> Any:
    """A step of the training loop, as one compiled function if that is asked for."""
    return torch.compile(step) if is_whole else step
