"""Weights by length and direction, under the older names of parameters."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from graphc.frontend.modes import no_grad
from graphc.frontend.nn.derived import Derived, derive
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.nn.utils.derived_weights import (
    derivation_of,
    make_parameter_again,
    weight_to_replace,
)
from graphc.frontend.nn.utils.norm_except import norm_except, normed
from graphc.frontend.tensor import Tensor

M = TypeVar("M", bound=Module)


class WeightNorm(Derived):
    """The weight of its length ``weight_g`` and direction ``weight_v``.

    Args:
        dim: over all other dims goes the norm; -1 for over all dims.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def value(self, module: Any, name: str) -> Tensor:
        """The weight now."""
        return normed(getattr(module, f"{name}_v"), getattr(module, f"{name}_g"), self.dim)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Train the length and the direction of a weight apart from each other.

    The parameter becomes two, ``weight_g`` and ``weight_v``. PyTorch and graphc advise
    ``nn.utils.parametrizations.weight_norm``. The weight is computed where it is read.

    Args:
        module: the module.
        name: the parameter.
        dim: its norm goes over all other dims; None for over all.

    Returns:
        The module.

    Raises:
        ArgumentError: if the parameter is normed already, or has no shape yet.

    Source: ``torch.nn.utils.weight_norm``.
    """
    warnings.warn(
        "nn.utils.weight_norm is deprecated in favor of nn.utils.parametrizations.weight_norm",
        FutureWarning,
        stacklevel=2,
    )
    weight = weight_to_replace("weight_norm", module, name)
    kept = -1 if dim is None else dim
    with no_grad():
        length = norm_except(weight, kept)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(length))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    derive(module, name, WeightNorm(kept))
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Let a weight be one parameter again.

    Args:
        module: the module.
        name: the parameter.

    Returns:
        The module.

    Raises:
        ArgumentError: if it is not normed.

    Source: ``torch.nn.utils.remove_weight_norm``.
    """
    derivation_of("weight_norm", WeightNorm, module, name)
    make_parameter_again(module, name, ("_g", "_v"))
    return module
