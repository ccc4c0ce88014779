"""What shares memory in another shape: the same dynamically, while recording and in PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ShapeError
from graphc.frontend.memory.view_layout import contiguous_strides, reshaped_strides

Build = Callable[[Any], Any]

VIEWS: dict[str, Build] = {
    "transpose": lambda x: x.T.reshape(-1),
    "transpose and back": lambda x: x.T.T.reshape(-1),
    "columns": lambda x: x[:, ::2].flatten(),
    "rows": lambda x: x[1:].ravel(),
    "every other row": lambda x: x[::2].reshape(2, 1, 6),
    "split of columns": lambda x: x[:, 1:5].reshape(4, 2, 2),
    "one column": lambda x: x[:, 2].reshape(2, 2),
    "a row of the transpose": lambda x: x.T.reshape(6, 2, 2).unbind(0)[0],
    "a transpose that is cut": lambda x: x.T.reshape(4, 6).unbind(0)[0],
    "diagonal": lambda x: x.diagonal().reshape(2, 2),
    "sizes of one": lambda x: x.unsqueeze(1).transpose(0, 1).reshape(24),
    "nothing": lambda x: x[:, :0].reshape(0),
    "detached": lambda x: x.T.detach().reshape(-1),
}


def written(build: Build) -> Build:
    """A function that writes what it builds, and gives what the whole tensor is then."""

    def function(x: Any) -> Any:
        x = x * 1
        build(x).add_(10)
        return x

    return function


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_writes_reach_the_same_elements_while_recording(name: str, backend: str) -> None:
    x = gc.arange(24.0).reshape(4, 6)
    function = written(VIEWS[name])
    np.testing.assert_array_equal(gc.compile(function, backend=backend)(x), function(x))


@pytest.mark.parity
@pytest.mark.parametrize("name", VIEWS)
def test_writes_reach_the_same_elements_in_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    function = written(VIEWS[name])
    expected = function(torch.arange(24.0).reshape(4, 6))
    np.testing.assert_array_equal(function(gc.arange(24.0).reshape(4, 6)), expected)


def test_a_reshape_of_a_transpose_is_a_copy() -> None:
    x = gc.ones(2, 3)
    for function in (written(VIEWS["transpose"]), gc.compile(written(VIEWS["transpose"]))):
        np.testing.assert_array_equal(function(x), np.ones((2, 3)))


def test_view_never_copies() -> None:
    def transposed(x: Any) -> Any:
        return x.T.view(-1)

    def rows(x: Any) -> Any:
        x = x * 1
        x.T.T[1:].view(3).zero_()
        return x

    for wrap in (lambda f: f, gc.compile):
        with pytest.raises(ShapeError, match="only a copy"):
            wrap(transposed)(gc.ones(2, 3))
        np.testing.assert_array_equal(wrap(rows)(gc.ones(2, 3)), [[1, 1, 1], [0, 0, 0]])
    with pytest.raises(ShapeError, match="only a copy"):
        gc.ones(2, 3).T.view_as(gc.ones(6))
    assert gc.ones(2, 3).view(size=(3, 2)).shape == (3, 2)


def test_a_flipped_dim_is_no_run_with_another() -> None:
    assert reshaped_strides((2, 3), (-3, 1), (6,)) is None
    assert reshaped_strides((2, 3), (-3, -1), (6,)) == (-1,)


@pytest.mark.parametrize("seed", range(30))
def test_strides_against_numpy(seed: int) -> None:
    """Both find strides, the same ones but for dims of size 1, or both find none."""
    rng = np.random.default_rng(seed)
    memory = np.zeros((2, 3, 4, 2), np.int8)
    view = memory.transpose(rng.permutation(4))
    view = view[tuple(slice(None, None, int(by)) for by in rng.choice([1, 1, 1, 2, -1], 4))]
    rows = view.shape[0]
    for shape in [(-1,), (2, -1), (-1, 4), (rows, -1), (1, -1, 2), (*view.shape[:2], -1)]:
        if view.size % abs(int(np.prod(shape))):
            continue
        made = view.reshape(shape)
        found = reshaped_strides(view.shape, view.strides, made.shape)
        assert (found is not None) == bool(np.may_share_memory(made, memory))
        if found is not None:
            real = [size != 1 for size in made.shape]
            assert np.array_equal(np.array(found)[real], np.array(made.strides)[real])


def test_unknown_sizes() -> None:
    n = gc.Dim.named("n")
    assert reshaped_strides((n, 3), contiguous_strides((n, 3)), (n * 3,)) == (1,)
    assert reshaped_strides((3, n), (1, 3), (n * 3,)) is None
