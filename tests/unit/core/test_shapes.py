"""Sizes that must agree, and shapes that broadcast."""

import pytest

from graphc.dims import Dim, Size
from graphc.shapes import Constraint, broadcast_shapes, collect_constraints, numel, unify

N, M = Dim.named("N"), Dim.named("M")


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [(3, 3, 3), (3, 4, None), (N, N, N), (N, N + 1, None), (N, 3, 3), (3, N, 3), (N, M, N)],
)
def test_unify(left: Size, right: Size, common: Size | None) -> None:
    assert unify(left, right) == common


def test_assumed_equalities_are_reported() -> None:
    found: list[Constraint] = []
    with collect_constraints(found.append):
        unify(N, M)
        unify(N, 3)
        unify(N, N)
        unify(N, N + 1)
    unify(N, M)
    assert found == [Constraint(N, M), Constraint(N, 3)]


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(), ()], ()), ([(2, 3), (3,)], (2, 3)), ([(4, 1), (1, 5)], (4, 5)), ([(0,), (1,)], (0,)),
        ([(0,), (2,)], None), ([(2,), (3,)], None), ([(N, 1), (3,)], (N, 3)), ([(N,), (1,)], (N,)),
        ([(N,), (3,)], (3,)), ([(2,), (1,), (2,)], (2,)), ([], ()),
    ],
)  # fmt: skip
def test_broadcast(shapes: list[tuple[Size, ...]], expected: tuple[Size, ...] | None) -> None:
    assert broadcast_shapes(*shapes) == expected


def test_number_of_elements() -> None:
    assert numel(()) == 1
    assert numel((2, N, 3)) == 6 * N
    assert numel((N, 0)) == 0
