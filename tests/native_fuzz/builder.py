"""A program that is being drawn: it runs dynamically, so that each step is known to fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

import graphc as gc
from graphc.dtypes import bool_
from graphc.errors import GraphcError
from tests.native_fuzz.program import Item, Role, Source, Step
from tests.native_fuzz.sources import Sizes, laid_out, values
from tests.programs.base import Array

Accepts = Callable[["Drawn"], bool]


class Drawn:
    """A value of the program."""

    def __init__(self, value: gc.Tensor, exact: bool) -> None:
        self.value, self.exact = value, exact
        self.shape: tuple[int, ...] = tuple(value.shape)
        self.size = math.prod(self.shape)

    @property
    def kind(self) -> str:
        """``b``, ``i`` or ``f``."""
        dtype = self.value.dtype
        return "b" if dtype is bool_ else "f" if dtype.is_floating_point else "i"

    @property
    def dtype(self) -> str:
        """The element type's name."""
        return self.value.dtype.name


class Builder:
    """The items so far and their values.

    Args:
        rng: decides everything.
        sizes: what shapes are made of.
        smooth: gradients will be taken: no kinks where values are not exact.
        special: NaN, infinities and such are among the inputs.
        updated: variables have other values in the next run.
    """

    def __init__(
        self, rng: np.random.Generator, sizes: Sizes, *, smooth: bool, special: bool, updated: bool
    ) -> None:
        self.rng, self.sizes, self.smooth, self.special = rng, sizes, smooth, special
        self._updated = updated
        self.items: list[Item] = []
        self.drawn: list[Drawn] = []

    def __getitem__(self, position: int) -> Drawn:
        return self.drawn[position]

    def chance(self, probability: float) -> bool:
        """True that often."""
        return bool(self.rng.random() < probability)

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        return int(self.rng.integers(0, bound))

    def choose(self, options: list[str]) -> str:
        """One of some names."""
        return options[self.below(len(options))]

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a new value of this shape is not too large."""
        return math.prod(shape) <= self.sizes.most

    def source(self, shape: tuple[int, ...], dtype: str, role: Role | None = None) -> int:
        """A new source with moderate values."""
        if role is None:
            role = "constant" if self.chance(0.1) else "input"
            if dtype == "float32" and self.chance(0.5 if self.smooth else 0.15):
                role = "variable"
        special = self.special and role == "input" and self.chance(0.7)
        array = values(self.rng, shape, dtype, special)
        return self.given(laid_out(self.rng, array) if role == "input" else array, role)

    def given(self, array: Array, role: Role) -> int:
        """A new source with these values."""
        value = gc.tensor(array, requires_grad=self.smooth and role == "variable")
        exact = role != "variable" or not self._updated
        self.items.append(Source(array, role, exact))
        self.drawn.append(Drawn(value, exact))
        return len(self.items) - 1

    def pick(self, accepts: Accepts = lambda one: True) -> int | None:
        """The position of a value that is accepted; later values are drawn more often."""
        fitting = [n for n, one in enumerate(self.drawn) if accepts(one)]
        if not fitting:
            return None
        return fitting[-1 - min(int(self.rng.exponential(3)), len(fitting) - 1)]

    def add(self, step: Step) -> bool:
        """Take a step, unless its result is too large in size or value."""
        if sum(self.drawn[n].size for n in step.operands) > 4 * self.sizes.most:
            return False
        try:
            with np.errstate(all="ignore"):
                value = step.apply(*(self.drawn[n].value for n in step.operands))
        except GraphcError as error:
            raise AssertionError(f"{step} on {[self[n].value.type for n in step.operands]}: "
                                 f"{error}") from error  # fmt: skip
        made = Drawn(value, step.exact)
        if made.size > 2 * self.sizes.most or not self._is_moderate(made):
            return False
        self.items.append(step)
        self.drawn.append(made)
        return True

    def _is_moderate(self, made: Drawn) -> bool:
        if made.kind != "f":
            return True
        magnitudes = np.abs(made.value.detach().numpy().astype(np.float64))
        finite = magnitudes[np.isfinite(magnitudes)]
        if not self.special and finite.size != magnitudes.size:
            return False
        bound = 200.0 if made.dtype.endswith("16") else 1e4
        return bool(finite.max(initial=0.0) <= bound)
