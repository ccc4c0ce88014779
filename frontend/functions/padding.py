"""Elements around a tensor, and the same written with negative amounts: less of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.functions.convert import require_tensor
from graphc.ops import shape as ops
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: complex | None = None
) -> Tensor:
    """Add elements at the ends of dims, last dim first; negative amounts cut off.

    Args:
        input: tensor.
        pad: (before, after) of the last dim, then of the one before it, and so on.
        mode: ``"constant"``.
        value: what to add; default 0.

    Raises:
        ArgumentError: for an odd number of amounts, too many, or another mode.
        DTypeError: for a complex number beside real ones.

    Source: ``torch.nn.functional.pad``.
    """
    x = require_tensor("pad", input)
    if isinstance(value, complex) and not x.dtype.is_complex:
        raise DTypeError(
            "pad: a complex number does not fit the tensor", got=f"{value} and {x.type}",
            where=user_location_text(),
        )  # fmt: skip
    if mode != "constant":
        raise ArgumentError(
            "pad: unsupported mode",
            got=repr(mode),
            expected="'constant'",
            where=user_location_text(),
        )
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ArgumentError(
            "pad: amounts come in pairs, at most one pair a dim", got=str(tuple(pad)),
            where=user_location_text(),
        )  # fmt: skip
    low, high = [0] * x.ndim, [0] * x.ndim
    for pair in range(len(pad) // 2):
        low[-1 - pair], high[-1 - pair] = pad[2 * pair], pad[2 * pair + 1]
    require_left("pad", x, low, high)
    if min([*low, *high, 0]) < 0:
        starts = tuple(max(-amount, 0) for amount in low)
        stops = tuple(n - max(-amount, 0) for n, amount in zip(x.shape, high, strict=True))
        x = ops.slice_(x, starts=starts, stops=stops, steps=(1,) * x.ndim)
    return ops.pad(
        x,
        low=tuple(max(amount, 0) for amount in low),
        high=tuple(max(amount, 0) for amount in high),
        interior=(0,) * x.ndim,
        value=0 if value is None else value,
    )


def require_left(
    function: str, x: Tensor, low: Sequence[int], high: Sequence[int], least: int = 0
) -> None:
    """Raise ShapeError if negative amounts cut off more than there is.

    Args:
        function: whose.
        x: the tensor.
        low: the amounts before the last dims, in their order.
        high: those behind.
        least: what has to be left of each.
    """
    for size, before, after in zip(x.shape[x.ndim - len(low) :], low, high, strict=True):
        if not isinstance(size, int) or not (before < 0 or after < 0):
            continue
        if size + before + after < least or size + min(before, 0) + min(after, 0) < 0:
            raise ShapeError(
                f"{function}: negative amounts cut off more than there is",
                got=f"{(before, after)} of size {size} in {x.type}", where=user_location_text(),
            )  # fmt: skip
