"""Losses that are negative log-likelihoods of a distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.convert import promote_float, require_tensor
from graphc.frontend.functions.reduction import any as any_true
from graphc.frontend.functions.shaping import unsqueeze
from graphc.frontend.modes import is_recording
from graphc.frontend.nn.functional.exponential import smooth_positive
from graphc.frontend.nn.functional.reduction import choose_reduction, reduce_loss
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import elementwise, elementwise_exponential
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "gaussian_nll_loss",
    "kl_div",
    "poisson_nll_loss",
]

_LEAST_LOG = -100.0
"""The logarithm of 0 counts as this, as in PyTorch, so that the loss stays finite."""

_LEAST_SPREAD = 1e-12
"""The gradient divides by ``p * (1 - p)``, but not by less than this."""


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The cross entropy of probabilities and targets from 0 to 1.

    Args:
        input: probabilities.
        target: of the same shape.
        weight: factor per element; broadcasts.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: if the shapes differ.
        ArgumentError: for probabilities outside 0 to 1, in dynamic mode.

    Source: ``torch.nn.functional.binary_cross_entropy``. Logarithms are at least -100.
    """
    how = choose_reduction("binary_cross_entropy", reduction, size_average, reduce)
    p, y = _same_shapes("binary_cross_entropy", input, target)
    if _is_concrete(p) and bool(any_true((p < 0) | (p > 1))):
        raise ArgumentError(
            "binary_cross_entropy: the input must be probabilities from 0 to 1",
            fix="apply a sigmoid, or use binary_cross_entropy_with_logits",
            where=user_location_text(),
        )
    loss = _binary_entropy(p, y)
    return reduce_loss(loss if weight is None else loss * weight, how)


def _binary_entropy(p: Tensor, y: Tensor) -> Tensor:
    """The cross entropy, whose gradient is ``(p - y) / max(p * (1 - p), 1e-12)``.

    Where the divisor is at its limit, the logarithms have no gradient; a straight line through
    their value has it instead.
    """
    fixed = p.detach()
    edge = fixed * (1 - fixed) < _LEAST_SPREAD
    inner = where(edge, fixed, p)
    certain = _clamped_log(elementwise.log(inner))
    opposite = _clamped_log(elementwise.log1p(-inner))
    slope = (fixed - y.detach()) / _LEAST_SPREAD
    line = where(edge, (p - fixed) * slope, 0.0)
    return (y - 1) * opposite - y * certain + line


def _clamped_log(values: Tensor) -> Tensor:
    return where(values < _LEAST_LOG, _LEAST_LOG, values)


def _is_concrete(x: Tensor) -> bool:
    """True if values can be looked at now."""
    return not x.is_symbolic and not is_recording()


def _same_shapes(function: str, input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    x, y = promote_float(
        function, require_tensor(function, input), require_tensor(function, target)
    )
    if not agree(x.shape, y.shape):
        raise ShapeError(
            f"{function}: input and target must have one shape", got=f"{x.type} and {y.type}",
            where=user_location_text(),
        )  # fmt: skip
    return x, y


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The cross entropy of ``sigmoid(input)`` and targets from 0 to 1, without overflow.

    Args:
        input: logits.
        target: of the same shape.
        weight: factor per element; broadcasts.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: factor of the positive part; broadcasts.

    Raises:
        ShapeError: if the shapes differ.

    Source: ``torch.nn.functional.binary_cross_entropy_with_logits``.
    """
    how = choose_reduction("binary_cross_entropy_with_logits", reduction, size_average, reduce)
    x, y = _same_shapes("binary_cross_entropy_with_logits", input, target)
    surprise = smooth_positive(-x)
    if pos_weight is not None:
        surprise = ((pos_weight - 1) * y + 1) * surprise
    loss = (1 - y) * x + surprise
    return reduce_loss(loss if weight is None else loss * weight, how)


def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """The pointwise Kullback-Leibler divergence ``target * (log(target) - input)``.

    Args:
        input: logarithms of probabilities.
        target: probabilities; broadcasts with the input.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"``, ``"none"``, or ``"batchmean"``: the sum divided by the
            first size.
        log_target: the target holds logarithms, too.

    Source: ``torch.nn.functional.kl_div``.
    """
    per_batch = reduction == "batchmean" and size_average is None and reduce is None
    how = "sum" if per_batch else choose_reduction("kl_div", reduction, size_average, reduce)
    x, y = promote_float(
        "kl_div", require_tensor("kl_div", input), require_tensor("kl_div", target)
    )
    loss = (
        elementwise.exp(y) * (y - x) if log_target else elementwise_exponential.xlogy(y, y) - y * x
    )
    reduced = reduce_loss(loss, how)
    return reduced / x.shape[0] if per_batch and x.ndim else reduced


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False,
    size_average: bool | None = None, eps: float = 1e-8, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The negative log-likelihood of counts under Poisson distributions.

    Args:
        input: expected counts, or their logarithms.
        target: counts; broadcasts with the input.
        log_input: the input holds logarithms.
        full: add Stirling's approximation of ``log(target!)`` for counts above 1.
        size_average: deprecated.
        eps: added to expected counts before their logarithm.
        reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Source: ``torch.nn.functional.poisson_nll_loss``.
    """
    how = choose_reduction("poisson_nll_loss", reduction, size_average, reduce)
    x, y = promote_float("poisson_nll_loss", require_tensor("poisson_nll_loss", input), target)
    loss = elementwise.exp(x) - y * x if log_input else x - y * elementwise.log(x + eps)
    if full:
        many = y > 1
        count = where(many, y, 1.0)
        stirling = (
            count * elementwise.log(count) - count + elementwise.log(count * (2 * math.pi)) * 0.5
        )
        loss = loss + where(many, stirling, 0.0)
    return reduce_loss(loss, how)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of targets under normal distributions.

    Args:
        input: expectations.
        target: observations; broadcasts with the input.
        var: variances: of the input's shape, or with its last size 1 or missing, or a number.
        full: add the constant ``log(2 * pi) / 2``.
        eps: variances count as at least this much; gradients ignore the limit.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: if the variances have another shape.
        ArgumentError: for a negative variance (of a tensor in dynamic mode only).

    Source: ``torch.nn.functional.gaussian_nll_loss``.
    """
    how = choose_reduction("gaussian_nll_loss", reduction, None, None)
    x, y = promote_float("gaussian_nll_loss", require_tensor("gaussian_nll_loss", input), target)
    spread = _variances(x, var)
    fixed = spread.detach()
    limited = where(fixed < eps, spread - fixed + eps, spread)
    error = x - y
    loss = (elementwise.log(limited) + error * error / limited) * 0.5
    return reduce_loss(loss + 0.5 * math.log(2 * math.pi) if full else loss, how)


def _variances(x: Tensor, var: Tensor | float) -> Tensor:
    spread = promote_float("gaussian_nll_loss", var, x)[0]
    if _is_concrete(spread) and bool(any_true(spread < 0)):
        raise ArgumentError("gaussian_nll_loss: a variance is negative", where=user_location_text())
    if not isinstance(var, TensorBase) or agree(spread.shape, x.shape):
        return spread
    if agree(spread.shape, x.shape[:-1]):
        return unsqueeze(spread, -1)
    if spread.ndim == x.ndim and agree(spread.shape[:-1], x.shape[:-1]) and spread.shape[-1] == 1:
        return spread
    raise ShapeError(
        "gaussian_nll_loss: the variances do not fit the input",
        got=f"input {x.type}, variances {spread.type}",
        expected="the input's shape, or its last size 1 or missing", where=user_location_text(),
    )  # fmt: skip
