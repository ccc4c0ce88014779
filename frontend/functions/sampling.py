"""Random tensors, counted and keyed: the same numbers in every execution of one program."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DType, DTypeLike, as_dtype, bfloat16, float16, float32, float64, int64
from graphc.errors import ArgumentError, DTypeError, RecordingError
from graphc.frontend.base import TensorBase, concrete, symbolic
from graphc.frontend.functions import pointwise
from graphc.frontend.functions.convert import cast, require_tensor, scalar_tensor, shape_argument
from graphc.frontend.modes import modes
from graphc.ops import comparison, elementwise
from graphc.ops import random as ops
from graphc.provenance import user_location_text
from graphc.storage import Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

__all__ = [
    "Generator",
    "bernoulli",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]


class Generator:
    """A source of random numbers: a seed and a count of calls.

    Element ``i`` of call ``c`` under a seed is always the same number, so the same program gives
    the same numbers dynamically and compiled.

    Example:
        >>> import graphc as gc
        >>> a = gc.rand(3, generator=gc.Generator().manual_seed(1))
        >>> b = gc.rand(3, generator=gc.Generator().manual_seed(1))
        >>> bool((a == b).all())
        True
    """

    def __init__(self) -> None:
        self.storage = Storage(np.array([0, 0], np.int64))

    @functools.cached_property
    def state(self) -> Tensor:
        """Seed and count of calls as a tensor over the generator's own memory."""
        state = concrete(self.storage.array)
        state.storage = self.storage
        state.is_state = True
        return state

    def manual_seed(self, seed: int) -> Generator:
        """Start over with this seed.

        Raises:
            RecordingError: while recording: a program continues where the last run ended.
        """
        if modes.recorder is not None:
            raise RecordingError(
                "a generator was seeded while recording",
                fix="seed it before the graph is recorded, or before a compiled function is called",
                where=user_location_text(),
            )
        signed = (int(seed) + 2**63) % 2**64 - 2**63
        self.storage.write(np.array([signed, 0], np.int64))
        return self

    def seed(self) -> int:
        """Start over with an unpredictable seed, and return it."""
        chosen = secrets.randbits(63)
        self.manual_seed(chosen)
        return chosen

    def initial_seed(self) -> int:
        """The seed in use."""
        return int(self.storage.array[0]) % 2**64

    def get_state(self) -> Tensor:
        """Seed and count of calls, as an int64 tensor of size 2."""
        return concrete(self.storage.array.copy())

    def set_state(self, new_state: Tensor) -> None:
        """Go back to a state that ``get_state`` gave."""
        values = new_state.array("the generator's state")
        if values.shape != (2,) or values.dtype != np.int64:
            raise ArgumentError(
                "set_state: expected int64 of size 2",
                got=str(new_state.type),
                where=user_location_text(),
            )
        self.storage.write(values)

    def bits(self, shape: Sequence[Size]) -> Tensor:
        """32 random bits per element, as int32; counts one call."""
        recorder = modes.recorder
        if recorder is not None:
            state = symbolic(recorder.random_state(self.state), recorder)
            call = recorder.next_random_call(self.state)
            return ops.random_bits(state, call=call, shape=tuple(shape))
        made = ops.random_bits(self.state, call=0, shape=tuple(shape))
        self.storage.array[1] += 1
        self.storage.version.count += 1
        return made


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator (``torch.manual_seed``)."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator unpredictably (``torch.seed``)."""
    return default_generator.seed()


def initial_seed() -> int:
    """The default generator's seed (``torch.initial_seed``)."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state (``torch.get_rng_state``)."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Set the default generator's state (``torch.set_rng_state``)."""
    default_generator.set_state(new_state)


_UNIFORM_BITS = {float16: 11, bfloat16: 8, float32: 24}
"""As many bits as the significand holds, so that no number is rounded up to 1."""


def uniform_values(shape: Sequence[Size], dtype: DTypeLike, generator: Generator | None) -> Tensor:
    """Uniform numbers in ``[0, 1)``, of as many random bits as the dtype's significand holds."""
    source = generator or default_generator
    of = _require_float(dtype)
    bits = source.bits(shape)
    if of is not float64:
        count = _UNIFORM_BITS[of]
        top = _top_bits(bits, count, float32)
        return cast(elementwise.mul(top, scalar_tensor(2.0**-count, float32)), of)
    high, low = _top_bits(bits, 27, float64), _top_bits(source.bits(shape), 26, float64)
    whole = elementwise.add(elementwise.mul(high, scalar_tensor(2.0**26, float64)), low)
    return elementwise.mul(whole, scalar_tensor(2.0**-53, float64))


def _require_float(dtype: DTypeLike) -> DType:
    of = as_dtype(dtype)
    if not of.is_floating_point:
        raise DTypeError(
            "random floats need a floating point dtype", got=of.name, where=user_location_text()
        )
    return of


def _top_bits(bits: Tensor, count: int, dtype: DType) -> Tensor:
    """The highest bits as a number that is not negative."""
    mask = _int32(2**count - 1)
    return cast(
        comparison.bitwise_and(comparison.shift_right(bits, _int32(32 - count)), mask), dtype
    )


def _int32(value: int) -> Tensor:
    return concrete(np.asarray(value, np.int32))


def rand(
    *size: Any, dtype: DTypeLike | None = None, generator: Generator | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Uniform numbers in ``[0, 1)`` (``torch.rand``).

    Args:
        size: the shape.
        dtype: floating point type; default float32.
        generator: default: the global one.
        requires_grad: track gradients.
    """
    made = uniform_values(shape_argument("rand", size), dtype or float32, generator)
    return _as_leaf(made, requires_grad)


def _as_leaf(x: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        x.requires_grad = True
    return x


def randn(
    *size: Any, dtype: DTypeLike | None = None, generator: Generator | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Standard normal numbers (``torch.randn``); the same bits on every backend."""
    shape, of = shape_argument("randn", size), _require_float(dtype or float32)
    source = generator or default_generator
    first, second = source.bits(shape), source.bits(shape)
    made = ops.normal_from_bits(first, second, dtype=of)
    return _as_leaf(made, requires_grad)


def rand_like(input: Tensor, *, dtype: DTypeLike | None = None) -> Tensor:
    """Uniform numbers in the shape and dtype of another tensor (``torch.rand_like``)."""
    x = require_tensor("rand_like", input)
    return uniform_values(x.shape, dtype or x.dtype, None)


def randn_like(input: Tensor, *, dtype: DTypeLike | None = None) -> Tensor:
    """Standard normal numbers in the shape and dtype of another tensor (``torch.randn_like``)."""
    x = require_tensor("randn_like", input)
    return randn(x.shape, dtype=dtype or x.dtype)


def randint(
    low: int, high: Any = None, size: Sequence[Size] | None = None, *,
    dtype: DTypeLike = int64, generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Whole numbers in ``low .. high - 1`` (``torch.randint``).

    Args:
        low: smallest value; left out, it is 0: ``randint(high, size)``.
        high: bound, not reached; at most ``2**31`` above ``low``.
        size: the shape.
        dtype: element type.
        generator: default: the global one.

    Raises:
        ArgumentError: if there is no value in the range, or it is too wide.
    """
    if size is None:
        high, size = None, high
    if high is None:
        low, high = 0, low
    if size is None or not 0 < high - low <= 2**31:
        raise ArgumentError(
            "randint: expected low < high <= low + 2**31, and a size",
            got=f"{low}, {high}, {size}",
            where=user_location_text(),
        )  # fmt: skip
    bits = cast((generator or default_generator).bits(tuple(size)), int64)
    unsigned = pointwise.bitwise_and(bits, 0xFFFFFFFF)
    scaled = pointwise.bitwise_right_shift(pointwise.mul(unsigned, high - low), 32)
    return cast(pointwise.add(scaled, low), as_dtype(dtype))


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element says, else 0 (``torch.bernoulli``)."""
    p = require_tensor("bernoulli", input)
    drawn = uniform_values(p.shape, p.dtype, generator)
    return cast(comparison.lt(drawn, p), p.dtype)


def keep_mask(shape: Sequence[Size], keep: float, generator: Generator | None = None) -> Tensor:
    """True with probability ``keep``; what dropout multiplies by."""
    drawn = uniform_values(shape, float32, generator)
    return comparison.lt(drawn, scalar_tensor(keep, float32))


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """A random order of ``0 .. n - 1``; dynamic mode only (``torch.randperm``)."""
    source = generator or default_generator
    high = source.bits((n,)).array("a permutation").astype(np.int64)
    low = source.bits((n,)).array("a permutation").astype(np.int64)
    return concrete(np.lexsort((low, high)).astype(np.int64))


def normal(
    mean: float | Tensor = 0.0, std: float | Tensor = 1.0, size: Sequence[Size] | None = None, *,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normal numbers with this mean and standard deviation (``torch.normal``)."""
    like = next((x for x in (mean, std) if isinstance(x, TensorBase)), None)
    shape = tuple(size) if size is not None else () if like is None else like.shape
    drawn = randn(shape, dtype=float32 if like is None else like.dtype, generator=generator)
    return pointwise.add(pointwise.mul(drawn, std), mean)
