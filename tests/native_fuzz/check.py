"""One seed: every execution of its program gives what it must."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.closeness import assert_same
from tests.native_fuzz.generate import generate
from tests.native_fuzz.program import Program
from tests.native_fuzz.rounding import bounds, floor, largest_size
from tests.native_fuzz.running import REFERENCE, Execution, Values, run


@dataclass(frozen=True)
class Plan:
    """How a seed is checked.

    Args:
        isa: instruction set of native code; empty: the machine's.
        threads: numbers of threads that must give the bits of one thread.
        efforts: LLVM's levels besides 2, which must give the same bits.
    """

    isa: str = ""
    threads: Sequence[int] = (2, 3)
    efforts: Sequence[int] = (0,)

    def executions(self, divided: bool) -> list[Execution]:
        """The executions; all must give the first one's bits."""
        first = Execution(isa=self.isa, divided=divided)
        more = [Execution(isa=self.isa, divided=divided, threads=n) for n in self.threads]
        more += [Execution(isa=self.isa, divided=divided, effort=n) for n in self.efforts]
        return [first, *more]


class Failure(AssertionError):  # noqa: N818 - a failure of a test, not an error of the program
    """A program and what went wrong."""

    def __init__(self, program: Program, what: str) -> None:
        super().__init__(f"seed {program.seed}: {what}\n{program}")
        self.program, self.what = program, what


def check_seed(seed: int, plan: Plan) -> None:
    """Raise Failure if the seed's program does not give what it must."""
    check_program(generate(seed), plan)


def check_program(program: Program, plan: Plan) -> None:
    """Raise Failure if a program does not give what it must."""
    first, *more = plan.executions(divided=program.seed % 2 == 1)
    got = _try(program, first)
    reference = _try(program, REFERENCE)
    _attempt(program, f"{first} against {REFERENCE}", lambda: _close(program, got, reference))
    for execution in more:
        other = _try(program, execution)
        _attempt(program, f"{execution} against {first}", functools.partial(_same_bits, other, got))


def _try(program: Program, execution: Execution) -> Values:
    found: list[Values] = []
    _attempt(program, str(execution), lambda: found.append(run(program, execution)))
    return found[0]


def _attempt(program: Program, what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as error:
        raise Failure(program, f"{what}: {type(error).__name__}: {error}") from error


def _same_bits(got: Values, expected: Values) -> None:
    for name, array in expected.items():
        assert_same(got[name], array, what=name)


def _close(program: Program, got: Values, expected: Values) -> None:
    """Exact results are the reference's; others are as close as rounding errors allow."""
    allowed = bounds(program)
    terms = largest_size(program) if program.updates != "none" else 1
    assert got.keys() == expected.keys() == allowed.keys()
    exact = {f"r{n}" for n, place in enumerate(program.results) if program.items[place].exact}
    for name, array in expected.items():
        if name.partition(".")[0] in exact or array.dtype.kind in "biu":
            assert_same(got[name], array, signed_zero=False, what=name)
        else:
            bound = allowed[name] + floor(array, terms)
            assert_same(got[name], array, absolute=bound, signed_zero=False, what=name)
