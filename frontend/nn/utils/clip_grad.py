"""Limits on gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from graphc.dtypes import float32
from graphc.errors import AutogradError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions.choosing import clamp
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.norms import norm
from graphc.frontend.functions.pieces import stack
from graphc.frontend.functions.pointwise import add, div, mul
from graphc.frontend.functions.shaping import reshape
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.parameter import zeros
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    found = (parameter.grad for parameter in _several(parameters))
    return [grad for grad in found if grad is not None]


def _several(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if is_tensor(tensors) else list(tensors)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of some tensors together, 0-d.

    Args:
        tensors: the tensors.
        norm_type: which norm; may be ``inf``.
        error_if_nonfinite: raise if the norm is NaN or infinite; dynamic mode only.
        foreach: accepted, without meaning.

    Raises:
        AutogradError: if the norm is not finite and ``error_if_nonfinite`` is set.

    Source: ``torch.nn.utils.get_total_norm``.
    """
    given = _several(tensors)
    if not given:
        return zeros((), float32)
    each = stack([norm(reshape(x, (-1,)), norm_type) for x in given])
    total = norm(each, norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise AutogradError(
            "the total norm of the gradients is not finite", got=str(total.item()),
            fix="error_if_nonfinite=False scales by it", where=user_location_text(),
        )  # fmt: skip
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients in place by ``max_norm / total_norm``, if that is less than 1.

    Args:
        parameters: tensors whose ``grad`` to scale; those without one are left out.
        max_norm: the limit.
        total_norm: the norm of the gradients, as ``get_total_norm`` gives it.
        foreach: accepted, without meaning.

    Source: ``torch.nn.utils.clip_grads_with_norm_``.
    """
    with no_grad():
        scale = clamp(div(float(max_norm), add(total_norm, 1e-6)), max=1.0)
        for grad in _gradients(parameters):
            grad.copy_(mul(grad, cast(scale, grad.dtype)))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients in place so that their common norm is at most ``max_norm``.

    Args:
        parameters: tensors whose ``grad`` to scale; those without one are left out.
        max_norm: the limit.
        norm_type: which norm; may be ``inf``.
        error_if_nonfinite: raise if the norm is NaN or infinite; dynamic mode only.
        foreach: accepted, without meaning.

    Returns:
        The norm before, 0-d.

    Raises:
        AutogradError: if the norm is not finite and ``error_if_nonfinite`` is set.

    Source: ``torch.nn.utils.clip_grad_norm_``.
    """
    given = _several(parameters)
    with no_grad():
        total = get_total_norm(_gradients(given), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(given, max_norm, total, foreach)
    return total


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limit every element of all gradients to ``-clip_value .. clip_value``, in place.

    Args:
        parameters: tensors whose ``grad`` to limit; those without one are left out.
        clip_value: the limit.
        foreach: accepted, without meaning.

    Source: ``torch.nn.utils.clip_grad_value_``.
    """
    with no_grad():
        for grad in _gradients(parameters):
            grad.copy_(clamp(grad, -clip_value, clip_value))
