"""Moving, repeating, joining and cutting against PyTorch, in both modes."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError, SymbolicValueError
from tests.both_modes import check_both
from tests.torch_oracle import check

CUBE = np.arange(24.0).reshape(2, 3, 4)
GRID = np.arange(12.0).reshape(3, 4)
ROW = np.arange(5.0)
NUMBER = np.array(2.5)
EMPTY = np.zeros((0, 3))

PROGRAMS: list[Any] = [
    lambda m, x: (m.movedim(x, 0, -1), x.movedim((0, 2), (2, 1)), m.moveaxis(x, 1, 0)),
    lambda m, x: (m.swapaxes(x, 0, 2), x.swapdims(-1, 0), m.swapdims(x, 1, 1)),
    lambda m, x: (m.ravel(x), x.transpose(0, 2).ravel(), x[0, 0, 0].ravel()),
    lambda m, x: (m.unflatten(x, 2, (2, -1)), x.unflatten(-2, (3, 1)), x.unflatten(0, [1, 2, 1])),
    lambda m, x: (m.fliplr(x), m.flipud(x), x.flipud(), x.fliplr()),
    lambda m, x: [m.rot90(x, k, dims) for k in range(-2, 5) for dims in ((0, 1), [1, -1])],
    lambda m, x: (x.rot90(), x.rot90(1, (2, 0))),
    lambda m, x: (m.roll(x, 1), m.roll(x, -7), x.roll(2, 1), m.roll(x, (1, -1), (0, 2))),
    lambda m, x: (m.roll(x, (3, 5), dims=(1, 1)), x.roll(0, 0), x.roll(30)),
    lambda m, x: (x.repeat(1, 2, 1), x.repeat(2, 1, 1, 2), x.repeat((0, 1, 1)), x.repeat(1, 1, 1)),
    lambda m, x: (m.tile(x, (2,)), x.tile(2, 1), m.tile(x, (2, 1, 1, 3)), x.tile(())),
    lambda m, x: (m.repeat_interleave(x, 2), x.repeat_interleave(3, dim=1), x.repeat_interleave(0)),
    lambda m, x: (m.repeat_interleave(x, m.tensor([2, 0, 1]), dim=1),
                  x.repeat_interleave(m.tensor([3]), 0), x.repeat_interleave(m.tensor(2), -1)),
    lambda m, x: (x.unfold(2, 2, 1), x.unfold(1, 2, 2), x.unfold(-1, 4, 3), x.unfold(0, 0, 1)),
    lambda m, x: (m.atleast_1d(x), m.atleast_2d(x), m.atleast_3d(x)),
    lambda m, x: (m.hstack((x, x[:, :1])), m.vstack([x, x]), m.dstack((x, x[..., :2]))),
    lambda m, x: (m.column_stack((x, x)), m.concat((x, x), 1), m.concatenate([x, x], -1)),
    lambda m, x: m.tensor_split(x, 3) + m.tensor_split(x, 2, dim=2) + x.tensor_split((1, 3), 2),
    lambda m, x: m.tensor_split(x, (1, 1, 5), -1) + m.tensor_split(x, (2, 1), dim=1),
    lambda m, x: m.tensor_split(x, m.tensor([1]), 1) + m.tensor_split(x, (-1,), 2),
    lambda m, x: m.hsplit(x, 3) + m.vsplit(x, [1]) + m.dsplit(x, 2) + x.hsplit((1, 2)),
    lambda m, x: (m.diagonal(x), x.diagonal(1, 1, 2), x.diagonal(-1, 2, 0), x.diagonal(9)),
    lambda m, x: (m.diag_embed(x), x.diag_embed(1), m.diag_embed(x, -2, 0, 2), x.diag_embed(0, 1)),
    lambda m, x: (m.diagflat(x), x.diagflat(2), m.diagflat(x[0, 0], -1)),
    lambda m, x: [f(x, k) for f in (m.tril, m.triu) for k in range(-4, 5)],
    lambda m, x: (x.tril(), x.triu(1)),
    lambda m, x: (*m.unbind(x, 1), x.flip(0, 2), m.flip(x, [1])),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("program", PROGRAMS)
def test_of_three_dims(program: Any) -> None:
    check(program, CUBE)


MATRIX: list[Any] = [
    lambda m, x: (m.diag(x), x.diag(1), m.diag(x, -2), m.diag(x[0]), m.diag(x[0], -1)),
    lambda m, x: (m.hstack((x, x)), m.vstack((x, x[0])), m.dstack((x, x)), m.row_stack((x, x))),
    lambda m, x: (m.column_stack((x, x[:, 0])), m.column_stack((x[0], x[1]))),
    lambda m, x: (m.block_diag(x, x[0], x[0, 0]), m.block_diag(x, x[:0])),
    lambda m, x: m.hsplit(x, 2) + m.vsplit(x, 3) + m.hsplit(x[0], (1,)),
    lambda m, x: (m.roll(x, 1, 0), m.rot90(x), m.fliplr(x), m.atleast_3d(x)),
    lambda m, x: m.atleast_2d(x, x[0]) + m.atleast_1d((x[0, 0], x)),
    lambda m, x: (x.unfold(0, 2, 1), x.unfold(1, 3, 1)),
]


@pytest.mark.parity
@pytest.mark.parametrize("program", MATRIX)
def test_of_matrices(program: Any) -> None:
    check(program, GRID)
    check(program, GRID.astype(np.int32), grads=False)


VECTOR: list[Any] = [
    lambda m, x: (m.hstack((x, x)), m.vstack((x, x)), m.dstack((x, x)), m.column_stack((x, x))),
    lambda m, x: (m.atleast_1d(x), m.atleast_2d(x), m.atleast_3d(x), m.flipud(x)),
    lambda m, x: m.meshgrid(x, x[:2], indexing="ij") + m.meshgrid(x, x[:3], indexing="xy"),
    lambda m, x: m.meshgrid([x, x[:2], x[0]], indexing="xy") + m.meshgrid(x, indexing="ij"),
    lambda m, x: (m.cartesian_prod(x, x[:2]), m.cartesian_prod(x)),
    lambda m, x: (m.combinations(x), m.combinations(x, 3), m.combinations(x, 2, True),
                  m.combinations(x, r=0), m.combinations(x, 6)),
    lambda m, x: (m.repeat_interleave(x, m.tensor([0, 1, 2, 3, 0])), x.repeat(2, 3)),
    lambda m, x: (x.unfold(0, 2, 2), x[0].unfold(0, 1, 1)),
    lambda m, x: m.tensor_split(x, 4) + m.tensor_split(x, 7),
    lambda m, x: (m.diag(x), m.diag(x, 2), m.diag_embed(x, -1), m.diagflat(x)),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("program", VECTOR)
def test_of_vectors(program: Any) -> None:
    check(program, ROW)


@pytest.mark.parity
def test_of_numbers_and_nothing() -> None:
    check(
        lambda m, x: (m.atleast_1d(x), m.atleast_2d(x), m.atleast_3d(x), m.ravel(x), x.repeat(3),
                      m.hstack((x, x)), m.vstack((x, x)), m.dstack((x, x)), m.diagflat(x),
                      m.column_stack((x, x)), m.tile(x, (2, 2)), m.movedim(x, 0, 0), m.roll(x, 1)),
        NUMBER,
    )  # fmt: skip
    check(
        lambda m, x: (m.roll(x, 1), m.tril(x), m.diag(x), m.flipud(x), m.tile(x, (2, 2)),
                      m.rot90(x), x.repeat(1, 2), m.repeat_interleave(x, 2, 0), m.vstack((x, x))),
        EMPTY,
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(4, 2, 3), (2, 8, 1, 2), (1, 1, 4, 1, 3)])
def test_pixel_shuffle(shape: tuple[int, ...]) -> None:
    x = np.arange(float(np.prod(shape))).reshape(shape)
    check(lambda m, x: m.pixel_shuffle(x, 2), x)
    check(lambda m, x: m.pixel_unshuffle(m.pixel_shuffle(x, 2), 2) * x, x)


@pytest.mark.parity
def test_hostile_values_stay() -> None:
    x = np.array([[np.nan, np.inf, -0.0], [1.0, -np.inf, np.nan]], np.float32)
    check(lambda m, x: (m.tril(x), m.triu(x), m.roll(x, 1, 1), m.diag(x), m.diag_embed(x)), x)


def test_fresh_results_share_no_memory() -> None:
    def program(x: gc.Tensor) -> gc.Tensor:
        y = x * 1
        for made in (y.flip(0), y.repeat(1, 1), y.roll(0, 0), y.tril(), y.t().contiguous()):
            made.fill_(9)
        gc.rot90(y, 2)[0] = 5
        y.t()[0].fill_(7)
        return y

    (got,) = check_both(program, GRID).outputs
    wanted = GRID.copy()
    wanted[:, 0] = 7
    np.testing.assert_array_equal(got, wanted)


def test_triangles_of_unknown_sizes() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((None, 4), name="x")
        graph.output(x.tril(1), "low")
        graph.output(gc.roll(x, 1, 0), "rolled")
    value = np.arange(12, dtype=np.float32).reshape(3, 4)
    got = graph.compile(backend="numpy").run({"x": value})
    np.testing.assert_array_equal(got["low"], np.tril(value, 1))
    np.testing.assert_array_equal(got["rolled"], np.roll(value, 1, 0))


WRONG: list[Any] = [
    lambda x: gc.movedim(x, (0, 0), (0, 1)), lambda x: gc.movedim(x, 0, (0, 1)),
    lambda x: x.unflatten(0, (2, 2)), lambda x: x.unflatten(0, ()), lambda x: gc.fliplr(x[0]),
    lambda x: gc.rot90(x, 1, (0,)), lambda x: x.roll((1, 2)), lambda x: x.roll(1, (0, 1)),
    lambda x: x.repeat(2), lambda x: x.repeat(1, -1), lambda x: x.repeat_interleave(-1),
    lambda x: x.repeat_interleave(gc.tensor([1, 2]), 0), lambda x: x.unfold(0, 9, 1),
    lambda x: x.repeat_interleave(2, output_size=5),
    lambda x: x.repeat_interleave(gc.tensor([1.0])),
    lambda x: gc.tensor_split(x, 0), lambda x: gc.hsplit(x, 3), lambda x: gc.dsplit(x, 2),
    lambda x: gc.vsplit(x[0], 1), lambda x: gc.hstack([]), lambda x: gc.meshgrid(x),
    lambda x: gc.meshgrid(x[0], indexing="yx"), lambda x: gc.cartesian_prod(x),
    lambda x: gc.combinations(x), lambda x: gc.diagonal(x, 0, 1, 1), lambda x: gc.diagonal(x[0]),
    lambda x: gc.diag(x.reshape(1, 3, 4)), lambda x: gc.tril(x[0]),
    lambda x: gc.block_diag(x[None]),
    lambda x: gc.diag_embed(x, 0, 1, 1), lambda x: gc.pixel_shuffle(x[None], 2),
    lambda x: gc.pixel_unshuffle(x[None], 2), lambda x: gc.diagonal_scatter(x, gc.ones(2)),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arguments(wrong: Any) -> None:
    with pytest.raises(GraphcError, match=r"test_rearranging\.py"):
        wrong(gc.tensor(GRID))


def test_symbolic_counts() -> None:
    with gc.Graph(), pytest.raises(SymbolicValueError):
        gc.repeat_interleave(gc.ones(2), gc.placeholder((2,), gc.int64))
