"""Einsum and products over chosen dims against PyTorch, in both modes."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, ShapeError
from tests.torch_oracle import check

Shape = tuple[int, ...]

EQUATIONS: list[tuple[str, list[Shape]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ji", [(2, 3)]),
    ("ii->i", [(3, 3)]), ("ii", [(3, 3)]), ("iij,jk->ik", [(3, 3, 2), (2, 4)]),
    ("iii->i", [(3, 3, 3)]), ("...ii->...i", [(2, 3, 3)]), ("ij->", [(2, 3)]),
    ("i,i->", [(3,), (3,)]), ("i,j->ij", [(2,), (3,)]), ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), (" b i j , b j k -> k b i ", [(2, 3, 4), (2, 4, 5)]),
    ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]), ("...,...->...", [(2, 3), (3,)]),
    ("i...,i...->...", [(3, 2, 1), (3, 4)]), ("Ba,aB", [(2, 3), (3, 2)]),
    ("ab,bc,cd->ad", [(2, 3), (3, 4), (4, 5)]), ("ab,cb,db->acd", [(2, 3), (4, 3), (5, 3)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]), ("ij,jk->ik", [(2, 1), (3, 4)]),
    ("ij,kl->", [(2, 3), (4, 5)]), ("ij,ik->j", [(2, 3), (2, 4)]), (",i->i", [(), (3,)]),
    ("->", [()]), ("ij,jk->ik", [(2, 0), (0, 4)]), ("ij->j", [(0, 3)]),
    ("bn,anm,bm->ba", [(2, 5), (3, 5, 4), (2, 4)]),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("equation", "shapes"), EQUATIONS)
def test_einsum(equation: str, shapes: list[Shape], rng: np.random.Generator) -> None:
    arrays = [rng.normal(size=shape) for shape in shapes]
    check(lambda m, *x: m.einsum(equation, *x), *arrays, loose=50)
    check(lambda m, *x: m.einsum(equation, list(x)), *arrays, grads=False, loose=50)


@pytest.mark.parity
def test_einsum_with_sublists(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    check(lambda m, a, b: m.einsum(a, [0, 1], b, [1, 2], [2, 0]), a, b, loose=50)
    check(lambda m, a, b: m.einsum(a, [5, 9], b, [9, 1]), a, b, loose=50)
    check(lambda m, a, b: m.einsum(a, [..., 1], b, [1, 2], [..., 2]), a, b, loose=50)
    check(lambda m, a: m.einsum(a, [27, 1]), a)


def test_einsum_compiled(rng: np.random.Generator) -> None:
    @gc.compile
    def product(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        return gc.einsum("bi,ij->bj", x, y)

    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(product(gc.tensor(a), gc.tensor(b)).numpy(), a @ b, rtol=1e-12)


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        (("ij,jk", gc.ones(2, 3)), ArgumentError, "2 terms, 1 operands"),
        (("ij", gc.ones(2)), ArgumentError, "one label per dim"),
        (("i->ij", gc.ones(2)), ArgumentError, "labels that occur"),
        (("i->ii", gc.ones(2)), ArgumentError, "each once"),
        (("i1", gc.ones(2, 2)), ArgumentError, "letters"),
        (("......", gc.ones(2, 2)), ArgumentError, "one '...'"),
        (("i,i", gc.ones(2), gc.ones(3)), ShapeError, "sizes of one label differ"),
        (("ii", gc.ones(2, 3)), ShapeError, "equal sizes"),
        (("i,i", gc.ones(2), gc.ones(2).double()), DTypeError, "one dtype"),
        ((gc.ones(2), [52]), ArgumentError, "from 0 to 51"),
    ],
)
def test_einsum_refuses(args: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        gc.einsum(*args)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["inner", "kron", "outer", "vdot", "ger", "dot"])
@pytest.mark.parametrize("dtype", [np.float64, np.int32])
def test_products_of_vectors(name: str, dtype: Any, rng: np.random.Generator) -> None:
    a, b = (rng.integers(-5, 5, 3).astype(dtype) for _ in range(2))
    check(lambda m, a, b: getattr(m, name)(a, b), a, b)
    check(lambda m, a, b: getattr(a, name)(b), a, b)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("left", "right"), [((2, 3), (3,)), ((), (2, 3)), ((2, 3), ()), ((2, 3), (4, 1, 3))]
)
def test_inner_and_kron(left: Shape, right: Shape, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=left), rng.normal(size=right)
    check(lambda m, a, b: m.inner(a, b), a, b, loose=10)
    check(lambda m, a, b: m.kron(a, b), a, b, loose=10)


@pytest.mark.parity
@pytest.mark.parametrize("dims", [0, 1, 2, ([0], [1]), ([1, 0], [0, 1]), ([], [])])
def test_tensordot(dims: Any, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(3, 3)), rng.normal(size=(3, 3, 2))
    check(lambda m, a, b: m.tensordot(a, b, dims), a, b, loose=10)


SUMS: list[tuple[str, Shape, Shape, Shape]] = [
    ("addmm", (2, 4), (2, 3), (3, 4)), ("addmm", (4,), (2, 3), (3, 4)),
    ("addmm", (2, 1), (2, 0), (0, 4)), ("addmv", (2,), (2, 3), (3,)), ("addmv", (), (2, 3), (3,)),
    ("addr", (2, 3), (2,), (3,)), ("addbmm", (2, 4), (5, 2, 3), (5, 3, 4)),
    ("baddbmm", (2, 4), (5, 2, 3), (5, 3, 4)), ("baddbmm", (5, 2, 4), (5, 2, 3), (5, 3, 4)),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("name", "x", "left", "right"), SUMS)
def test_sums_with_products(
    name: str, x: Shape, left: Shape, right: Shape, rng: np.random.Generator
) -> None:
    arrays = [rng.normal(size=shape) for shape in (x, left, right)]
    check(lambda m, x, a, b: getattr(m, name)(x, a, b), *arrays, loose=10)
    check(lambda m, x, a, b: getattr(x, name)(a, b, beta=0.5, alpha=-2), *arrays, loose=10)
    hollow = [np.full(x, np.nan), *arrays[1:]]
    check(lambda m, x, a, b: getattr(m, name)(x, a, b, beta=0), *hollow, loose=10)


@pytest.mark.parity
def test_chain_matmul(rng: np.random.Generator) -> None:
    sizes = [(2, 5), (5, 1), (1, 4), (4, 3)]
    arrays = [rng.normal(size=shape) for shape in sizes]
    check(lambda m, *x: m.linalg.multi_dot(x), *arrays, loose=10)
    np.testing.assert_allclose(
        gc.chain_matmul(*map(gc.tensor, arrays)).numpy(), np.linalg.multi_dot(arrays), rtol=1e-12
    )
    assert gc.chain_matmul(gc.ones(2, 3)).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: gc.outer(gc.ones(2, 2), gc.ones(2)), ShapeError, "two vectors"),
        (lambda: gc.tensordot(gc.ones(2), gc.ones(3), 1), ShapeError, "paired dims differ"),
        (lambda: gc.tensordot(gc.ones(2), gc.ones(3), 2), ArgumentError, "number of dims"),
        (lambda: gc.addmm(gc.ones(3), gc.ones(2, 2), gc.ones(2, 2)), ShapeError, "expand"),
        (
            lambda: gc.addmm(gc.tensor(1), gc.ones(2, 2).long(), gc.ones(2, 2).long(), alpha=0.5),
            ArgumentError, "whole factors",
        ),
        (lambda: gc.addmm(gc.tensor(1), gc.ones(2, 2), gc.ones(2, 2)), DTypeError, "one dtype"),
        (lambda: gc.chain_matmul(gc.ones(3)), ShapeError, "expected matrices"),
    ],
)  # fmt: skip
def test_wrong_arguments(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
