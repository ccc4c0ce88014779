"""Shape and layout against PyTorch, in both modes."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.frontend.functions import padding
from tests.both_modes import check_both
from tests.torch_oracle import check

DTYPES = ["bool", "int16", "float32", "float64"]


def counting(shape: tuple[int, ...], dtype: str = "float64") -> gc.Tensor:
    """0, 1, 2, ... in this shape; in a shape of bools, False and then True."""
    return gc.arange(int(np.prod(shape))).to(dtype).reshape(shape)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("old", "new"),
    [((), (1, 1)), ((1,), ()), ((6,), (2, 3)), ((2, 3), (-1,)), ((2, 3), (3, -1)), ((0, 3), (3, 0)),
     ((0, 3), (-1, 3)), ((2, 3, 4), (4, -1, 3)), ((2, 2), (2, 2))],
)  # fmt: skip
def test_reshape(old: tuple[int, ...], new: tuple[int, ...], dtype: str) -> None:
    check(lambda m, x: x.reshape(new), counting(old, dtype))
    check(lambda m, x: m.reshape(x, new), counting(old, dtype))
    check(lambda m, x: x.reshape(*new) if new else x.view(new), counting(old, dtype))
    check(lambda m, x: x.permute(tuple(range(x.ndim))[::-1]).reshape(new), counting(old, dtype))


@pytest.mark.parametrize("new", [(4,), (-1, -1), (-1, 4), (5, -1), (2, 2)])
def test_reshape_errors(new: tuple[int, ...]) -> None:
    with pytest.raises(gc.GraphcError, match="reshape") as caught:
        counting((2, 3)).reshape(new)
    assert "test_shaping.py" in str(caught.value)


@pytest.mark.parity
@pytest.mark.parametrize("args", [(), (0,), (1,), (0, 1), (1, -1), (-2, -1), (0, 2)])
def test_flatten(args: tuple[int, ...]) -> None:
    check(lambda m, x: m.flatten(x, *args), counting((2, 3, 4)))
    check(lambda m, x: x.flatten(), counting(()))


@pytest.mark.parity
@pytest.mark.parametrize("dims", [(0, 1, 2), (2, 0, 1), (-1, 0, 1), (1, -1, 0)])
def test_permute(dims: tuple[int, ...]) -> None:
    check(lambda m, x: (x.permute(dims), x.permute(*dims), m.permute(x, dims)), counting((2, 3, 4)))


@pytest.mark.parity
def test_transposes() -> None:
    check(
        lambda m, x: (
            x.transpose(0, 1),
            x.transpose(-1, 0),
            m.transpose(x, 1, 1),
            x.mT,
            x.transpose(0, 2),
        ),
        counting((2, 3, 4)),
    )
    check(lambda m, x: (x.T, x.t(), x.mT), counting((2, 3)))
    check(lambda m, x: (x.t(), x.transpose(0, -1)), counting((3,)))
    check(lambda m, x: (x.t(), x.transpose(0, -1)), counting(()))


@pytest.mark.parity
@pytest.mark.parametrize(
    ("old", "new"),
    [((), (2,)), ((1,), (3,)), ((3,), (2, 3)), ((2, 1), (-1, 4)), ((2, 1), (3, -1, 4)),
     ((1, 0), (2, 0)), ((1,), (0,)), ((2, 3), (2, 3))],
)  # fmt: skip
def test_expand(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    x = counting(old)
    check(lambda m, x: x.expand(new), x)
    check(lambda m, x: x.expand(*new), x)
    if -1 not in new:
        check(lambda m, x: m.broadcast_to(x, new), x)


@pytest.mark.parametrize("new", [(2,), (4, 3), (-1, 3), (2, 2, 2)])
def test_expand_errors(new: tuple[int, ...]) -> None:
    x = counting((3,)) if new == (-1, 3) else counting((3, 1, 3))
    with pytest.raises(gc.GraphcError, match="expand"):
        x.expand(new)


@pytest.mark.parity
def test_squeeze_and_unsqueeze() -> None:
    x = counting((1, 3, 1, 2))
    check(
        lambda m, x: (x.squeeze(), x.squeeze(0), x.squeeze(1), x.squeeze(-2), x.squeeze((0, 2))), x
    )
    for dim in range(-5, 5):
        check(lambda m, x, dim=dim: x.unsqueeze(dim), x)
    check(lambda m, x: (x.unsqueeze(0), x.unsqueeze(-1), x.squeeze(), x.squeeze(0)), counting(()))


@pytest.mark.parity
@pytest.mark.parametrize("dims", [(0,), (1,), (0, 1), (-1,), (0, -1), ()])
def test_flip(dims: tuple[int, ...]) -> None:
    check(lambda m, x: (m.flip(x, dims), x.flip(*dims) if dims else x.flip(())), counting((2, 3)))


@pytest.mark.parity
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cat_and_stack(dim: int) -> None:
    a, b = counting((2, 3)), counting((2, 3)) + 10
    check(lambda m, a, b: (m.cat([a, b], dim), m.stack([a, b, a], dim), m.cat((a,), dim=dim)), a, b)


@pytest.mark.parity
def test_cat_of_different_sizes_and_dtypes() -> None:
    check(lambda m, a, b: m.cat([a, b, a[:0]]), counting((2, 3)), counting((4, 3)))
    check(lambda m, a, b: m.cat([a, b]), counting((2, 3), "int32"), counting((4, 3), "float32"))
    check(lambda m, a, b: m.cat([a, b]), counting((2,), "bool"), counting((4,), "uint8"))
    check(lambda m, a, b: m.cat([a, b]), np.zeros(0), counting((4, 3)))
    check(lambda m, a, b: m.stack([a, b], -1), counting(()), counting(()))
    check(lambda m, a, b: m.stack([a, b]), counting((2,), "int64"), counting((2,), "float32"))


def test_cat_errors() -> None:
    for bad in ([], [gc.ones(2, 3), gc.ones(2, 4)], [gc.ones(()), gc.ones(())],
                [gc.ones(2), gc.ones(2, 2)]):  # fmt: skip
        with pytest.raises(gc.GraphcError, match="cat"):
            gc.cat(bad)
    with pytest.raises(gc.GraphcError, match="stack"):
        gc.stack([gc.ones(2), gc.ones(3)])
    with pytest.raises(gc.GraphcError, match="cat"):
        gc.cat([gc.ones(2)], 1)


@pytest.mark.parity
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, [2, 3], [0, 5], [1, 1, 3]])
def test_split(size: Any) -> None:
    check(lambda m, x: m.split(x, size), counting((5, 2)))
    check(lambda m, x: x.split(size, -1), counting((2, 5)))


@pytest.mark.parity
@pytest.mark.parametrize("chunks", [1, 2, 3, 4, 7])
def test_chunk_and_unbind(chunks: int) -> None:
    check(lambda m, x: m.chunk(x, chunks), counting((5, 2)))
    check(lambda m, x: x.chunk(chunks, 1), counting((2, 6)))
    check(lambda m, x: x.chunk(chunks), counting((0, 2)))
    check(lambda m, x: (*m.unbind(x), *x.unbind(-1), *tuple(x)), counting((2, 3)))


@pytest.mark.parity
@pytest.mark.parametrize(("start", "length"), [(0, 3), (1, 2), (2, 0), (-2, 2), (3, 0)])
def test_narrow(start: int, length: int) -> None:
    check(
        lambda m, x: (m.narrow(x, 0, start, length), x.narrow(-2, start, length)), counting((3, 2))
    )


@pytest.mark.parametrize(("start", "length"), [(0, 4), (2, 2), (-4, 1), (0, -1)])
def test_narrow_errors(start: int, length: int) -> None:
    with pytest.raises(gc.GraphcError, match="narrow"):
        counting((3, 2)).narrow(0, start, length)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
@pytest.mark.parametrize("amounts", [(1, 2), (0, 1, 2, 3), (-1, 1), (-1, -1), (2, -2, -1, 0), ()])
def test_pad(amounts: tuple[int, ...], dtype: str) -> None:
    def padded(m: Any, x: Any) -> Any:
        pad = padding.pad if m is gc else m.nn.functional.pad
        return pad(x, amounts), pad(x, amounts, value=1)

    check(padded, counting((3, 4), dtype))


@pytest.mark.parity
def test_broadcast_tensors_and_clone() -> None:
    check(lambda m, a, b: m.broadcast_tensors(a, b), counting((3, 1)), counting((4,)))
    check(
        lambda m, a: (a.clone(), m.clone(a.T), a.contiguous(), a.T.contiguous()), counting((3, 2))
    )


def test_results_of_clone_have_their_own_memory() -> None:
    x = gc.ones(3)
    y = x.clone()
    y.add_(1)
    assert x.tolist() == [1, 1, 1]
    assert x.reshape(3, 1).add_(1).shape == (3, 1)
    assert x.tolist() == [2, 2, 2]  # a view shares memory


def test_long_chains_of_views(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 6))
    got = check_both(lambda x: x.T[1:, ::-1].reshape(2, -1).T.unsqueeze(1).expand(-1, 3, -1) * 2, x)
    wanted = np.broadcast_to(x.T[1:, ::-1].reshape(2, -1).T[:, None], (10, 3, 2)) * 2
    np.testing.assert_array_equal(got.outputs[0], wanted)
