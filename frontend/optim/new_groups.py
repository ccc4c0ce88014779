"""Groups of parameters as users write them, checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError, ArgumentTypeError
from graphc.frontend.optim.checks import refuse
from graphc.frontend.optim.group import Members
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.optim.optimizer import Optimizer

Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
"""Tensors, groups of them, or tensors with their names."""


def as_groups(params: Params) -> list[dict[str, Any]]:
    """What an optimizer is made for, as groups.

    Raises:
        ArgumentTypeError: for one tensor.
        ArgumentError: for none.
    """
    if isinstance(params, Tensor):
        raise ArgumentTypeError(
            "an optimizer needs a list of parameters", got="one tensor", fix="wrap it in a list",
            where=user_location_text(),
        )  # fmt: skip
    if isinstance(params, set | frozenset):
        return [{"params": params}]
    given: list[Any] = list(params)
    if not given:
        raise ArgumentError("the list of parameters is empty", where=user_location_text())
    return given if isinstance(given[0], dict) else [{"params": given}]


def new_group(optimizer: Optimizer, param_group: Any) -> dict[str, Any]:
    """A group that an optimizer can take, with defaults for the options that it lacks.

    Raises:
        ArgumentError: see ``Optimizer.add_param_group``.
    """
    if not isinstance(param_group, dict) or "params" not in param_group:
        what = "a group must be a dict with 'params'"
        refuse(optimizer, what, type(param_group).__name__, kind=ArgumentTypeError)
    given = param_group["params"]
    if isinstance(given, set | frozenset):
        refuse(optimizer, "parameters need an order", "a set", "pass a list", ArgumentTypeError)
    params: list[Any] = [given] if isinstance(given, Tensor) else list(given)
    group = {"params": [], **optimizer.defaults, **param_group}
    named = [isinstance(each, tuple) for each in params]
    if any(named) and not all(named):
        refuse(optimizer, "all parameters of a group must have names, or none", "some")
    if any(named):
        group["param_names"] = Members(name for name, _ in params)
        params = [param for _, param in params]
    group["params"] = Members(params)
    known = {id(param) for each in optimizer.param_groups for param in each["params"]}
    for param in params:
        is_tensor = isinstance(param, Tensor)
        if not is_tensor or param.is_symbolic or not param.is_leaf:
            refuse(
                optimizer, "only leaf tensors can be optimized", type(param).__name__,
                "pass model.parameters()", ArgumentError if is_tensor else ArgumentTypeError,
            )  # fmt: skip
        if id(param) in known:
            refuse(optimizer, "a parameter appears twice", str(param.type))
        known.add(id(param))
    return group
