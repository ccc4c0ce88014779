"""Losses that ask for a margin between scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dtypes import int64
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.choosing import clamp, where
from graphc.frontend.functions.convert import cast, promote_float, require_tensor, scalar_tensor
from graphc.frontend.functions.creation import arange
from graphc.frontend.functions.picking import gather
from graphc.frontend.functions.pointwise import sqrt
from graphc.frontend.functions.reduction import any as any_true
from graphc.frontend.functions.reduction import mean, sum
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.frontend.nn.functional.exponential import logsigmoid, smooth_positive
from graphc.frontend.nn.functional.gating import one_hot_like
from graphc.frontend.nn.functional.reduction import choose_reduction, reduce_loss
from graphc.frontend.nn.functional.shapes import agree
from graphc.ops.index import index
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
]


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1.

    Args:
        input: distances.
        target: 1 or -1.
        margin: what distances of the class -1 should reach.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Source: ``torch.nn.functional.hinge_embedding_loss``.

    Example:
        >>> import graphc as gc
        >>> import graphc.nn.functional as F
        >>> F.hinge_embedding_loss(gc.tensor([0.5, 0.25]), gc.tensor([1, -1]), reduction="none")
        tensor([0.5000, 0.7500])
    """
    how = choose_reduction("hinge_embedding_loss", reduction, size_average, reduce)
    x, y = promote_float(
        "hinge_embedding_loss", require_tensor("hinge_embedding_loss", input), target
    )
    short = where(y != 1, clamp(margin - x, min=0), 0.0)
    return reduce_loss(short + where(y != -1, x, 0.0), how)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``max(0, margin - target * (input1 - input2))``.

    Args:
        input1: scores.
        input2: scores.
        target: 1 if the first should be larger, -1 if the second.
        margin: by how much.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: if the three have different numbers of dims.

    Source: ``torch.nn.functional.margin_ranking_loss``.
    """
    how = choose_reduction("margin_ranking_loss", reduction, size_average, reduce)
    tensors = [require_tensor("margin_ranking_loss", x) for x in (input1, input2, target)]
    if len({x.ndim for x in tensors}) > 1:
        raise ShapeError(
            "margin_ranking_loss: the tensors must have one number of dims",
            got=", ".join(str(x.type) for x in tensors), where=user_location_text(),
        )  # fmt: skip
    return reduce_loss(clamp(-target * (input1 - input2) + margin, min=0), how)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``log(1 + exp(-target * x))``, without overflow, for targets 1 and -1.

    Source: ``torch.nn.functional.soft_margin_loss``.
    """
    how = choose_reduction("soft_margin_loss", reduction, size_average, reduce)
    x, y = promote_float("soft_margin_loss", require_tensor("soft_margin_loss", input), target)
    return reduce_loss(smooth_positive(-y * x), how)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``1 - cos`` where the target is 1, ``max(0, cos - margin)`` where it is -1.

    Args:
        input1: vectors ``(batch, size)`` or ``(size,)``.
        input2: likewise.
        target: ``(batch,)`` or ``()``: 1 or -1.
        margin: what the cosine of the class -1 should stay below.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: if the numbers of dims do not fit.

    Source: ``torch.nn.functional.cosine_embedding_loss``.
    """
    how = choose_reduction("cosine_embedding_loss", reduction, size_average, reduce)
    a, b = promote_float(
        "cosine_embedding_loss", require_tensor("cosine_embedding_loss", input1), input2
    )
    y = require_tensor("cosine_embedding_loss", target)
    if (a.ndim, b.ndim) != (y.ndim + 1, y.ndim + 1) or y.ndim > 1:
        raise ShapeError(
            "cosine_embedding_loss: expected (batch, size) and (batch,), or (size,) and ()",
            got=f"{a.type}, {b.type} and target {y.type}", where=user_location_text(),
        )  # fmt: skip
    squares = (sum(a * a, -1) + 1e-12) * (sum(b * b, -1) + 1e-12)
    cosine = sum(a * b, -1) / sqrt(squares)
    loss = where(y == 1, 1 - cosine, 0.0) + where(y == -1, clamp(cosine - margin, min=0), 0.0)
    return reduce_loss(loss, how)


def _rows(function: str, input: Tensor) -> Tensor:
    """Scores with a batch dim in front."""
    x = require_tensor(function, input)
    if x.ndim not in (1, 2) or not x.dtype.is_floating_point:
        raise ShapeError(
            f"{function}: expected floating point (batch, classes) or (classes,)",
            got=str(x.type), where=user_location_text(),
        )  # fmt: skip
    return x if x.ndim == 2 else unsqueeze(x, 0)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over other classes of ``max(0, margin - x[target] + x[class]) ** p``.

    Args:
        input: scores ``(batch, classes)`` or ``(classes,)``.
        target: int64 classes ``(batch,)`` or ``()``.
        p: 1 or 2.
        margin: what the target's score should be ahead of others.
        weight: ``(classes,)`` factors, by the target's class.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ArgumentError: for another ``p``.
        ShapeError: if the shapes do not fit.
        IndexRangeError: for a class outside ``0 .. classes - 1``, when it runs.

    Source: ``torch.nn.functional.multi_margin_loss``.
    """
    how = choose_reduction("multi_margin_loss", reduction, size_average, reduce)
    if p not in (1, 2):
        raise ArgumentError(
            "multi_margin_loss: p must be 1 or 2", got=str(p), where=user_location_text()
        )
    x = _rows("multi_margin_loss", input)
    y = cast(require_tensor("multi_margin_loss", target), int64)
    y = y if y.ndim else unsqueeze(y, 0)
    if not agree(y.shape, x.shape[:1]) or not (weight is None or agree(weight.shape, x.shape[1:])):
        raise ShapeError(
            "multi_margin_loss: the target or the weight does not fit the input",
            got=f"input {x.type}, target {y.type}"
            + ("" if weight is None else f", weight {weight.type}"),
            where=user_location_text(),
        )
    place = unsqueeze(y, 1)
    ahead = margin - gather(x, 1, place) + x
    counted = (ahead > 0) & ~one_hot_like(x, place, 1)
    short = where(counted, ahead if p == 1 else ahead * ahead, 0.0)
    if weight is not None:
        short = short * unsqueeze(index(weight, y, dims=(0,), what="multi_margin_loss: class"), 1)
    loss = mean(short, 1)
    single = require_tensor("multi_margin_loss", input).ndim == 1
    return reduce_loss(drop_dims(loss, (0,)) if single else loss, how)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``max(0, 1 - (x[label] - x[class]))`` over labels and other classes, divided by classes.

    Args:
        input: scores ``(batch, classes)`` or ``(classes,)``.
        target: int64 labels of the input's shape; a row's labels end at its first -1.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: if the shapes differ.
        IndexRangeError: for a label outside ``0 .. classes - 1``, when it runs.

    Source: ``torch.nn.functional.multilabel_margin_loss``.
    """
    how = choose_reduction("multilabel_margin_loss", reduction, size_average, reduce)
    x, y = _rows("multilabel_margin_loss", input), _labels(input, target)
    classes = x.shape[1]
    order = arange(classes)
    earlier = unsqueeze(order, 0) <= unsqueeze(order, 1)
    ended = any_true(unsqueeze(y < 0, 1) & earlier, 2)
    labels = where(ended, 0, y)
    same = unsqueeze(labels, 2) == unsqueeze(unsqueeze(order, 0), 0)
    is_label = any_true(same & unsqueeze(~ended, 2), 1, keepdim=True)
    ahead = 1 - unsqueeze(gather(x, 1, labels), 2) + unsqueeze(x, 1)
    counted = (ahead > 0) & unsqueeze(~ended, 2) & ~is_label
    loss = sum(where(counted, ahead, 0.0), (1, 2)) / scalar_tensor(classes, x.dtype)
    single = require_tensor("multilabel_margin_loss", input).ndim == 1
    return reduce_loss(drop_dims(loss, (0,)) if single else loss, how)


def _labels(input: Tensor, target: Tensor) -> Tensor:
    y = require_tensor("multilabel_margin_loss", target)
    if not agree(input.shape, y.shape) or y.dtype is not int64:
        raise ShapeError(
            "multilabel_margin_loss: the target must be int64 of the input's shape",
            got=f"input {input.type}, target {y.type}", where=user_location_text(),
        )  # fmt: skip
    return y if y.ndim == 2 else unsqueeze(y, 0)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over classes of the binary cross entropy of ``sigmoid(x)`` and 0 or 1.

    Args:
        input: scores ``(..., classes)``.
        target: of the same shape.
        weight: factors; broadcasts.
        size_average, reduce: deprecated.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Source: ``torch.nn.functional.multilabel_soft_margin_loss``.
    """
    how = choose_reduction("multilabel_soft_margin_loss", reduction, size_average, reduce)
    x, y = promote_float(
        "multilabel_soft_margin_loss", require_tensor("multilabel_soft_margin_loss", input), target
    )
    loss = -(y * logsigmoid(x) + (1 - y) * logsigmoid(-x))
    return reduce_loss(mean(loss if weight is None else loss * weight, -1), how)
