"""Programs of views and products: slices, permutations, concatenation, matmul."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from tests.programs.base import Array, normal, program


def _products(a: Array, b: Array, v: Array, batch: Array, other: Array) -> list[Array]:
    return [a @ b, v @ b, a @ v, v @ v, batch @ other, batch @ b, a @ other, v @ other, batch @ v]


@program(normal((3, 4), (4, 5), (4,), (2, 1, 3, 4), (6, 4, 2)), _products, absolute=2e-6)
def matmul_ranks(a: Any, b: Any, v: Any, batch: Any, other: Any) -> Any:
    return [a @ b, v @ b, a @ v, v @ v, batch @ other, batch @ b, a @ other, v @ other, batch @ v]


@program(
    normal((9, 4), (4, 17), (17, 1)),
    lambda x, w, v: (
        x.T @ x,
        np.maximum(x @ w + 1, 0) @ v,
        (x.T @ np.tanh(x)).T @ w,
        (w.T[::2] @ x[::-1].T),
    ),
    absolute=2e-5,
)
def matmul_chain(x: Any, w: Any, v: Any) -> Any:
    return (
        x.T @ x,
        (x @ w + 1).relu() @ v,
        (x.T @ x.tanh()).T @ w,
        w.T[::2] @ x.flip(0).T,
    )


def _slices(x: Array) -> list[Array]:
    return [
        x[::-2, 1:], x[..., None, 1:-1], x[-1], x[2:0:-1], x[:, 3], x[1:1], x[-100:100, ::3],
        x[None, 2, ..., ::-1] * 2, x[1::2, ::-1].sum(0), x[::-1] + x, x[3:, :4] * x[:2, 3:],
    ]  # fmt: skip


@program(normal((5, 7)), _slices, absolute=1e-6, special=True)
def slices(x: Any) -> Any:
    return _slices(x)


@program(
    normal((4, 3), (2, 3)),
    lambda x, y: [
        np.concatenate([x, y]), np.concatenate([x[::-1], x * 2], 1), np.stack([y, y + 1], 1),
        *np.split(x, [2], 0), *np.array_split(x, 2, 1), np.flip(x, (0, 1)) - x,
        np.concatenate([x, y]).sum(0), np.concatenate([x[:0], y]),
    ],
    absolute=1e-6,
)  # fmt: skip
def joined_and_split(x: Any, y: Any) -> Any:
    return [
        gc.cat([x, y]), gc.cat([x.flip(0), x * 2], 1), gc.stack([y, y + 1], 1),
        *x.split(2, 0), *x.chunk(2, 1), x.flip((0, 1)) - x,
        gc.cat([x, y]).sum(0), gc.cat([x[:0], y]),
    ]  # fmt: skip


@program(
    normal((3, 5, 7), (7, 1)),
    lambda x, y: [
        np.tanh(x.transpose(2, 0, 1)), x.transpose(1, 2, 0).sum(0),
        x.swapaxes(0, 2) * y[:, :, None],
        np.broadcast_to(y, (7, 4)) + 1, np.broadcast_to(y, (7, 4)).sum(1), x.reshape(15, 7) @ y,
        x.transpose(2, 0, 1).reshape(7, 15).sum(1), x.reshape(-1)[::2], x[:, None].squeeze(1) * 2,
        x.transpose(0, 2, 1).reshape(3, -1),
    ],
    absolute=4e-6,
)  # fmt: skip
def permuted_and_expanded(x: Any, y: Any) -> Any:
    return [
        x.permute(2, 0, 1).tanh(), x.permute(1, 2, 0).sum(0), x.transpose(0, 2) * y[:, :, None],
        y.expand(7, 4) + 1, y.expand(7, 4).sum(1), x.reshape(15, 7) @ y,
        x.permute(2, 0, 1).reshape(7, 15).sum(1), x.flatten()[::2], x[:, None].squeeze(1) * 2,
        x.transpose(1, 2).reshape(3, -1),
    ]  # fmt: skip


@program(
    normal((6, 8)),
    lambda x: [x.T[::2].sum(0), x[::-1, 1::3].max(1), np.exp(x.T)[1:].sum(), x.T.argmax(0)],
    absolute=1e-5,
)
def reduced_views(x: Any) -> Any:
    return [x.T[::2].sum(0), x[::-1, 1::3].amax(1), x.T.exp()[1:].sum(), x.T.argmax(0)]


@program(normal((4, 4), (4,)), lambda x, y: [x, x, x.T, y[0], x.reshape(16), np.float32(3) * 1.0])
def results_that_are_inputs(x: Any, y: Any) -> Any:
    """Inputs, views of inputs, one value twice and a constant as results."""
    return [x, x, x.T, y[0], x.reshape(16), gc.tensor(3.0) * 1]
