"""What a program of the zoo is: one function of tensors, its inputs, and an oracle in numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

import graphc as gc
from tests.closeness import assert_same

Array = npt.NDArray[Any]
Inputs = Callable[[np.random.Generator], tuple[Array, ...]]

SEED = 7
"""Every program starts with this seed."""

HALVES = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))


@dataclass(frozen=True)
class Program:
    """A small program and what it must give.

    Args:
        name: the function's name.
        function: takes tensors, and before them the variables by name if there are any; returns
            nested tensors.
        inputs: makes the arrays to feed.
        oracle: the same in numpy, written apart; its float64 results stand for `result`. It gets
            float inputs as float64, and puts new values of variables into its first argument.
        variables: makes the first values of variables that require gradients; None: there are none.
        result: the dtype of floating point results.
        ulps: how far from the oracle a result may be, in units in the last place.
        absolute: permitted distance besides.
        special: NaN, infinities, signed zeros and denormals may be among its inputs.
        signed_zero: native code gives dynamic mode's signs of zeros.
    """

    name: str
    function: Callable[..., Any]
    inputs: Inputs
    oracle: Callable[..., Any]
    variables: Callable[[], dict[str, Array]] | None
    result: str
    ulps: float
    absolute: float
    special: bool
    signed_zero: bool

    def start(self) -> tuple[Callable[..., Any], dict[str, gc.Tensor]]:
        """The function bound to fresh variables, and these."""
        gc.manual_seed(SEED)
        if self.variables is None:
            return self.function, {}
        function = self.function
        state = {
            name: gc.tensor(values, requires_grad=True) for name, values in self.variables().items()
        }
        return (lambda *inputs: function(state, *inputs)), state

    def expected(
        self, calls: list[tuple[Array, ...]]
    ) -> tuple[list[list[Array]], dict[str, Array]]:
        """What each call must return, and what the variables must hold afterwards."""
        first = {} if self.variables is None else self.variables()
        state = {name: _wide(values) for name, values in first.items()}
        results = []
        for inputs in calls:
            wide = [_wide(array) for array in inputs]
            with np.errstate(all="ignore"):
                given = self.oracle(*wide) if self.variables is None else self.oracle(state, *wide)
            results.append([self._rounded(leaf) for leaf in leaves(given)])
        return results, {name: self._rounded(values) for name, values in state.items()}

    def _rounded(self, values: Any) -> Array:
        array = np.asarray(values)
        with np.errstate(all="ignore"):
            return array.astype(self.result) if array.dtype == np.float64 else array

    def check(self, actual: Array, expected: Array, what: str) -> None:
        """Raise AssertionError unless a result is what the oracle says."""
        assert_same(
            actual, expected, ulps=self.ulps, absolute=self.absolute, signed_zero=False, what=what
        )


def _wide(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "f" or array.dtype in HALVES else array


def leaves(structure: Any) -> list[Any]:
    """The tensors or arrays of nested lists, tuples and dicts, in order."""
    if isinstance(structure, Mapping):
        return [leaf for part in structure.values() for leaf in leaves(part)]
    if isinstance(structure, list | tuple):
        return [leaf for part in structure for leaf in leaves(part)]
    return [structure]


PROGRAMS: dict[str, Program] = {}
"""All programs by name."""


def program(
    inputs: Inputs, oracle: Callable[..., Any], *,
    variables: Callable[[], dict[str, Array]] | None = None, result: str = "float32",
    ulps: float = 4, absolute: float = 0.0, special: bool = False,
    signed_zero: bool = True,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # fmt: skip
    """Put the decorated function among the programs; see ``Program``."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        assert name not in PROGRAMS, f"two programs are called {name}"
        PROGRAMS[name] = Program(
            name,
            function,
            inputs,
            oracle,
            variables,
            result,
            ulps,
            absolute,
            special,
            signed_zero,
        )
        return function

    return register


def normal(*shapes: tuple[int, ...], dtype: Any = np.float32) -> Inputs:
    """Normal numbers in these shapes."""
    return lambda rng: tuple(np.asarray(rng.standard_normal(s)).astype(dtype) for s in shapes)


def positive(*shapes: tuple[int, ...], dtype: Any = np.float32) -> Inputs:
    """Numbers between 0.25 and 4 in these shapes."""
    return lambda rng: tuple(np.asarray(rng.uniform(0.25, 4, s)).astype(dtype) for s in shapes)


def integers(
    *shapes: tuple[int, ...], low: int = -50, high: int = 50, dtype: Any = np.int64
) -> Inputs:
    """Whole numbers from `low` to `high` - 1 in these shapes."""
    return lambda rng: tuple(np.asarray(rng.integers(low, high, s)).astype(dtype) for s in shapes)


def both(*makers: Inputs) -> Inputs:
    """The inputs of several makers, one after the other."""
    return lambda rng: tuple(array for maker in makers for array in maker(rng))


def sprinkled(array: Array, rng: np.random.Generator) -> Array:
    """The array with NaN, infinities, signed zeros and denormals in a third of its places."""
    info = ml_dtypes.finfo(array.dtype)
    tiny = float(info.smallest_subnormal)
    specials = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -tiny, 3 * tiny, 1.0, -1.0])
    chosen = specials[rng.integers(0, specials.size, array.shape)].astype(array.dtype)
    return np.where(rng.random(array.shape) < 1 / 3, chosen, array)
