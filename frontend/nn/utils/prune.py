"""Zeros in parameters: ``torch.nn.utils.prune``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from graphc.errors import ArgumentError, ArgumentTypeError
from graphc.frontend.functions.creation import ones_like
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.utils.pruning import BasePruningMethod, PruningContainer
from graphc.frontend.nn.utils.pruning_methods import (
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    RandomStructured,
    RandomUnstructured,
)
from graphc.frontend.nn.utils.vectors import parameters_to_vector
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

M = TypeVar("M", bound=Module)


def identity(module: M, name: str) -> M:
    """Give a parameter a mask of ones, and change nothing.

    Source: ``torch.nn.utils.prune.identity``.
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float) -> M:
    """Set some elements of a parameter to zero, at random.

    Args:
        module: the module.
        name: the parameter.
        amount: how many: a fraction (float) or a count (int).

    Returns:
        The module.

    Source: ``torch.nn.utils.prune.random_unstructured``.
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: M, name: str, amount: float, importance_scores: Tensor | None = None
) -> M:
    """Set the elements of a parameter that are nearest to zero to zero.

    Args:
        module: the module.
        name: the parameter.
        amount: how many: a fraction (float) or a count (int).
        importance_scores: the magnitudes that count; default: those of the parameter.

    Returns:
        The module.

    Source: ``torch.nn.utils.prune.l1_unstructured``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> layer = nn.Linear(3, 1, bias=False)
        >>> layer.load_state_dict({"weight": gc.tensor([[1.0, -5.0, 3.0]])})
        <All keys matched successfully>
        >>> nn.utils.prune.l1_unstructured(layer, "weight", 1).weight.tolist()
        [[0.0, -5.0, 3.0]]
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Set whole channels of a parameter to zero, at random.

    Args:
        module: the module.
        name: the parameter.
        amount: how many: a fraction (float) or a count (int).
        dim: the dim of the channels.

    Returns:
        The module.

    Source: ``torch.nn.utils.prune.random_structured``.
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None
) -> M:
    """Set the channels of a parameter that have the smallest norms to zero.

    Args:
        module: the module.
        name: the parameter.
        amount: how many: a fraction (float) or a count (int).
        n: which norm; see ``gc.norm``.
        dim: the dim of the channels.
        importance_scores: the values that count; default: those of the parameter.

    Returns:
        The module.

    Source: ``torch.nn.utils.prune.ln_structured``.
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Set the elements of a parameter to zero where a mask has zeros.

    Source: ``torch.nn.utils.prune.custom_from_mask``.
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
    importance_scores: Mapping[tuple[Module, str], Tensor] | None = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Prune several parameters as if they were one.

    Args:
        parameters: modules and names.
        pruning_method: a class of unstructured methods.
        importance_scores: by module and name, which elements matter; default: their values.
        kwargs: what the method is made with, such as ``amount``.

    Raises:
        ArgumentTypeError: for a method that is not unstructured.

    Source: ``torch.nn.utils.prune.global_unstructured``.
    """
    if not isinstance(parameters, Iterable):
        raise ArgumentTypeError(
            "global_unstructured: expected pairs of module and name",
            got=type(parameters).__name__, where=user_location_text(),
        )  # fmt: skip
    places, scores = list(parameters), dict(importance_scores or {})
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise ArgumentTypeError(
            'global_unstructured: only methods of PRUNING_TYPE "unstructured" are supported',
            got=repr(method.PRUNING_TYPE), where=user_location_text(),
        )  # fmt: skip
    method._tensor_name = "temp"
    values = [getattr(module, name).detach() for module, name in places]
    importance = [scores.get(place, x) for place, x in zip(places, values, strict=True)]
    masks = [
        getattr(module, f"{name}_mask", None) for module, name in places
    ]  # fmt: skip
    present = [
        ones_like(x) if mask is None else mask for x, mask in zip(values, masks, strict=True)
    ]
    final = PruningContainer(method).compute_mask(
        parameters_to_vector([each.detach() for each in importance]), parameters_to_vector(present)
    )
    start = 0
    for (module, name), x in zip(places, values, strict=True):
        count = int(x.numel())
        custom_from_mask(module, name, reshape(final[start : start + count], x.shape))
        start += count


def remove(module: M, name: str) -> M:
    """Let a pruned parameter be one again, with its zeros.

    Returns:
        The module.

    Raises:
        ArgumentError: if it is not pruned.

    Source: ``torch.nn.utils.prune.remove``.
    """
    method = module._derived_tensors.get(name)
    if not isinstance(method, BasePruningMethod):
        raise ArgumentError(
            f"prune: {name!r} of {type(module).__name__} has to be pruned before pruning can be "
            "removed",
            where=user_location_text(),
        )
    method.remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether some parameter of a module, or of one below, is pruned.

    Source: ``torch.nn.utils.prune.is_pruned``.
    """
    return any(
        isinstance(source, BasePruningMethod)
        for each in module.modules()
        for source in each._derived_tensors.values()
    )
