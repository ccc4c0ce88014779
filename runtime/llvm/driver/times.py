"""How long the steps of a run took, those of programs inside steps included.

Somebody who wants to know gives a run memory: for each step of the plan the time when it begins,
and when the last one ends. Behind that, for each step that runs programs and each of these, are the
nanoseconds that its steps took in all iterations together, and the memory that it notes times in.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from graphc.runtime.backend import StepSeconds
from graphc.runtime.llvm.driver.clock import STAMP_BYTES
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.plan import Inside, Plan

Words = npt.NDArray[np.int64]

_WORD = 8

ADD_TIMES = "graphc.add_times"
"""``void (ptr sums, ptr times, i64 steps)``: add what each step took, unless ``times`` is null."""


def times_bytes(plan: Plan) -> int:
    """How much memory a run needs for its times."""
    inside = sum(inside_bytes(step.inside) for step in plan.steps if step.inside is not None)
    return (len(plan.steps) + 1) * STAMP_BYTES + inside


def inside_bytes(inside: Inside) -> int:
    """How much of it belongs to the programs of one step."""
    return sum(len(plan.steps) * _WORD + times_bytes(plan) for plan in inside.plans)


def start_of(plan: Plan, position: int) -> int:
    """Where the memory for the programs of a step begins, in bytes."""
    before = (step.inside for step in plan.steps[:position])
    start = (len(plan.steps) + 1) * STAMP_BYTES
    return start + sum(inside_bytes(inside) for inside in before if inside is not None)


def places(inside: Inside) -> Iterator[tuple[int, int]]:
    """For each program of a step where its sums are and where it notes times, in bytes."""
    start = 0
    for plan in inside.plans:
        yield start, start + len(plan.steps) * _WORD
        start += len(plan.steps) * _WORD + times_bytes(plan)


def read_inside(plan: Plan, position: int, memory: Words) -> tuple[tuple[StepSeconds, ...], ...]:
    """How long the steps of all programs of a step took.

    Args:
        plan: the plan with the step.
        position: which step.
        memory: that of a run of the plan.
    """
    inside = plan.steps[position].inside
    if inside is None:
        return ()
    start = start_of(plan, position)
    found = []
    for own, (sums, times) in zip(inside.plans, places(inside), strict=True):
        nanoseconds = memory[(start + sums) // _WORD :]
        below = memory[(start + times) // _WORD :]
        found.append(
            tuple(
                StepSeconds(1e-9 * float(nanoseconds[number]), read_inside(own, number, below))
                for number in range(len(own.steps))
            )
        )
    return tuple(found)


def define_add_times(module: Module) -> None:
    """Add the function to a module, for its own use."""
    module.define(
        ADD_TIMES,
        f"""define internal void @{ADD_TIMES}(ptr %sums, ptr %times, i64 %steps) nounwind {{
entry:
  %asked = icmp ne ptr %times, null
  %some = icmp sgt i64 %steps, 0
  %wanted = and i1 %asked, %some
  br i1 %wanted, label %next, label %done
next:
  %step = phi i64 [ 0, %entry ], [ %following, %next ]
  %following = add i64 %step, 1
  %begin.at = getelementptr {{ i64, i64 }}, ptr %times, i64 %step
  %end.at = getelementptr {{ i64, i64 }}, ptr %times, i64 %following
  %begin.low.at = getelementptr i64, ptr %begin.at, i64 1
  %end.low.at = getelementptr i64, ptr %end.at, i64 1
  %begin = load i64, ptr %begin.at, align 8
  %end = load i64, ptr %end.at, align 8
  %begin.low = load i64, ptr %begin.low.at, align 8
  %end.low = load i64, ptr %end.low.at, align 8
  %seconds = sub i64 %end, %begin
  %whole = mul i64 %seconds, 1000000000
  %rest = sub i64 %end.low, %begin.low
  %took = add i64 %whole, %rest
  %sum.at = getelementptr i64, ptr %sums, i64 %step
  %sum = load i64, ptr %sum.at, align 8
  %more = add i64 %sum, %took
  store i64 %more, ptr %sum.at, align 8
  %again = icmp slt i64 %following, %steps
  br i1 %again, label %next, label %done
done:
  ret void
}}""",
    )
