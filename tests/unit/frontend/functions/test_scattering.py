"""Writing at positions into a copy, and searching, against PyTorch, in both modes."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError, SymbolicValueError
from tests.torch_oracle import check

RNG = np.random.default_rng(5)
X = RNG.normal(size=(4, 5))
ONCE = np.array([[0, 3, 1, 2, 0], [2, 1, 3, 0, 3]])
REPEATED = np.array([[0, 3, 1, 2, 0], [0, 1, 1, 0, 3], [0, 3, 2, 2, 0]])
SRC = RNG.normal(size=(4, 6))


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter")
def test_scatter() -> None:
    check(lambda m, x, i, s: (m.scatter(x, 0, i, s), x.scatter(-2, i, s)), X, ONCE, SRC[:2, :5])
    check(lambda m, x, i, s: x.scatter(0, i, s), X, ONCE, SRC, grads=False)
    check(lambda m, x, i: (m.scatter(x, 0, i, 2.5), x.scatter(0, i, value=-1)), X, ONCE)
    columns = np.array([[4, 0], [1, 2], [0, 4]])
    check(lambda m, x, i, s: x.scatter(1, i, s), X, columns, SRC[:3, :2])
    for reduce in ("add", "multiply"):
        check(partial(scatter_by, reduce), X, REPEATED, SRC, grads=False)
    check(lambda m, x, i: m.scatter_add(x, 0, i, x[:3]), X, REPEATED)


def scatter_by(reduce: str, m: Any, x: Any, i: Any, s: Any) -> Any:
    return x.scatter(0, i, s, reduce=reduce)


@pytest.mark.parity
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scatter_reduce(reduce: str, include_self: bool) -> None:
    def program(m: Any, x: Any, i: Any, s: Any) -> Any:
        return m.scatter_reduce(x, 0, i, s, reduce, include_self=include_self)

    source = SRC[:3, :5]
    check(program, X, REPEATED, source, loose=8)
    check(lambda m, x, i, s: x.scatter_reduce(1, i, s, reduce, include_self=include_self),
          X, REPEATED % 5, source, loose=8)  # fmt: skip
    whole = np.arange(20).reshape(4, 5) - 7
    check(program, whole, REPEATED, whole[:3] * 2, grads=False)
    with_zeros = np.where(source > 0.5, 0, source)
    check(program, np.where(X > 0.5, 0, X), REPEATED, with_zeros, loose=8)


@pytest.mark.parity
def test_ties_share_the_gradient() -> None:
    x, s = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0, 1.0])
    check(lambda m, x, s: m.scatter_reduce(x, 0, m.tensor([1, 1, 2, 0]), s, "amax"), x, s)


@pytest.mark.parity
@pytest.mark.parametrize("dim", [0, 1])
def test_along_one_dim(dim: int) -> None:
    part = SRC[:3, :5] if dim == 0 else SRC[:, :3]
    check(
        lambda m, x, i, s: (m.index_add(x, dim, i, s), x.index_add(dim, i, s, alpha=-2)),
        X, np.array([3, 0, 3]), part,
    )  # fmt: skip
    once = np.array([3, 0, 1])
    check(
        lambda m, x, i, s: (m.index_copy(x, dim, i, s), x.index_copy(dim - 2, i, s)), X, once, part
    )
    check(lambda m, x, i: (m.index_fill(x, dim, i, 2.0), x.index_fill(dim, i - 4, 1)), X, once)
    check(lambda m, x: x.index_fill(dim, m.tensor([1]), x[0, 0]), X)
    check(lambda m, x: x.index_fill(dim, m.tensor([1, 0, 1, 1]), x[0, 0]), X)


@pytest.mark.parity
def test_of_numbers() -> None:
    check(
        lambda m, x, s: (
            m.index_add(x, 0, m.tensor([0]), s), x.index_copy(0, m.tensor(0), s),
            x.index_fill(0, m.tensor([0]), 3.0), x.scatter(0, m.tensor(0), s),
            x.scatter_add(0, m.tensor(0), s),
        ),
        np.array(1.5), np.array(7.0),
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:index_reduce")
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
def test_index_reduce(reduce: str, include_self: bool) -> None:
    index = np.array([3, 0, 3])
    check(lambda m, x, i, s: m.index_reduce(x, 0, i, s, reduce, include_self=include_self),
          X, index, SRC[:3, :5], loose=8)  # fmt: skip
    check(lambda m, x, i, s: x.index_reduce(1, i, s, reduce, include_self=include_self),
          X, index, SRC[:, :3], loose=8)  # fmt: skip


@pytest.mark.parity
def test_put_and_take() -> None:
    index = np.array([[0, -1], [7, 3]])
    check(lambda m, x, i: (m.take(x, i), x.take(i[0])), X, index)
    check(lambda m, x, i, s: (m.take(x, i), x.put(i, s)), X, index, SRC[:2, :2])
    again = np.array([1, 1, -19])
    check(lambda m, x, i, s: m.Tensor.put(x, i, s, accumulate=True), X, again, SRC[0, :3])
    check(lambda m, x, i, s: m.Tensor.index_put(x, (i,), s), X, ONCE[0, :4], SRC[:4, :5])
    check(lambda m, x, i, s: m.index_put(x, (i, i), s, True), X, np.array([1, 1]), SRC[0, :2])
    check(lambda m, x, i: m.take_along_dim(x, i, 1), X, REPEATED[:1])
    check(lambda m, x, i: m.take_along_dim(x, i), X, REPEATED)


@pytest.mark.parity
def test_scatters_of_views() -> None:
    check(lambda m, x, s: (m.select_scatter(x, s[0, :5], 0, -1), x.select_scatter(s[:, 0], 1, 2)),
          X, SRC)  # fmt: skip
    check(lambda m, x, s: (m.slice_scatter(x, s[:2, :5], 0, 1, 3), x.slice_scatter(s[:, :2], 1, 3),
                           x.slice_scatter(s[:, :3], 1, None, None, 2),
                           x.slice_scatter(s[:, :2], 1, -4, 100, step=3),
                           x.slice_scatter(s[:, :0], 1, 3, 2)), X, SRC)  # fmt: skip
    check(lambda m, x, s: (m.diagonal_scatter(x, s[0, :4]), x.diagonal_scatter(s[0, :3], -1),
                           x.diagonal_scatter(s[0, :4], 1, 0, 1)), X, SRC)  # fmt: skip


@pytest.mark.parity
def test_positions() -> None:
    x = np.array([[0, 3, 0], [5, 0, -1]])
    check(lambda m, x: (m.nonzero(x), m.argwhere(x), *m.nonzero(x, as_tuple=True)), x, record=False)
    check(lambda m, x: (m.argwhere(x[0, 1]), *x[0, 1].nonzero(as_tuple=True)), x, record=False)
    check(lambda m, x: (m.masked_select(x, x > 0), x.masked_select(m.tensor([True, False, True]))),
          x * 1.5, record=False)  # fmt: skip
    with gc.Graph(), pytest.raises(SymbolicValueError):
        gc.placeholder((3,)).nonzero()
    with gc.Graph():
        symbolic = gc.placeholder((3,))
        with pytest.raises(SymbolicValueError):
            symbolic.masked_select(symbolic > 0)


@pytest.mark.parity
def test_searching() -> None:
    rows = np.sort(X, axis=1)
    check(
        lambda m, s, v: (
            m.searchsorted(s, v), m.searchsorted(s, v, right=True),
            m.searchsorted(s, v, side="right", out_int32=True),
            m.searchsorted(s[0].contiguous(), v),
        ),
        rows, SRC, grads=False,
    )  # fmt: skip
    check(lambda m, s, v: m.searchsorted(s, v, sorter=m.tensor(np.argsort(X, axis=1))), X, SRC,
          grads=False)  # fmt: skip
    check(lambda m, b, v: (m.bucketize(v, b), m.bucketize(v, b, right=True), m.bucketize(3, b),
                           m.searchsorted(b, 2)), np.array([1, 2, 2, 5]), np.array([[0, 2, 9]]),
          grads=False)  # fmt: skip


WRONG: list[Any] = [
    lambda x, i: x.scatter(0, i), lambda x, i: x.scatter(0, i, x, value=1),
    lambda x, i: x.scatter(0, i, x, reduce="mean"), lambda x, i: x.scatter(0, i, x.float()),
    lambda x, i: x.scatter(0, i, x[:1]), lambda x, i: x.scatter(2, i, x),
    lambda x, i: x.scatter(0, i.float(), x), lambda x, i: x.scatter(0, i + 4, x),
    lambda x, i: x.scatter_reduce(0, i, x, "max"), lambda x, i: x.scatter_add(0, i - 9, x),
    lambda x, i: x.index_add(0, i, x), lambda x, i: x.index_add(0, i[0, :2], x),
    lambda x, i: x.index_copy(0, i[0], x), lambda x, i: x.index_fill(0, i[0], x),
    lambda x, i: x.index_reduce(0, i[0], x, "sum"), lambda x, i: x.put(i, x),
    lambda x, i: x.take(i.float()), lambda x, i: x.take(i + 30), lambda x, i: x.take(i - 30),
    lambda x, i: x.select_scatter(x, 0, 0), lambda x, i: x.select_scatter(x[0], 0, 4),
    lambda x, i: x.slice_scatter(x, 0, 1), lambda x, i: x.index_put((), x),
    lambda x, i: gc.masked_select(x, i), lambda x, i: gc.masked_select(x, i[:, :2] > 0),
    lambda x, i: gc.searchsorted(x, i), lambda x, i: gc.searchsorted(x, x[:2]),
    lambda x, i: gc.searchsorted(x, x, side="middle"), lambda x, i: gc.bucketize(x, x),
    lambda x, i: gc.searchsorted(x, x, right=True, side="left"),
    lambda x, i: gc.searchsorted(x, x, sorter=i), lambda x, i: x.take_along_dim(i[:, :2], 0),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arguments(wrong: Any) -> None:
    with pytest.raises(GraphcError, match=r"test_scattering\.py"):
        wrong(gc.tensor(X), gc.tensor(ONCE))
