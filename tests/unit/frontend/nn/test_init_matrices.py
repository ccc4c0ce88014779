"""Start values that are matrices."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, ShapeError


def filled(function: Any, *shape: int, **options: Any) -> np.ndarray:
    parameter = nn.Parameter(gc.full(shape, 7.0, dtype=gc.float64))
    assert function(parameter, **options) is parameter
    assert parameter.requires_grad
    return np.array(parameter.detach().numpy())


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (1, 1), (0, 2)])
def test_identities(shape: tuple[int, int]) -> None:
    np.testing.assert_array_equal(filled(nn.init.eye_, *shape), np.eye(*shape))


@pytest.mark.parametrize("layer", [
    nn.Conv1d(4, 4, 3, padding=1, bias=False), nn.Conv2d(3, 3, (3, 5), padding=(1, 2), bias=False),
    nn.Conv3d(2, 2, 1, bias=False),
])  # fmt: skip
def test_dirac_convolutions_change_nothing(layer: Any, rng: np.random.Generator) -> None:
    nn.init.dirac_(layer.weight)
    x = rng.normal(size=(2, layer.in_channels, *[6] * layer.dims)).astype(np.float32)
    np.testing.assert_array_equal(layer(gc.tensor(x)).detach().numpy(), x)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(4, 2, 3), (2, 4, 2, 3), (6, 2, 1, 4, 3), (6, 1, 2)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_is_pytorchs(shape: tuple[int, ...], groups: int) -> None:
    torch = pytest.importorskip("torch")
    expected = torch.nn.init.dirac_(torch.full(shape, 7.0, dtype=torch.float64), groups)
    np.testing.assert_array_equal(filled(nn.init.dirac_, *shape, groups=groups), expected.numpy())


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2), (4, 3, 2), (2, 2, 2, 2)])
def test_orthogonal_matrices(shape: tuple[int, ...]) -> None:
    matrix = filled(nn.init.orthogonal_, *shape, gain=2.0).reshape(shape[0], -1)
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_orthogonal_matrices_have_no_direction_of_their_own() -> None:
    gc.manual_seed(0)
    drawn = np.stack([filled(nn.init.orthogonal_, 2, 2) for _ in range(400)])
    assert np.abs(drawn.mean(0)).max() < 0.15
    assert 0.4 < (np.linalg.det(drawn) > 0).mean() < 0.6


def test_sparse_columns() -> None:
    gc.manual_seed(1)
    matrix = filled(nn.init.sparse_, 50, 40, sparsity=0.29, std=3.0)
    assert ((matrix == 0).sum(0) == 15).all()
    assert len({tuple(column) for column in (matrix == 0).T}) > 30
    assert matrix[matrix != 0].std() == pytest.approx(3, rel=0.1)
    generator = gc.Generator().manual_seed(4)
    again = gc.Generator().manual_seed(4)
    for function, shape, options in (
        (nn.init.sparse_, (5, 4), {"sparsity": 0.5}), (nn.init.orthogonal_, (3, 4), {}),
    ):  # fmt: skip
        np.testing.assert_array_equal(
            filled(function, *shape, generator=generator, **options),
            filled(function, *shape, generator=again, **options),
        )


def test_empty_and_wrong_shapes() -> None:
    assert filled(nn.init.orthogonal_, 0, 3).shape == (0, 3)
    for function, shape, options in (
        (nn.init.eye_, (3,), {}), (nn.init.dirac_, (2, 2), {}), (nn.init.orthogonal_, (2,), {}),
        (nn.init.sparse_, (2, 2, 2), {"sparsity": 0.1}),
    ):  # fmt: skip
        with pytest.raises(ShapeError, match="dims"):
            filled(function, *shape, **options)
    with pytest.raises(ArgumentError, match="groups"):
        filled(nn.init.dirac_, 3, 2, 2, groups=2)


def test_modules_made_while_recording_are_filled_once() -> None:
    with gc.Graph() as graph:
        layer = nn.Linear(3, 3, bias=False)
        nn.init.orthogonal_(layer.weight)
        graph.output(layer(gc.placeholder((3,), name="x")), "y")
    assert not graph.updates
    weight = layer.weight.detach().numpy()
    np.testing.assert_allclose(weight @ weight.T, np.eye(3), atol=1e-6)


def test_filling_may_be_recorded() -> None:
    weight = nn.Parameter(gc.zeros(3, 3))
    run = gc.compile(lambda: nn.init.eye_(weight) * 2)
    np.testing.assert_array_equal(run().detach().numpy(), 2 * np.eye(3))
    np.testing.assert_array_equal(weight.detach().numpy(), np.eye(3))


@pytest.mark.parity
def test_gains_of_transposed_convolutions() -> None:
    torch = pytest.importorskip("torch")
    for name in ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "selu", "tanh"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
