"""Random programs: every level of optimization and every backend computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import graphc as gc
from graphc.config import CHECK
from graphc.parse import parse_graph
from graphc.text import constants_of, format_graph, variables_of
from tests.backends import BACKENDS
from tests.closeness import assert_same
from tests.programs.base import Array
from tests.random_programs import RandomProgram, programs

Results = tuple[list[Array], list[Array]]


def run(program: RandomProgram, wide: bool = False, **options: Any) -> Results:
    """Results, and variables afterwards; dynamically without options, in float64 if `wide`."""
    function, variables = program.start(wide)
    inputs = [gc.as_tensor(x) for x in program.inputs]
    if wide:
        inputs = [x.double() if x.is_floating_point() else x for x in inputs]
    with np.errstate(all="ignore"):
        results = (gc.compile(function, **options) if options else function)(*inputs)
    return [x.detach().numpy() for x in results], [v.detach().numpy().copy() for v in variables]


def check_same_bits(got: Results, expected: Results) -> None:
    assert len(got[0]) == len(expected[0])
    for place, (one, other) in enumerate(zip(got[0], expected[0], strict=True)):
        assert_same(one, other, what=f"result {place}")
    for place, (one, other) in enumerate(zip(got[1], expected[1], strict=True)):
        assert_same(one, other, what=f"variable {place}")


def numpy_run(program: RandomProgram, level: str) -> Results:
    return run(program, backend="numpy", optimize=level)


def test_checks_are_on() -> None:
    assert CHECK.number() >= 1


@settings(max_examples=80)
@given(programs())
def test_the_reference_gives_dynamic_bits_at_every_level(program: RandomProgram) -> None:
    expected = run(program)
    for level in ("O0", "O1", "O2"):
        check_same_bits(numpy_run(program, level), expected)


@settings(max_examples=50)
@given(programs(differentiate=True))
def test_train_steps_give_dynamic_bits_at_every_level(program: RandomProgram) -> None:
    expected = run(program)
    for level in ("O0", "O1", "O2"):
        check_same_bits(numpy_run(program, level), expected)


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one != "numpy"])
@settings(max_examples=50)
@given(program=programs())
def test_native_programs(backend: str, program: RandomProgram) -> None:
    expected = numpy_run(program, "O0")
    got = run(program, backend=backend)
    check_close(program, got, expected)
    for place, number in enumerate(program.results):
        if program.exact[number]:
            assert_same(got[0][place], expected[0][place], signed_zero=False, what=f"exact {place}")


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one != "numpy"])
@settings(max_examples=30)
@given(program=programs(differentiate=True))
def test_native_train_steps(backend: str, program: RandomProgram) -> None:
    check_close(program, run(program, backend=backend), numpy_run(program, "O0"))


def check_close(program: RandomProgram, got: Results, expected: Results) -> None:
    """Differences are of the size of the error that rounding makes in this program.

    It is measured against the same program in float64, and is at least what rounding the largest
    value involved can make.
    """
    exact = run(program, wide=True)
    pairs = [*zip(got[0], expected[0], exact[0], strict=True)]
    pairs += zip(got[1], expected[1], exact[1], strict=True)
    dtypes = {x.dtype for part in pairs for x in part[:2] if x.dtype.kind == "f"}
    unit = max((float(np.finfo(of).eps) for of in dtypes | {np.dtype(np.float32)}), default=0.0)
    halves = any("half" in step.text for step in program.steps)
    unit = 2.0**-10 if halves or any(x.dtype == np.float16 for x in program.inputs) else unit
    size = max([1.0, *(_largest(x) for part in pairs for x in part)])
    for place, (one, other, wide) in enumerate(pairs):
        with np.errstate(all="ignore"):
            rounding = _largest(other.astype(np.float64) - wide)
        assert_same(
            one, other, absolute=16 * rounding + 64 * unit * size, signed_zero=False,
            what=f"result or variable {place}",
        )  # fmt: skip


def _largest(x: Array) -> float:
    """The largest finite magnitude."""
    finite = np.abs(x.astype(np.float64))
    return float(finite[np.isfinite(finite)].max(initial=0.0))


@settings(max_examples=40)
@given(programs(differentiate=True))
def test_text_reads_back(program: RandomProgram) -> None:
    function, _ = program.start()
    recorded = gc.trace(function, *[gc.as_tensor(x) for x in program.inputs])
    for graph in (recorded.program, recorded.lower()):
        text = format_graph(graph)
        read = parse_graph(text, constants=constants_of(graph), variables=variables_of(graph))
        assert read.same_as(graph)
        assert format_graph(read, locations=False) == format_graph(graph, locations=False)
