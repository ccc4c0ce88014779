"""How far to go along a direction: a step that satisfies the strong Wolfe conditions.

The function must fall by a part of what its slope promises, and the slope must become flat. First
steps grow until some two of them have such a step between them; then they close in on it. Both by
the lowest point of the cubic polynomial through two points with their slopes (Nocedal and Wright,
Numerical Optimization, chapter 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from graphc.frontend.tensor import Tensor

FALL = 1e-4
"""The part of the promised fall that is enough."""

FLAT = 0.9
"""The part of the first slope that counts as flat."""

Number = Any
"""A float, or a 0-d tensor."""


class Point(NamedTuple):
    """A place on the line.

    Attributes:
        step: how far along the direction.
        loss: the function's value.
        grad: its gradient, flat.
        slope: the gradient times the direction.
    """

    step: Number
    loss: float
    grad: Tensor
    slope: Number


Evaluate = Callable[[Number], Point]


def strong_wolfe(
    evaluate: Evaluate, start: Point, step: Number, reach: Number, tolerance: float, most: int
) -> tuple[Point, int]:
    """A point that satisfies the conditions, or the best one that was found.

    Args:
        evaluate: the point at a step.
        start: the point at step 0.
        step: where to look first.
        reach: the largest element of the direction.
        tolerance: a bracket that moves no element by more is small enough.
        most: how many more steps may be tried.

    Returns:
        The point, and how often the function was evaluated.
    """
    before, here = start, evaluate(step)
    for tried in range(most):
        if _is_too_high(here, start) or (tried > 1 and here.loss >= before.loss):
            return _close_in(evaluate, start, [before, here], reach, tolerance, tried, most)
        if _is_flat(here, start):
            return here, tried + 1
        if here.slope >= 0:
            return _close_in(evaluate, start, [before, here], reach, tolerance, tried, most)
        nearest, farthest = here.step + 0.01 * (here.step - before.step), here.step * 10
        before, here = here, evaluate(_lowest(before, here, nearest, farthest))
    return (start if start.loss <= here.loss else here), max(most, 0) + 1


def _close_in(
    evaluate: Evaluate, start: Point, bracket: list[Point], reach: Number, tolerance: float,
    tried: int, most: int,
) -> tuple[Point, int]:  # fmt: skip
    """The second phase, from two points with a good one between them."""
    low, was_near_end = _lower(bracket), False
    while tried < most:
        near, far = sorted(point.step for point in bracket)
        if (far - near) * reach < tolerance:
            break
        step = _lowest(bracket[0], bracket[1], near, far)
        margin = 0.1 * (far - near)
        if min(far - step, step - near) >= margin:
            was_near_end = False
        elif was_near_end or step >= far or step <= near:
            step = far - margin if far - step < step - near else near + margin
            was_near_end = False
        else:
            was_near_end = True
        here, tried = evaluate(step), tried + 1
        if _is_too_high(here, start) or here.loss >= bracket[low].loss:
            bracket[1 - low] = here
            low = _lower(bracket)
            continue
        if here.slope * (bracket[1 - low].step - bracket[low].step) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = here
        if _is_flat(here, start):
            break
    return bracket[low], tried + 1


def _is_too_high(here: Point, start: Point) -> bool:
    return bool(here.loss > start.loss + FALL * here.step * start.slope)


def _is_flat(here: Point, start: Point) -> bool:
    return bool(abs(here.slope) <= -FLAT * start.slope)


def _lower(bracket: list[Point]) -> int:
    return 0 if bracket[0].loss <= bracket[1].loss else 1


def _lowest(first: Point, second: Point, least: Number, most: Number) -> Number:
    """Where the cubic through two points is lowest, within limits; else between these."""
    near, far = (first, second) if first.step <= second.step else (second, first)
    bend = near.slope + far.slope - 3 * (near.loss - far.loss) / (near.step - far.step)
    square = bend * bend - near.slope * far.slope
    if not square >= 0:
        return (least + most) / 2.0
    root = square**0.5
    share = (far.slope + root - bend) / (far.slope - near.slope + 2 * root)
    return min(max(far.step - (far.step - near.step) * share, least), most)
