"""Random programs in native code: some seeds on each run, and proof that the fuzzer sees bugs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

from graphc.errors import ArgumentError
from graphc.runtime.llvm.compiler.target import named_target
from graphc.runtime.llvm.ir.emitter import Emitter
from graphc.runtime.llvm.ir.values import Value
from graphc.runtime.llvm.math import exponential, table
from graphc.runtime.llvm.scalar import scalar_ops
from tests.native_fuzz.check import Failure, Plan, check_program, check_seed
from tests.native_fuzz.generate import generate
from tests.native_fuzz.program import Program, Source, Step
from tests.native_fuzz.shrink import shrink
from tests.sources import ROOT

FIRST = 100_000
CHUNKS, CHUNK = 9, 10
PLANS = {
    "host": Plan(threads=(2,), efforts=(0,)),
    "avx2": Plan("avx2", threads=(3,), efforts=(0,)),
    "baseline": Plan("baseline", threads=(), efforts=()),
}


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", PLANS)
def test_seeds(name: str, chunk: int) -> None:
    plan = PLANS[name]
    try:
        named_target(plan.isa)
    except ArgumentError:
        pytest.skip(f"this machine has no {plan.isa}")
    first = FIRST + (list(PLANS).index(name) * CHUNKS + chunk) * CHUNK
    for seed in range(first, first + CHUNK):
        check_seed(seed, plan)


def test_a_seed_is_one_program() -> None:
    for seed in range(20):
        first, second = generate(seed), generate(seed)
        assert str(first) == str(second)
        for one, other in zip(first.items, second.items, strict=True):
            if isinstance(one, Source) and isinstance(other, Source):
                assert one.array.tobytes() == other.array.tobytes()


def _program(*steps: tuple[str, Callable[[Any], Any]]) -> Program:
    """Steps one after the other on a matrix."""
    rng = np.random.default_rng(3)
    source = Source(rng.standard_normal((33, 65)).astype(np.float32), "input", exact=True)
    chain = [Step(text, (n,), apply, False) for n, (text, apply) in enumerate(steps)]
    return Program((source, *chain), (len(chain), 1), "none", seed=1, runs=2)


def _inaccurate(e: Emitter, x: Value) -> Value:
    """Hyperbolic tangent with some twelve right bits."""
    return e.mul(exponential.tanh(e, x), 1 + 2.0**-12)


def test_wrong_values_are_found_and_shrunk() -> None:
    program = _program(
        ("flip", lambda x: x.flip(0)), ("twice", lambda x: x * 2), ("tanh", lambda x: x.tanh()),
        ("sum", lambda x: x.sum(0)), ("sin", lambda x: x.sin()),
    )  # fmt: skip
    plan = Plan(threads=(), efforts=())
    check_program(program, plan)

    def fails(one: Program) -> bool:
        try:
            check_program(one, plan)
        except Failure:
            return True
        return False

    wrong = {**table.UNARY, "tanh": _inaccurate}
    with mock.patch.object(scalar_ops, "UNARY", wrong):
        with pytest.raises(Failure, match="against numpy-O0"):
            check_program(program, plan)
        small = shrink(program, fails)
    assert [item.text for item in small.items if isinstance(item, Step)] == ["tanh"]
    assert not fails(small)


OVERRUN = """
from unittest import mock
from tests.native_fuzz import running
from tests.test_native_fuzz import _program, Plan, check_program
honest = running._poisoned
program = _program(
    ("softmax", lambda x: x.softmax(0)), ("turned", lambda x: (x @ x.T).flip(1)),
    ("again", lambda x: (x @ x).cos()),
)
check_program(program, Plan(threads=(), efforts=()))
print("fine so far", flush=True)
with mock.patch.object(running, "_poisoned", lambda nbytes: honest(nbytes - 64)):
    check_program(program, Plan(threads=(), efforts=()))
"""


def test_memory_has_an_end() -> None:
    """A program that gets 64 bytes less than it planned dies."""
    done = subprocess.run(
        [sys.executable, "-c", OVERRUN], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "fine so far\n", done.stderr
    assert done.returncode in (-signal.SIGSEGV, -signal.SIGBUS), done.stderr


def test_the_command_reports() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.native_fuzz", "--seeds", f"{FIRST}:{FIRST + 3}",
         "--threads", "", "--efforts", ""],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"seeds {FIRST} to {FIRST + 2}: 0 failed")
