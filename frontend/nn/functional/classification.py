"""Losses over classes: cross entropy and negative log-likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import int64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor
from graphc.frontend.functions.pointwise import add, div, mul
from graphc.frontend.functions.reduction import sum
from graphc.frontend.functions.shaping import drop_dims, reshape, unsqueeze
from graphc.frontend.functions.softmaxes import log_softmax
from graphc.frontend.nn.functional.reduction import choose_reduction, reduce_loss
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops import comparison, elementwise, select
from graphc.ops.index import gather, index
from graphc.provenance import user_location_text
from graphc.shapes import numel

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["cross_entropy", "nll_loss"]


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """The cross entropy of ``softmax(input)`` and a target class or distribution.

    Args:
        input: logits ``(classes,)`` or ``(batch, classes, ...)``.
        target: int64 classes ``()`` or ``(batch, ...)``, or probabilities of the input's shape.
        weight: ``(classes,)`` factors.
        size_average: deprecated.
        ignore_index: targets of this class count as absent.
        reduce: deprecated.
        reduction: ``"mean"`` (weighted), ``"sum"`` or ``"none"``.
        label_smoothing: share of the target, from 0 to 1, that is spread over all classes.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if classes are not int64.
        IndexRangeError: for a class outside ``0 .. classes - 1``, when it runs.

    Source: ``torch.nn.functional.cross_entropy``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.cross_entropy(gc.zeros(3, 4), gc.tensor([0, 1, 2]))
        tensor(1.3863)
    """
    how = choose_reduction("cross_entropy", reduction, size_average, reduce)
    x = require_tensor("cross_entropy", input)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            "cross_entropy: label_smoothing must be between 0 and 1", got=str(label_smoothing),
            where=user_location_text(),
        )  # fmt: skip
    dim = _class_dim("cross_entropy", x)
    log_p = log_softmax(x, dim)
    if require_tensor("cross_entropy", target).dtype.is_floating_point:
        return _soft_targets(log_p, target, weight, how, label_smoothing, dim)
    picked = _Picked("cross_entropy", log_p, target, weight, ignore_index, dim)
    loss = picked.reduced(picked.loss, how)
    if label_smoothing == 0:
        return loss
    spread = elementwise.neg(sum(_weigh(log_p, weight, dim), dim))
    spread = div(picked.reduced(picked.if_present(spread), how), x.shape[dim])
    return add(mul(loss, 1 - label_smoothing), mul(spread, label_smoothing))


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-probability of the target class; arguments as for ``cross_entropy``.

    Source: ``torch.nn.functional.nll_loss``.
    """
    how = choose_reduction("nll_loss", reduction, size_average, reduce)
    log_p = require_tensor("nll_loss", input)
    dim = _class_dim("nll_loss", log_p)
    picked = _Picked("nll_loss", log_p, target, weight, ignore_index, dim)
    return picked.reduced(picked.loss, how)


def _class_dim(function: str, x: Tensor) -> int:
    if x.ndim == 0 or not x.dtype.is_floating_point:
        raise ShapeError(
            f"{function}: expected floating point (classes,) or (batch, classes, ...)",
            got=str(x.type), where=user_location_text(),
        )  # fmt: skip
    return 0 if x.ndim == 1 else 1


class _Picked:
    """The loss of each target class, and how present each target is.

    Attributes:
        loss: minus the weighted log-probabilities, 0 where the target is to be ignored.
        presence: the targets' weights, 0 where ignored.
    """

    def __init__(
        self, function: str, log_p: Tensor, target: Tensor, weight: Tensor | None,
        ignore_index: int, dim: int,
    ) -> None:  # fmt: skip
        _check_targets(function, log_p, target, dim)
        target = cast(target, int64)
        self._zero = scalar_tensor(0, log_p.dtype)
        self.present = comparison.ne(target, scalar_tensor(ignore_index, int64))
        classes = select.where(self.present, target, scalar_tensor(0, int64))
        what = f"{function} ({log_p.shape[dim]} classes): target class"
        at_classes = gather(log_p, unsqueeze(classes, dim), dim=dim, what=what)
        log_likelihood = drop_dims(at_classes, (dim,))
        if weight is None:
            self.presence = cast(self.present, log_p.dtype)
        else:
            _check_weight(function, weight, log_p, dim)
            self.presence = self.if_present(index(weight, classes, dims=(0,), what=what))
            log_likelihood = mul(log_likelihood, self.presence)
        self.loss = self.if_present(elementwise.neg(log_likelihood))

    def if_present(self, values: Tensor) -> Tensor:
        """The values, 0 where the target is to be ignored."""
        return select.where(self.present, values, self._zero)

    def reduced(self, loss: Tensor, reduction: str) -> Tensor:
        """The loss after the reduction; the mean is weighted by presence."""
        if reduction == "mean":
            return div(sum(loss), sum(self.presence))
        return reduce_loss(loss, reduction)


def _check_targets(function: str, log_p: Tensor, target: Tensor, dim: int) -> None:
    if require_tensor(function, target).dtype.name not in ("int64", "uint8"):
        raise DTypeError(
            f"{function}: classes must be int64", got=target.dtype.name,
            fix="target.long()", where=user_location_text(),
        )  # fmt: skip
    expected = (*log_p.shape[:dim], *log_p.shape[dim + 1 :])
    if not agree(target.shape, expected):
        raise ShapeError(
            f"{function}: the targets do not fit the input",
            got=f"input {log_p.type}, target {target.type}", expected=f"a target {expected}",
            where=user_location_text(),
        )  # fmt: skip


def _check_weight(function: str, weight: Tensor, log_p: Tensor, dim: int) -> None:
    if not agree(weight.shape, log_p.shape[dim : dim + 1]):
        raise ShapeError(
            f"{function}: expected a weight per class", got=str(weight.type),
            expected=f"({log_p.shape[dim]},)", where=user_location_text(),
        )  # fmt: skip


def _weigh(values: Tensor, weight: Tensor | None, dim: int) -> Tensor:
    if weight is None:
        return values
    _check_weight("cross_entropy", weight, values, dim)
    return mul(values, reshape(weight, (-1, *(1,) * (values.ndim - dim - 1))))


def _soft_targets(
    log_p: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float, dim: int
) -> Tensor:
    """Cross entropy with a distribution per element; the mean is over elements, not weights."""
    if not agree(log_p.shape, target.shape):
        raise ShapeError(
            "cross_entropy: probabilities must have the input's shape",
            got=f"input {log_p.type}, target {target.type}", where=user_location_text(),
        )  # fmt: skip
    if smoothing:
        target = add(
            mul(target, 1 - smoothing), div(scalar_tensor(smoothing, log_p.dtype), log_p.shape[dim])
        )
    loss = elementwise.neg(sum(_weigh(mul(log_p, target), weight, dim), dim))
    if reduction == "mean":
        return div(sum(loss), scalar_tensor(numel(loss.shape), loss.dtype))
    return reduce_loss(loss, reduction)
