"""Averages of a model's weights over training: equal ones (SWA) and fading ones (EMA)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graphc.dtypes import float64, int64
from graphc.errors import ArgumentError
from graphc.frontend.functions.choosing import where
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.creation import zeros
from graphc.frontend.functions.numbers import lerp
from graphc.frontend.functions.pointwise import add, div, eq, mul, sub
from graphc.frontend.modes import modes, no_grad
from graphc.frontend.nn.layers.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from graphc.frontend.nn.module import Module
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

AverageFn = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From an average, a present value and the count of averaged ones to the next average."""

MultiAverageFn = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor], None]
"""The same for lists of tensors of one dtype; it writes the averages in place."""


def get_ema_avg_fn(decay: float = 0.999) -> AverageFn:
    """The fading average ``decay * average + (1 - decay) * value``.

    Args:
        decay: from 0 to 1.

    Raises:
        ArgumentError: for another decay.

    Source: ``torch.optim.swa_utils.get_ema_avg_fn``.
    """
    _require_decay(decay)

    def fade(average: Tensor, value: Tensor, count: Tensor) -> Tensor:
        return add(mul(average, decay), mul(value, 1 - decay))

    return fade


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverageFn:
    """The fading average for lists (``torch.optim.swa_utils.get_ema_multi_avg_fn``).

    Args:
        decay: from 0 to 1.

    Raises:
        ArgumentError: for another decay.
    """
    fade = get_ema_avg_fn(decay)

    def fade_all(averages: Sequence[Tensor], values: Sequence[Tensor], count: Tensor) -> None:
        for average, value in zip(averages, values, strict=True):
            is_exact = average.dtype.is_differentiable
            average.copy_(
                lerp(average, value, 1 - decay) if is_exact else fade(average, value, count)
            )

    return fade_all


def get_swa_avg_fn() -> AverageFn:
    """The equal average ``average + (value - average) / (count + 1)``.

    Source: ``torch.optim.swa_utils.get_swa_avg_fn``.
    """

    def join(average: Tensor, value: Tensor, count: Tensor) -> Tensor:
        return add(average, div(sub(value, average), add(count, 1)))

    return join


def get_swa_multi_avg_fn() -> MultiAverageFn:
    """The equal average for lists (``torch.optim.swa_utils.get_swa_multi_avg_fn``)."""

    def join_all(averages: Sequence[Tensor], values: Sequence[Tensor], count: Tensor) -> None:
        share = 1 / cast(count + 1, float64)
        for average, value in zip(averages, values, strict=True):
            step = cast(mul(sub(value, average), share), average.dtype)
            average.copy_(add(average, step))

    return join_all


def _require_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ArgumentError(
            "an average's decay must be a number from 0 to 1", got=str(decay),
            where=user_location_text(),
        )  # fmt: skip


class AveragedModel(Module):
    """A copy of a model whose weights are averages of the model's.

    Args:
        model: a module.
        device: None or ``"cpu"``.
        avg_fn: gives the next average of a weight; default: equal shares.
        multi_avg_fn: the same for lists.
        use_buffers: average buffers, too; else they are copied.

    Raises:
        ArgumentError: for both functions at once.

    ``update_parameters`` also works inside a compiled step, which counts at each run.

    Source: ``torch.optim.swa_utils.AveragedModel``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> from graphc.optim.swa_utils import AveragedModel
        >>> model = nn.Linear(1, 1, bias=False)
        >>> average = AveragedModel(model)
        >>> for value in (1.0, 3.0):
        ...     _ = nn.init.constant_(model.weight, value)
        ...     average.update_parameters(model)
        >>> average.module.weight.item(), average.n_averaged.item()
        (2.0, 2)
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: DeviceLike = None, avg_fn: AverageFn | None = None,
        multi_avg_fn: MultiAverageFn | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError(
                "AveragedModel: there can be only one function that averages",
                got="avg_fn and multi_avg_fn", where=user_location_text(),
            )  # fmt: skip
        require_cpu(device)
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", zeros((), dtype=int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the model with the averages computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's present weights into the averages; the first time, copy them.

        Args:
            model: the one that is trained.
        """
        pairs: list[tuple[Tensor, Tensor]] = [
            *zip(self.module.parameters(), model.parameters(), strict=True)
        ]
        buffers = [*zip(self.module.buffers(), model.buffers(), strict=True)]
        pairs += buffers if self.use_buffers else []
        with no_grad():
            is_first = eq(self.n_averaged, 0)
            if modes.recorder is not None:
                self._average(pairs)
                for average, value in pairs:
                    average.copy_(where(is_first, value, average))
            elif bool(is_first):
                _copy(pairs)
            else:
                self._average(pairs)
            if not self.use_buffers:
                _copy(buffers)
            self.n_averaged.add_(1)

    def _average(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> None:
        count = self.n_averaged
        if self.avg_fn is not None:
            for average, value in pairs:
                average.copy_(self.avg_fn(average.detach(), value.detach(), count))
            return
        change = self.multi_avg_fn or get_swa_multi_avg_fn()
        for dtype in dict.fromkeys(average.dtype for average, _ in pairs):
            chosen = [pair for pair in pairs if pair[0].dtype is dtype]
            averages, values = zip(*chosen, strict=True)
            change(averages, values, count)


def _copy(pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    for average, value in pairs:
        average.copy_(value)


def update_bn(loader: Iterable[Any], model: Module, device: DeviceLike = None) -> None:
    """Let batch normalization forget its statistics, and take those of all data instead.

    Args:
        loader: gives batches; of a list or tuple the first part goes into the model.
        model: a module, such as an ``AveragedModel``.
        device: None or ``"cpu"``.

    Source: ``torch.optim.swa_utils.update_bn``.
    """
    require_cpu(device)
    kinds = (BatchNorm1d, BatchNorm2d, BatchNorm3d)
    layers = [each for each in model.modules() if isinstance(each, kinds)]
    if not layers:
        return
    before = model.training, [layer.momentum for layer in layers]
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    try:
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, list | tuple) else batch)
    finally:
        for layer, momentum in zip(layers, before[1], strict=True):
            layer.momentum = momentum
        model.train(before[0])
