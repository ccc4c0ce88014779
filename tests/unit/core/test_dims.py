"""Unknown sizes: arithmetic agrees with integers, equal expressions are equal."""

import operator
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.dims import Dim, Size, floor_divide, larger, smaller
from graphc.errors import ArgumentError, ShapeError

N, M = Dim.named("N"), Dim.named("M")
Sizes = dict[str, int]
Expression = tuple[Size, Callable[[Sizes], int]]


def leaf(size: Size) -> Expression:
    return size, lambda sizes: sizes[str(size)] if isinstance(size, Dim) else size


def joined(parts: tuple[Callable[..., Size], Expression, Expression]) -> Expression:
    function, (left, left_value), (right, right_value) = parts
    return function(left, right), lambda sizes: function(left_value(sizes), right_value(sizes))


def divided(parts: tuple[Expression, Expression]) -> Expression:
    (top, top_value), (bottom, bottom_value) = parts
    return floor_divide(top, bottom), lambda sizes: top_value(sizes) // bottom_value(sizes)


DIVISORS = st.sampled_from([leaf(1), leaf(2), leaf(3), leaf(N), leaf(M), leaf(-2)])
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(st.integers(-4, 4).map(leaf), st.sampled_from([leaf(N), leaf(M)])),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from([operator.add, operator.sub, operator.mul]), inner, inner).map(
            joined
        ),
        st.tuples(inner, DIVISORS).map(divided),
        st.tuples(st.sampled_from([smaller, larger]), inner, inner).map(joined),
    ),
    max_leaves=6,
)
VALUES = st.fixed_dictionaries({"N": st.integers(1, 30), "M": st.integers(1, 30)})


def value_of(size: Size, sizes: Sizes) -> Size:
    return size.bind(sizes) if isinstance(size, Dim) else size


@given(EXPRESSIONS, VALUES)
def test_binding_gives_what_integers_give(expression: Expression, sizes: Sizes) -> None:
    size, evaluate = expression
    assert value_of(size, sizes) == evaluate(sizes)


@given(EXPRESSIONS, VALUES)
def test_binding_one_name_at_a_time_ends_in_the_same_number(
    expression: Expression, sizes: Sizes
) -> None:
    size, evaluate = expression
    for name in ("M", "N"):
        size = value_of(size, {name: sizes[name]})
    assert size == evaluate(sizes)


@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_laws_hold_as_equality_of_expressions(a: Expression, b: Expression, c: Expression) -> None:
    x, y, z = a[0], b[0], c[0]
    assert x + y == y + x
    assert x * y == y * x
    assert (x + y) + z == x + (y + z)
    assert (x * y) * z == x * (y * z)
    assert x * (y + z) == x * y + x * z
    assert x - x == 0
    assert x * 1 == x
    assert hash(x * (y + z)) == hash(x * y + x * z)


@given(EXPRESSIONS)
def test_an_exact_quotient_undoes_a_product(expression: Expression) -> None:
    size = expression[0]
    assert floor_divide(size * 6, 6) == size
    assert floor_divide(size * (N + 1), N + 1) == size or size == 0


@given(EXPRESSIONS, EXPRESSIONS, st.integers(-3, 3))
def test_the_smaller_size_is_one_expression(a: Expression, b: Expression, shift: int) -> None:
    x, y = a[0], b[0]
    assert smaller(x, y) == smaller(y, x)
    assert smaller(x, y) + larger(x, y) == x + y
    assert smaller(x + shift, y + shift) == smaller(x, y) + shift
    assert smaller(x, x) == x


def test_the_smaller_size_where_signs_tell() -> None:
    assert smaller(N, 0) == 0
    assert smaller(N * M + 2, N * M) == N * M
    assert larger(smaller(N, 5), 0) == smaller(N, 5)
    assert isinstance(smaller(N - 1, 0), Dim)


@given(EXPRESSIONS)
def test_pickling_keeps_the_expression(expression: Expression) -> None:
    assert pickle.loads(pickle.dumps(expression[0])) == expression[0]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (N, "N"), (N * 2 - 3, "2*N-3"), (N * N + M, "N^2+M"), (-N, "-N"), (3 - N, "-N+3"),
        ((N + 1) // 2, "(N+1)//(2)"), (((N + 1) // 2) * 2, "2*(N+1)//(2)"), (7 // N, "(7)//(N)"),
        (N % 2, "N-2*(N)//(2)"), (smaller(N + 1, 5), "min(4,N)+1"), (larger(M, N), "M+N-min(M,N)"),
    ],
)  # fmt: skip
def test_text(size: Size, text: str) -> None:
    assert str(size) == text


def test_cancelled_unknowns_leave_an_int() -> None:
    assert type(N - N) is int
    assert type((N * 4) // N) is int
    assert (N * M * 6) // (M * 2) == N * 3
    assert (N * N - 1) // (N - 1) == N + 1
    assert (N * N * N - 1) // (N - 1) == N * N + N + 1


def test_division_by_zero() -> None:
    with pytest.raises(ShapeError, match="divided by zero"):
        floor_divide(3, 0)
    with pytest.raises(ShapeError, match="divided by zero"):
        floor_divide(N, 0)
    quotient = M // N
    assert isinstance(quotient, Dim)
    with pytest.raises(ShapeError, match="divided by zero"):
        quotient.bind({"M": 3, "N": 0})


@pytest.mark.parametrize("convert", [int, bool, range, lambda size: [0][size]])
def test_an_unknown_size_has_no_value(convert: Callable[[Dim], object]) -> None:
    with pytest.raises(ShapeError, match="known only at run time"):
        convert(N)


@pytest.mark.parametrize("function", [operator.add, operator.mul, operator.sub])
def test_only_sizes_mix_with_sizes(function: Callable[[object, object], object]) -> None:
    with pytest.raises(TypeError):
        function(N, 1.5)


def test_a_name_must_be_an_identifier() -> None:
    with pytest.raises(ArgumentError, match="identifier"):
        Dim.named("2N")
