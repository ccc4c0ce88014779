"""Arguments at the edge of what is allowed, as PyTorch takes or refuses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc
from graphc.errors import AutogradError, GraphcError
from tests.torch_oracle import torch

Call = Callable[[Any], Any]

TAKEN: list[Call] = [
    lambda g: g.nn.functional.pad(g.ones(1, 1, 4, 4), (-2, -2)),
    lambda g: g.nn.functional.pad(g.ones(4), (-4, 0)),
    lambda g: g.nn.functional.pad(g.ones(0, 4), (1, 1, 0, 0)),
    lambda g: g.nn.functional.pad(g.ones(1, 2, 4), (-1, -1), mode="reflect"),
    lambda g: g.nn.functional.pad(g.ones(1, 2, 4), (-1, -2), mode="replicate"),
    lambda g: g.nn.functional.pad(g.ones(1, 2, 4), (-2, -2), mode="circular"),
    lambda g: g.nn.functional.adaptive_avg_pool1d(g.ones(1, 2, 4), 0),
    lambda g: g.nn.functional.adaptive_avg_pool2d(g.ones(1, 2, 4, 5), (0, 2)),
    lambda g: g.nn.functional.adaptive_avg_pool3d(g.ones(2, 4, 4, 4), (1, 0, None)),
    lambda g: g.nn.functional.adaptive_max_pool1d(g.ones(2, 4), 0),
    lambda g: g.nn.functional.adaptive_max_pool2d(g.ones(1, 2, 4, 4), 0),
    lambda g: g.nn.functional.adaptive_max_pool2d(
        g.ones(1, 2, 4, 4), (2, 0), return_indices=True)[1],
    lambda g: g.fft.fftfreq(0),
    lambda g: g.fft.rfftfreq(0),
    lambda g: g.fft.fftfreq(4, 0),
    lambda g: g.fft.fftfreq(5, -0.5),
    lambda g: g.fft.rfftfreq(5, 0.3),
    lambda g: g.fft.fftfreq(6, 0.7, dtype=g.float64),
    lambda g: g.full((2,), g.tensor(2.0, dtype=g.float64)),
    lambda g: g.full((2,), g.tensor(2, dtype=g.int8)),
    lambda g: g.full((2,), g.tensor(True)),
    lambda g: g.full((2,), g.tensor(2.0), dtype=g.float64),
    lambda g: g.full((2,), g.tensor(1j, dtype=g.complex128)),
    lambda g: g.tensor_split(g.ones(4), g.tensor([1, 3]))[1],
    lambda g: g.nn.functional.group_norm(g.ones(2, 3), 3),
]  # fmt: skip

REFUSED: list[Call] = [
    lambda g: g.nn.functional.pad(g.ones(4), (3, -6)),
    lambda g: g.nn.functional.pad(g.ones(1, 1, 4, 4), (-3, -3)),
    lambda g: g.nn.functional.pad(g.ones(1, 1, 4, 4), (-2, -2, -3, -3)),
    lambda g: g.nn.functional.pad(g.ones(4), (-5, 0)),
    lambda g: g.nn.functional.pad(g.ones(1, 2, 4), (-2, -2), mode="reflect"),
    lambda g: g.nn.functional.pad(g.ones(1, 2, 4), (-2, -2), mode="replicate"),
    lambda g: g.nn.functional.adaptive_avg_pool1d(g.ones(1, 2, 4), -1),
    lambda g: g.fft.fftfreq(-1),
    lambda g: g.max(g.ones(2, 2), 1, other=g.ones(2, 2)),
    lambda g: g.fill(g.ones(2), None),
    lambda g: g.nn.functional.group_norm(g.ones(1, 3), 3),
    lambda g: g.nn.functional.instance_norm(g.ones(1, 3, 1)),
    lambda g: g.tensor_split(g.ones(4), g.tensor([0.5, 1.0])),
    lambda g: g.autograd.functional.jacobian(lambda z: z * z, g.tensor([1 + 2j])),
]


@pytest.mark.parity
@pytest.mark.parametrize("call", TAKEN)
def test_what_pytorch_takes(call: Call) -> None:
    found, wanted = call(graphc), call(torch())
    assert f"torch.{found.dtype.name}" == str(wanted.dtype)
    assert found.shape == tuple(wanted.shape)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("call", REFUSED)
def test_what_pytorch_refuses(call: Call) -> None:
    with pytest.raises((RuntimeError, ValueError, TypeError)) as theirs:
        call(torch())
    with pytest.raises(GraphcError) as ours:
        call(graphc)
    assert isinstance(ours.value, theirs.type)


def test_pools_of_nothing_have_gradients() -> None:
    x = graphc.ones(1, 2, 4, requires_grad=True)
    graphc.nn.functional.adaptive_avg_pool1d(x, 0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == graphc.zeros(1, 2, 4).tolist()


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_recorded_values_fill_in_the_default_dtype(backend: Any) -> None:
    fast = graphc.compile(lambda x: graphc.full((2,), x), backend=backend)
    made = fast(graphc.tensor(2.0, dtype=graphc.float64))
    assert (made.dtype, made.tolist()) == (graphc.float32, [2.0, 2.0])


def test_a_hook_after_accumulation_returns_nothing() -> None:
    x = graphc.ones(2, requires_grad=True)
    handle = x.register_post_accumulate_grad_hook(lambda leaf: leaf.grad)  # type: ignore[arg-type]
    with pytest.raises(AutogradError, match="must return None"):
        x.sum().backward()
    handle.remove()
    x.sum().backward()
