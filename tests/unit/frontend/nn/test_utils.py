"""Clipping gradients, and parameters as one vector."""

import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import AutogradError, ShapeError


def with_grads(*values: Any) -> list[gc.Tensor]:
    made = []
    for value in values:
        parameter = nn.Parameter(np.zeros_like(np.asarray(value, np.float32)))
        parameter.grad = gc.tensor(value, dtype=gc.float32)
        made.append(parameter)
    return made


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clip_grad_norm(norm_type: float, limit: float) -> None:
    values = [[3.0, -4.0], [[1.0], [2.0]], -2.0]
    parameters = [*with_grads(*values), nn.Parameter([1.0])]
    flat = np.array([3, -4, 1, 2, -2.0])
    norm = np.linalg.norm(flat, norm_type)
    total = nn.utils.clip_grad_norm_(parameters, limit, norm_type)
    assert total.item() == pytest.approx(norm, rel=1e-6)
    scale = min(1.0, limit / (norm + 1e-6))
    found = np.concatenate([p.grad.numpy().ravel() for p in parameters if p.grad is not None])
    np.testing.assert_allclose(found, flat * scale, rtol=1e-6)
    assert parameters[-1].grad is None


def test_clip_grad_norm_of_one_tensor_and_of_none() -> None:
    (parameter,) = with_grads([3.0, 4.0])
    nn.utils.clip_grad_norm_(parameter, 1.0)
    np.testing.assert_allclose(parameter.grad.numpy(), [0.6, 0.8], rtol=1e-6)
    assert nn.utils.clip_grad_norm_([nn.Parameter([1.0])], 1.0).item() == 0


def test_clip_grad_norm_of_what_is_not_finite() -> None:
    parameters = with_grads([math.nan, 1.0])
    with pytest.raises(AutogradError, match="not finite"):
        nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[0].grad[1].item() == 1.0
    assert math.isnan(nn.utils.clip_grad_norm_(parameters, 1.0).item())


def test_clip_grad_value() -> None:
    parameters = with_grads([3.0, -4.0, 0.1, math.nan])
    nn.utils.clip_grad_value_(parameters, 1.0)
    np.testing.assert_array_equal(
        parameters[0].grad.numpy(), np.array([1, -1, 0.1, np.nan], np.float32)
    )


def test_parameters_to_vector_and_back() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    vector = nn.utils.parameters_to_vector(net.parameters())
    expected = np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])
    np.testing.assert_array_equal(vector.detach().numpy(), expected)
    storages = [p.storage for p in net.parameters()]
    nn.utils.vector_to_parameters(gc.arange(9.0), net.parameters())
    assert net[1].bias.tolist() == [8.0]
    assert [p.storage for p in net.parameters()] == storages
    with pytest.raises(ShapeError):
        nn.utils.vector_to_parameters(gc.arange(8.0), net.parameters())
