"""Random numbers of given distributions: normal, Bernoulli, Poisson, binomial, categories.

What a recorded program draws from is known only when it runs: there, parameters outside of their
range are not noticed; they give NaN where the distribution has no such numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DTypeLike, float32, float64
from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.frontend.base import is_tensor
from graphc.frontend.functions import choosing, pointwise
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor, shape_argument
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.sampling import normal_values, uniform_values
from graphc.frontend.functions.searching import searchsorted
from graphc.frontend.functions.shape_rules import broadcast_shapes
from graphc.frontend.functions.shaping import expand
from graphc.frontend.functions.sorting import topk
from graphc.frontend.modes import no_grad
from graphc.frontend.settings.default_dtype import default_dtype
from graphc.frontend.settings.devices import DeviceLike, require_cpu
from graphc.ops import comparison, elementwise, quantiles, scan
from graphc.ops.shape import narrow
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = ["bernoulli", "binomial", "multinomial", "normal", "poisson"]


def _require_values(
    function: str, x: Tensor, accepts: Callable[[Array], Any], expected: str
) -> None:
    """Raise ArgumentError if a concrete tensor has an element that is not accepted."""
    if not x.is_symbolic and not np.all(accepts(x.storage.array)):
        raise ArgumentError(
            f"{function}: a parameter is out of its range", got=f"values of {x.type}",
            expected=expected, where=user_location_text(),
        )  # fmt: skip


def _is_share(values: Array) -> Any:
    return (values >= 0) & (values <= 1)


def _require_float(function: str, x: Tensor) -> None:
    if not x.dtype.is_floating_point:
        raise DTypeError(
            f"{function}: expected floating point parameters", got=x.dtype.name,
            fix="cast them, e.g. x.float()", where=user_location_text(),
        )  # fmt: skip


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """1 with the probability that each element says, else 0 (``torch.bernoulli``).

    Args:
        input: probabilities.
        p: one probability for all elements instead; then only the input's shape and dtype count.
        generator: default: the global one.

    Raises:
        ArgumentError: if a probability is not in 0 .. 1.
        DTypeError: for probabilities that are no floats.

    Example:
        >>> import graphc as gc
        >>> gc.bernoulli(gc.tensor([0.0, 1.0]))
        tensor([0., 1.])
    """
    x = require_tensor("bernoulli", input)
    if p is not None:
        drawn = successes("bernoulli", x.shape, p, generator)
        return cast(drawn, x.dtype)
    _require_float("bernoulli", x)
    with no_grad():
        return cast(successes("bernoulli", x.shape, x, generator), x.dtype)


def successes(function: str, shape: Sequence[Size], p: Any, generator: Generator | None) -> Tensor:
    """True with a probability, or with the probability that each element of a tensor says."""
    if is_tensor(p):
        _require_values(function, p, _is_share, "0 .. 1")
        return comparison.lt(uniform_values(shape, p.dtype, generator), expand(p, shape))
    if not 0 <= p <= 1:
        raise ArgumentError(
            f"{function}: a probability is out of its range", got=str(p), expected="0 .. 1",
            where=user_location_text(),
        )  # fmt: skip
    return comparison.lt(uniform_values(shape, float32, generator), scalar_tensor(p, float32))


def normal(
    mean: float | Tensor = 0.0, std: float | Tensor = 1.0, size: Sequence[Size] | None = None, *,
    dtype: DTypeLike | None = None, generator: Generator | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """Normal numbers with this mean and standard deviation (``torch.normal``).

    Args:
        mean: number, or a tensor with one for each element.
        std: number, or a tensor with one for each element; not negative.
        size: the shape, where both are numbers.
        dtype: where both are numbers; default float32.
        generator: default: the global one.
        requires_grad: track gradients of the result; none flow to mean and std.
        device: the CPU.

    Raises:
        ArgumentError: for a negative std, a missing size, or a size besides tensors.

    Example:
        >>> import graphc as gc
        >>> gc.normal(gc.tensor([1.0, 2.0]), 0.0)
        tensor([1., 2.])
    """
    require_cpu(device)
    given = [x for x in (mean, std) if is_tensor(x)]
    if bool(given) == (size is not None) or (given and dtype is not None):
        raise ArgumentError(
            "normal: size and dtype belong to numbers; tensors have their own",
            got=f"size={size}, dtype={dtype} and {len(given)} tensors", where=user_location_text(),
        )  # fmt: skip
    for x in given:
        _require_float("normal", x)
    if is_tensor(std):
        _require_values("normal", std, lambda values: values >= 0, "std >= 0")
    else:
        require_spread("normal", std)
    with no_grad():
        if size is not None:
            shape: tuple[Any, ...] = shape_argument("normal", (tuple(size),))
        else:
            shape = broadcast_shapes(*(x.shape for x in given))
        of = (given[0].dtype if given else default_dtype()) if dtype is None else dtype
        drawn = normal_values(shape, of, generator)
        if is_tensor(std) and std.is_symbolic:
            std = choosing.where(std >= 0, std, float("nan"))
        made = pointwise.add(pointwise.mul(drawn, std), mean)
        made = cast(made, drawn.dtype)
    if requires_grad:
        made.requires_grad = True
    return made


def require_spread(function: str, std: Any) -> None:
    """Raise ArgumentError for a standard deviation below 0."""
    if not std >= 0:
        raise ArgumentError(
            f"{function}: unsuitable parameters", got=f"std={std}", expected="std >= 0",
            where=user_location_text(),
        )  # fmt: skip


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Poisson numbers with these rates (``torch.poisson``).

    Args:
        input: rates, of a floating point dtype, which is also the result's.
        generator: default: the global one.

    Raises:
        ArgumentError: for a negative rate.

    Example:
        >>> import graphc as gc
        >>> gc.poisson(gc.zeros(2))
        tensor([0., 0.])
    """
    x = require_tensor("poisson", input)
    _require_float("poisson", x)
    _require_values("poisson", x, lambda values: ~(values < 0), "rates >= 0")
    with no_grad():
        drawn = uniform_values(x.shape, float64, generator)
        return cast(quantiles.poisson_quantile(drawn, cast(x, float64)), x.dtype)


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` tries succeed (``torch.binomial``).

    Args:
        count: how many tries, in a floating point dtype, which is also the result's.
        prob: how likely each succeeds; broadcast with the count, of its dtype.
        generator: default: the global one.

    Raises:
        ArgumentError: if a probability is not in 0 .. 1.
        DTypeError: for other dtypes.

    Example:
        >>> import graphc as gc
        >>> gc.binomial(gc.tensor([3.0, 5.0]), gc.tensor(1.0))
        tensor([3., 5.])
    """
    n, p = require_tensor("binomial", count), require_tensor("binomial", prob)
    _require_float("binomial", n)
    if n.dtype is not p.dtype:
        raise DTypeError(
            "binomial: count and prob must have one dtype", got=f"{n.dtype.name}, {p.dtype.name}",
            where=user_location_text(),
        )  # fmt: skip
    _require_values("binomial", p, _is_share, "0 .. 1")
    with no_grad():
        shape = broadcast_shapes(n.shape, p.shape)
        drawn = uniform_values(shape, float64, generator)
        made = quantiles.binomial_quantile(drawn, cast(n, float64), cast(p, float64))
        return cast(made, n.dtype)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Positions, drawn as often as their weights say (``torch.multinomial``).

    Args:
        input: weights ``[K]`` or ``[N, K]``, not negative, not all 0; they need not add up to 1.
        num_samples: how many positions to draw from each row.
        replacement: a position may be drawn again.
        generator: default: the global one.

    Returns:
        int64 tensor ``[num_samples]`` or ``[N, num_samples]``.

    Raises:
        ArgumentError: for weights that are no distribution, or more samples than positions.
        ShapeError: for other ranks.

    Example:
        >>> import graphc as gc
        >>> gc.multinomial(gc.tensor([0.0, 1.0, 0.0]), 3, replacement=True)
        tensor([1, 1, 1])
    """
    x = require_tensor("multinomial", input)
    _require_float("multinomial", x)
    if x.ndim not in (1, 2):
        raise ShapeError(
            "multinomial: expected weights [K] or [N, K]", got=str(x.type),
            where=user_location_text(),
        )  # fmt: skip
    count = x.shape[-1]
    if num_samples < 1 or (isinstance(count, int) and not replacement and num_samples > count):
        raise ArgumentError(
            "multinomial: expected at least one sample, and without replacement at most K",
            got=f"num_samples={num_samples}, K={count}", where=user_location_text(),
        )  # fmt: skip
    _require_values("multinomial", x, lambda values: (values >= 0) & np.isfinite(values),
                    "finite weights >= 0")  # fmt: skip
    if not x.is_symbolic and not (x.storage.array.astype(np.float64).sum(-1) > 0).all():
        raise ArgumentError(
            "multinomial: all weights of a row are 0", got=str(x.type), where=user_location_text()
        )
    with no_grad():
        weights = cast(x, float64)
        if not replacement:
            waits = quantiles.exponential_quantile(uniform_values(x.shape, float64, generator))
            return topk(elementwise.div(weights, waits), num_samples, -1).indices
        totals = scan.cumsum(weights, dim=x.ndim - 1)
        whole = narrow(totals, x.ndim - 1, count - 1, count)
        drawn = uniform_values((*x.shape[:-1], num_samples), float64, generator)
        return searchsorted(totals, elementwise.mul(drawn, whole), right=True)
