"""What the norms of weights share: a parameter becomes computed, and a parameter again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from graphc.errors import ArgumentError
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.derived import Derived, underive
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.nn.uninitialized import is_lazy
from graphc.frontend.nn.utils.parametrize import value_of
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

D = TypeVar("D", bound=Derived)


def weight_to_replace(what: str, module: Module, name: str) -> Tensor:
    """The parameter that shall be computed from now on.

    Args:
        what: the norm, for errors.
        module: the module.
        name: the parameter.

    Raises:
        ArgumentError: if it is computed already, or has no shape yet.
    """
    if name in module._derived_tensors:
        raise ArgumentError(
            f"{what}: {name!r} of {type(module).__name__} is computed already",
            where=user_location_text(),
        )
    weight = value_of(module, name)
    if is_lazy(weight):
        raise ArgumentError(
            f"{what}: the parameter has no shape yet", fix="call the module once before",
            where=user_location_text(),
        )  # fmt: skip
    return weight


def derivation_of(what: str, kind: type[D], module: Module, name: str) -> D:
    """How a weight is computed.

    Raises:
        ArgumentError: if it is not computed in this way.
    """
    found = module._derived_tensors.get(name)
    if not isinstance(found, kind):
        raise ArgumentError(
            f"{what} of {name!r} not found in {type(module).__name__}",
            where=user_location_text(),
        )
    return found


def make_parameter_again(module: Module, name: str, suffixes: Iterable[str]) -> None:
    """Let a computed weight be a parameter with the value that it has now.

    Args:
        module: the module.
        name: the weight.
        suffixes: of the names of the tensors that it was computed of, which go.
    """
    with no_grad():
        weight = getattr(module, name)
    underive(module, name)
    for suffix in suffixes:
        delattr(module, name + suffix)
    module.register_parameter(name, Parameter(weight))
