"""Softmax over very many classes, of which most are rare."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from graphc.dtypes import DTypeLike, int64
from graphc.errors import ArgumentError, ShapeError
from graphc.frontend.functions.choosing import clamp, where
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.picking import gather
from graphc.frontend.functions.pieces import cat
from graphc.frontend.functions.pointwise import neg
from graphc.frontend.functions.reduction import argmax, mean
from graphc.frontend.functions.shaping import drop_dims, unsqueeze
from graphc.frontend.functions.softmaxes import log_softmax
from graphc.frontend.making import concrete
from graphc.frontend.nn.containers import ModuleList, Sequential
from graphc.frontend.nn.layers.linear import Linear
from graphc.frontend.nn.module import Module
from graphc.frontend.tensor import Tensor
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _Output(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax with clusters of rare classes (``torch.nn.AdaptiveLogSoftmaxWithLoss``).

    Frequent classes have a full linear map; the later a cluster, the smaller is its map. All
    clusters are computed for all rows, so that the program does not depend on the targets.

    Args:
        in_features: size of the input's vectors.
        n_classes: number of classes, the most frequent first.
        cutoffs: where each cluster begins, in increasing order.
        div_value: how many times smaller each cluster's map is than the one before.
        head_bias: learn a bias for the frequent classes.
        device: None or ``"cpu"``.
        dtype: of the parameters; default float32.

    Called with ``(batch, in_features)`` and ``(batch,)`` classes, or without the batch, it returns
    the log-probability of each target as ``output`` and minus their mean as ``loss``.

    Raises:
        ArgumentError: for cutoffs that are not increasing between 1 and ``n_classes - 1``.
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: object = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        bounds = [0, *cutoffs, n_classes]
        if not len(cutoffs) or any(
            int(low) != low or low >= high for low, high in itertools.pairwise(bounds)
        ):
            raise ArgumentError(
                "AdaptiveLogSoftmaxWithLoss: cutoffs must increase between 1 and n_classes - 1",
                got=repr(cutoffs), where=user_location_text(),
            )  # fmt: skip
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = bounds[1:]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = bounds[1], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for number, (low, high) in enumerate(itertools.pairwise(self.cutoffs), 1):
            hidden = int(in_features // div_value**number)
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, False, device, dtype),
                    Linear(hidden, high - low, False, device, dtype),
                )
            )
        entries = np.arange(n_classes)
        for number, low in enumerate(self.cutoffs[:-1]):
            entries[low:] = self.shortlist_size + number
        self.register_buffer("_entries", concrete(entries), persistent=False)

    def reset_parameters(self) -> None:
        """Draw new start values."""
        for layer in (self.head, *(layer for cluster in self.tail for layer in cluster)):
            layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _Output:
        fits = (input_.ndim, target_.ndim) in ((2, 1), (1, 0))
        if not fits or (target_.ndim and input_.shape[0] != target_.shape[0]):
            raise ShapeError(
                "AdaptiveLogSoftmaxWithLoss: expected (batch, in_features) and (batch,), or one of "
                "each", got=f"{input_.type}, {target_.type}", where=user_location_text(),
            )  # fmt: skip
        batched = target_.ndim == 1
        x = input_ if batched else unsqueeze(input_, 0)
        wanted = cast(target_ if batched else unsqueeze(target_, 0), int64)
        head = log_softmax(self.head(x), 1)
        entry = gather(self._entries, 0, wanted)
        output = drop_dims(gather(head, 1, unsqueeze(entry, 1)), (1,))
        for number, cluster in enumerate(self.tail):
            low, high = self.cutoffs[number], self.cutoffs[number + 1]
            within = clamp(wanted - low, min=0, max=high - low - 1)
            local = gather(log_softmax(cluster(x), 1), 1, unsqueeze(within, 1))
            here = entry == self.shortlist_size + number
            output = output + where(here, drop_dims(local, (1,)), 0.0)
        return _Output(output if batched else drop_dims(output, (0,)), mean(neg(output)))

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes.

        Args:
            input: ``(batch, in_features)``.

        Returns:
            ``(batch, n_classes)``.
        """
        head = log_softmax(self.head(input), 1)
        parts = [narrow(head, 1, 0, self.shortlist_size)]
        for number, cluster in enumerate(self.tail):
            at = self.shortlist_size + number
            parts.append(log_softmax(cluster(input), 1) + narrow(head, 1, at, at + 1))
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The class with the highest probability.

        Args:
            input: ``(batch, in_features)``.

        Returns:
            ``(batch,)`` classes.
        """
        return argmax(self.log_prob(input), 1)
