"""Modules without start values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from graphc.errors import ArgumentError
from graphc.frontend.functions.generators import fork_rng
from graphc.frontend.nn.module import Module
from graphc.provenance import user_location_text

M = TypeVar("M", bound=Module)


def skip_init(module_cls: Callable[..., M], *args: Any, **kwargs: Any) -> M:
    """A module whose parameters and buffers are zeros, made without drawing random numbers.

    Args:
        module_cls: a class of modules that takes a ``device``.
        args: what the module is made with.
        kwargs: the same by keyword.

    Raises:
        ArgumentError: for any other class.

    Source: ``torch.nn.utils.skip_init``.

    Example:
        >>> from graphc import nn
        >>> nn.utils.skip_init(nn.Linear, 2, 1).weight.tolist()
        [[0.0, 0.0]]
    """
    made_by = module_cls
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise ArgumentError(
            "skip_init: expected a class of modules", got=repr(module_cls),
            where=user_location_text(),
        )  # fmt: skip
    if "device" not in inspect.signature(module_cls).parameters:
        raise ArgumentError(
            f"skip_init: {module_cls.__name__} takes no device", where=user_location_text()
        )
    with fork_rng():
        made = made_by(*args, **kwargs)
    return made.to_empty(device="cpu")
