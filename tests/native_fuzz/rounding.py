"""How far results may be apart: what rounding errors of this program make of its results."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import graphc as gc
from tests.native_fuzz.program import Hook, Program, Source, Step
from tests.programs.base import Array

EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
SAMPLES = 5
"""How often the program runs with errors."""

STRENGTH = 2
"""Errors of one step, in units of rounding."""

FLOOR = 16
"""Units of rounding of the largest value, or of what flows back through a step: steps that are
several operations round more often, and gradients may cancel inside of them."""

MARGIN = 8
"""What the largest error of the samples is multiplied by."""


def bounds(program: Program) -> dict[str, float]:
    """For each result, gradient and variable how far two right values may be apart.

    The program runs in float64, once as it is and some times with random errors in each step.
    """
    values = program.own_values
    units = [EPSILON.get(value.dtype.name, 0.0) for value in values]
    plain = _wide_runs(program, None, lambda variable: None)
    found: dict[str, float] = {}
    flows = [0.0]
    for sample in range(SAMPLES):
        rng = np.random.default_rng([program.seed, sample])
        hook = functools.partial(_disturb, rng, units, flows)
        round_off = functools.partial(_disturb_variable, rng)
        for name, array in _wide_runs(program, hook, round_off).items():
            with np.errstate(all="ignore"):
                apart = np.abs(array - plain[name])
            found[name] = max(found.get(name, 0.0), MARGIN * _largest(apart))
    inside = 4 * FLOOR * max(EPSILON["float32"], *units) * max(flows)
    return {n: bound + (0.0 if _is_before_updates(n) else inside) for n, bound in found.items()}


def _is_before_updates(name: str) -> bool:
    """Whether this is a result of the first run, which no gradient has gone into."""
    return name[0] == "r" and name.endswith(".0")


def floor(array: Array, terms: int = 1) -> float:
    """What may always be apart: some units in the last place of the largest value.

    Args:
        array: the values.
        terms: how many terms each is a sum of, at most.
    """
    units = FLOOR + math.sqrt(terms) / 4
    return units * EPSILON.get(array.dtype.name, 0.0) * _largest(array)


def largest_size(program: Program) -> int:
    """Elements of the largest value."""
    return max(int(value.numel()) for value in program.own_values)


def _disturb(
    rng: np.random.Generator, units: Sequence[float], flows: list[float], step: Step,
    operands: Sequence[Any], value: Any, position: int,
) -> Any:  # fmt: skip
    if not value.is_floating_point():
        return value
    value = value.double()
    unit = STRENGTH * units[position]
    if value.requires_grad:

        def disturb(gradient: Any) -> Any:
            flows.append(_largest(gradient.detach().numpy()))
            return gradient * gc.tensor(1 + unit * rng.uniform(-1, 1, gradient.shape))

        value.register_hook(disturb)
    if step.exact:
        return value
    common = rng.uniform(-1, 1)  # a function's errors need not be even: sums of them add up
    result = value * gc.tensor(1 + unit * (common + rng.uniform(-1, 1, value.shape)) / 2)
    if step.spread is not None:
        arrays = [np.asarray(x.detach().numpy(), np.float64) for x in operands]
        with np.errstate(all="ignore"):
            size = step.spread(arrays, np.asarray(value.detach().numpy()))
        result = result + gc.tensor(unit * rng.uniform(-1, 1, value.shape) * size)
    return result


def _disturb_variable(rng: np.random.Generator, variable: Any) -> None:
    """What an update does when it is rounded."""
    values = variable.storage.array
    values *= 1 + STRENGTH * EPSILON["float32"] * rng.uniform(-1, 1, values.shape)


def _widen(step: Step, operands: Sequence[Any], value: Any, position: int) -> Any:
    return value.double() if value.is_floating_point() else value


def _wide_runs(
    program: Program, hook: Hook | None, after: Callable[[Any], None]
) -> dict[str, Array]:
    """Results of all runs, and variables afterwards, in float64.

    Args:
        program: the program.
        hook: what happens to each step's result.
        after: what happens to each variable after each run with updates.
    """
    gc.manual_seed(program.seed)
    sources = {}
    for position, item in enumerate(program.items):
        if isinstance(item, Source):
            value = gc.tensor(item.array)
            value = value.double() if value.is_floating_point() else value
            value.requires_grad = item.role == "variable"
            sources[position] = value
    variables = {n: sources[n] for n in program.places("variable")}
    optimizer = program.optimizer(list(variables.values()))
    found: dict[str, Array] = {}
    for run in range(program.runs if program.updates != "none" else 1):
        with np.errstate(all="ignore"):
            results = program.step(sources, optimizer, hook or _widen)
        found |= {f"{name}.{run}": _numbers(x) for name, x in results.items()}
        if program.updates != "none":
            for variable in variables.values():
                after(variable)
    return found | {f"v{n}": _numbers(x) for n, x in variables.items()}


def _numbers(x: Any) -> Array:
    return np.array(x.detach().numpy(), np.float64)


def _largest(array: Array) -> float:
    """The largest finite magnitude."""
    magnitudes = np.abs(array.astype(np.float64))
    return float(magnitudes[np.isfinite(magnitudes)].max(initial=0.0))
