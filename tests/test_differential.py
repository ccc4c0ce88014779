"""Every program of the zoo in every execution: the same values, dtypes and shapes.

The numpy backend gives dynamic mode's bits at every level. Native code stays within the program's
distance from dynamic mode and from the oracle, and has NaN where they have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.pipeline import PASS_NAMES
from tests.backends import EXECUTIONS, OPTIMIZED, Execution
from tests.closeness import assert_same
from tests.programs import PROGRAMS, Program
from tests.programs.base import Array, leaves, sprinkled

Results = tuple[list[list[Array]], dict[str, Array]]
Calls = list[tuple[Array, ...]]

every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
special_programs = pytest.mark.parametrize(
    "program", [pytest.param(p, id=p.name) for p in PROGRAMS.values() if p.special]
)
every_execution = pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
optimized = pytest.mark.parametrize("execution", OPTIMIZED, ids=str)


def run(program: Program, calls: Calls, compiled: Callable[..., Any] | None = None) -> Results:
    """What each call returns and the variables afterwards; dynamically unless `compiled`."""
    function, state = program.start()
    function = function if compiled is None else compiled(function)
    with np.errstate(all="ignore"):
        results = [leaves(function(*map(gc.as_tensor, inputs))) for inputs in calls]
    arrays = [[leaf.detach().numpy() for leaf in result] for result in results]
    return arrays, {name: tensor.detach().numpy().copy() for name, tensor in state.items()}


def run_compiled(program: Program, calls: Calls, execution: Execution, **more: Any) -> Results:
    return run(program, calls, lambda f: gc.compile(f, **execution.options(**more)))


def check_oracle(program: Program, calls: Calls, got: Results) -> None:
    results, state = program.expected(calls)
    for number, (actual, expected) in enumerate(zip(got[0], results, strict=True)):
        for place, (one, other) in enumerate(zip(actual, expected, strict=True)):
            program.check(one, other, f"result {place} of call {number}")
    for name, values in state.items():
        program.check(got[1][name], values, f"variable {name}")


def check_alike(program: Program, got: Results, expected: Results, *, exact: bool) -> None:
    bound: dict[str, Any] = {}
    if not exact:
        bound = {
            "ulps": program.ulps, "absolute": program.absolute, "signed_zero": program.signed_zero
        }  # fmt: skip
    for number, (first, second) in enumerate(zip(got[0], expected[0], strict=True)):
        for place, (one, other) in enumerate(zip(first, second, strict=True)):
            assert_same(one, other, **bound, what=f"result {place} of call {number}")
    for name, values in expected[1].items():
        assert_same(got[1][name], values, **bound, what=f"variable {name}")


def check_dynamic(program: Program, execution: Execution, calls: Calls, got: Results) -> None:
    check_alike(program, got, run(program, calls), exact=execution.exact)


@every_program
def test_dynamic_mode_is_what_the_oracle_says(program: Program, rng: np.random.Generator) -> None:
    calls = [program.inputs(rng) for _ in range(2)]
    check_oracle(program, calls, run(program, calls))


@every_program
@every_execution
def test_compiled_programs(
    program: Program, execution: Execution, rng: np.random.Generator
) -> None:
    """The second call has other values; the first call's results must survive it."""
    calls = [program.inputs(rng) for _ in range(2)]
    got = run_compiled(program, calls, execution)
    check_oracle(program, calls, got)
    check_dynamic(program, execution, calls, got)


@special_programs
@every_execution
def test_special_values(program: Program, execution: Execution, rng: np.random.Generator) -> None:
    calls = [
        tuple(sprinkled(x, rng) if x.dtype.kind == "f" else x for x in program.inputs(rng))
        for _ in range(3)
    ]
    got = run_compiled(program, calls, execution)
    check_oracle(program, calls, got)
    check_dynamic(program, execution, calls, got)


def transposed(x: Array) -> Array:
    return np.asfortranarray(x)


def backwards(x: Array) -> Array:
    flipped = x[(slice(None, None, -1),) * x.ndim].copy()
    return flipped[(slice(None, None, -1),) * x.ndim]


def with_gaps(x: Array) -> Array:
    spread = np.zeros((*x.shape, 3), x.dtype)
    spread[..., 1] = x
    return spread[..., 1]


def repeated(x: Array) -> Array:
    """One row for all rows, with a stride of 0."""
    return np.broadcast_to(x[:1], x.shape) if x.ndim else x


@every_program
@optimized
@pytest.mark.parametrize("layout", [transposed, backwards, with_gaps, repeated])
def test_layouts_of_feeds(
    program: Program, execution: Execution, layout: Callable[[Array], Array],
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Dynamic mode only within the bound: numpy's own loops depend on strides."""
    strange = tuple(map(layout, program.inputs(rng)))
    plain = tuple(np.array(x, order="C") for x in strange)
    got = run_compiled(program, [strange], execution)
    check_alike(program, got, run_compiled(program, [plain], execution), exact=True)
    check_alike(program, got, run(program, [strange]), exact=False)


@every_program
@optimized
@pytest.mark.parametrize("left_out", PASS_NAMES)
def test_without_one_pass(
    program: Program, execution: Execution, left_out: str, rng: np.random.Generator
) -> None:
    calls = [program.inputs(rng)]
    got = run_compiled(program, calls, execution, disable=(left_out,))
    check_dynamic(program, execution, calls, got)
