"""PyTorch's methods of pruning: at random, by magnitude, whole channels, by a given mask."""

from __future__ import annotations

import numbers
from typing import Any, ClassVar

from graphc.errors import ArgumentError, ArgumentTypeError, IndexRangeError
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.creation import zeros_like
from graphc.frontend.functions.norms import norm
from graphc.frontend.functions.pointwise import abs as magnitude
from graphc.frontend.functions.pointwise import mul
from graphc.frontend.functions.sampling import rand, rand_like
from graphc.frontend.functions.shaping import clone, reshape
from graphc.frontend.functions.sorting import topk
from graphc.frontend.nn.utils.pruning import BasePruningMethod
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


def _require_amount(amount: Any) -> None:
    is_number = isinstance(amount, numbers.Real)
    if not is_number:
        raise ArgumentTypeError(
            "prune: the amount must be an int or a float", got=repr(amount),
            where=user_location_text(),
        )  # fmt: skip
    is_count = isinstance(amount, numbers.Integral)
    if amount < 0 or (not is_count and amount > 1):
        raise ArgumentError(
            "prune: the amount must be a float in the range [0, 1] or a non-negative integer",
            got=repr(amount), where=user_location_text(),
        )  # fmt: skip


def _count(amount: Any, size: int) -> int:
    """How many of ``size`` elements to prune.

    Raises:
        ArgumentError: if there are not as many.
    """
    count = int(amount) if isinstance(amount, numbers.Integral) else round(amount * size)
    if count > size:
        raise ArgumentError(
            "prune: the amount must not be larger than the number of parameters",
            got=str(amount), expected=f"0..{size}", where=user_location_text(),
        )  # fmt: skip
    return count


def _without(mask: Tensor, flat_indices: Tensor) -> Tensor:
    """A mask with zeros at these places."""
    made = clone(mask)
    reshape(made, (-1,))[flat_indices] = 0
    return made


class Identity(BasePruningMethod):
    """Prunes nothing: the parameter gets a mask of ones (``torch.nn.utils.prune.Identity``)."""

    PRUNING_TYPE: ClassVar[str] = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far."""
        return default_mask


class _Unstructured(BasePruningMethod):
    """Prunes single elements."""

    PRUNING_TYPE: ClassVar[str] = "unstructured"

    def __init__(self, amount: float) -> None:
        _require_amount(amount)
        self.amount = amount


class RandomUnstructured(_Unstructured):
    """Prunes single elements at random (``torch.nn.utils.prune.RandomUnstructured``).

    Args:
        amount: how many: a fraction (float) or a count (int).
    """

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, without some more elements."""
        count = _count(self.amount, int(t.numel()))
        chosen = topk(reshape(rand_like(t), (-1,)), count)
        return _without(default_mask, chosen.indices)


class L1Unstructured(_Unstructured):
    """Prunes the elements that are nearest to zero (``torch.nn.utils.prune.L1Unstructured``).

    Args:
        amount: how many: a fraction (float) or a count (int).
    """

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, without the smallest elements."""
        count = _count(self.amount, int(t.numel()))
        chosen = topk(reshape(magnitude(t), (-1,)), count, largest=False)
        return _without(default_mask, chosen.indices)


class _Structured(BasePruningMethod):
    """Prunes whole channels along a dim."""

    PRUNING_TYPE: ClassVar[str] = "structured"
    amount: float
    dim: int

    def _size(self, t: Tensor) -> int:
        if t.ndim <= 1:
            raise ArgumentError(
                "prune: structured pruning takes tensors of two dims and more", got=str(t.type),
                where=user_location_text(),
            )  # fmt: skip
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexRangeError(
                "prune: no such dim", got=str(self.dim), expected=f"{-t.ndim}..{t.ndim - 1}",
                where=user_location_text(),
            )  # fmt: skip
        return int(t.shape[self.dim])

    def _keeping(self, t: Tensor, channels: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, without all channels but these."""
        made = zeros_like(t)
        made[(*[slice(None)] * (self.dim % t.ndim), channels)] = 1
        return mul(made, cast(default_mask, made.dtype))


class RandomStructured(_Structured):
    """Prunes whole channels at random (``torch.nn.utils.prune.RandomStructured``).

    Args:
        amount: how many: a fraction (float) or a count (int).
        dim: the dim of the channels.
    """

    def __init__(self, amount: float, dim: int = -1) -> None:
        _require_amount(amount)
        self.amount, self.dim = amount, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, without some more channels."""
        size = self._size(t)
        count = _count(self.amount, size)
        if count == 0:
            return default_mask
        return self._keeping(t, topk(rand(size), size - count).indices, default_mask)


class LnStructured(_Structured):
    """Prunes the channels with the smallest norms (``torch.nn.utils.prune.LnStructured``).

    Args:
        amount: how many: a fraction (float) or a count (int).
        n: which norm; see ``gc.norm``.
        dim: the dim of the channels.
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        _require_amount(amount)
        self.amount, self.n, self.dim = amount, n, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, without the channels of the smallest norms."""
        size = self._size(t)
        count = _count(self.amount, size)
        if count == 0:
            return default_mask
        others = [each for each in range(t.ndim) if each != self.dim % t.ndim]
        chosen = topk(norm(t, self.n, others), size - count)
        return self._keeping(t, chosen.indices, default_mask)


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask says (``torch.nn.utils.prune.CustomFromMask``).

    Args:
        mask: 1 for what stays.
    """

    PRUNING_TYPE: ClassVar[str] = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Both masks.

        Raises:
            ArgumentError: if they have different shapes.
        """
        if self.mask.shape != default_mask.shape:
            raise ArgumentError(
                "prune: the mask must have the shape of the parameter", got=str(self.mask.type),
                expected=str(default_mask.type), where=user_location_text(),
            )  # fmt: skip
        return mul(default_mask, cast(self.mask, default_mask.dtype))
