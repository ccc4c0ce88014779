"""Limits on gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from graphc.dtypes import float32
from graphc.errors import AutogradError
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.norms import norm
from graphc.frontend.functions.pointwise import add, clamp, div, mul
from graphc.frontend.functions.shaping import reshape, stack
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.parameter import zeros
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, TensorBase) else parameters
    found = (parameter.grad for parameter in given)
    return [grad for grad in found if grad is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients in place so that their common norm is at most ``max_norm``.

    Args:
        parameters: tensors whose ``grad`` to scale; those without one are left out.
        max_norm: the limit.
        norm_type: which norm; may be ``inf``.
        error_if_nonfinite: raise if the norm is NaN or infinite; dynamic mode only.

    Returns:
        The norm before, 0-d.

    Raises:
        AutogradError: if the norm is not finite and ``error_if_nonfinite`` is set.

    Source: ``torch.nn.utils.clip_grad_norm_``.
    """
    grads = _gradients(parameters)
    with no_grad():
        if not grads:
            return zeros((), float32)
        each = stack([norm(reshape(grad, (-1,)), norm_type) for grad in grads])
        total = norm(each, norm_type)
        if error_if_nonfinite and not total.isfinite():
            raise AutogradError(
                "clip_grad_norm_: the norm of the gradients is not finite",
                got=str(total.item()), where=user_location_text(),
            )  # fmt: skip
        scale = clamp(div(max_norm, add(total, 1e-6)), max=1.0)
        for grad in grads:
            grad.copy_(mul(grad, cast(scale, grad.dtype)))
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit every element of all gradients to ``-clip_value .. clip_value``, in place.

    Args:
        parameters: tensors whose ``grad`` to limit; those without one are left out.
        clip_value: the limit.

    Source: ``torch.nn.utils.clip_grad_value_``.
    """
    with no_grad():
        for grad in _gradients(parameters):
            grad.copy_(clamp(grad, -clip_value, clip_value))
