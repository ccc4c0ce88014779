"""Modules as functions, their stacked state, and gradients per example, dynamic and compiled."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn
from graphc.errors import ArgumentError, RecordingError
from graphc.func import (
    functional_call,
    grad,
    replace_all_batch_norm_modules_,
    stack_module_state,
    vmap,
)


class Net(nn.Module):
    """A convolution, a normalization and two layers that share a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(gc.randn(2, 1, 3, 3))
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.scale = nn.Buffer(gc.full((1,), 2.0))

    def forward(self, x: gc.Tensor, factor: float = 1.0) -> gc.Tensor:
        hidden = F.conv2d(x, self.kernel).relu().flatten(1)
        return self.second(self.first(hidden).tanh()) * self.scale * factor


def _net() -> Net:
    gc.manual_seed(0)
    return Net()


def _loss(net: Net, params: Any, x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
    return F.cross_entropy(functional_call(net, params, x[None]), y[None])


def test_other_tensors_stand_in_and_the_module_stays() -> None:
    net, x = _net(), gc.randn(3, 1, 4, 4)
    before = {name: (id(p), p.detach().numpy().copy()) for name, p in net.named_parameters()}
    given = {name: p.detach() * 2 for name, p in net.named_parameters()}
    found = functional_call(net, (given, {"scale": gc.zeros(1)}), x)
    assert not found.numpy().any()
    changed = functional_call(net, given, (x,), {"factor": 3.0})
    twin = _net()
    for name, p in twin.named_parameters():
        with gc.no_grad():
            p.copy_(given[name])
    np.testing.assert_allclose(
        changed.detach().numpy(), 3 * twin(x).detach().numpy(), rtol=1e-5, atol=1e-6
    )
    after = {name: (id(p), p.detach().numpy()) for name, p in net.named_parameters()}
    assert list(before) == list(after)
    for name, (number, values) in before.items():
        assert after[name][0] == number
        np.testing.assert_array_equal(after[name][1], values)


def test_the_module_stays_after_an_error() -> None:
    net = _net()
    weight = net.first.weight
    with pytest.raises(ValueError, match="linear: the last size"):
        functional_call(net, {"first.weight": gc.ones(1, 5)}, gc.ones(1, 1, 4, 4))
    assert net.first.weight is weight


def test_shared_parameters_are_replaced_together() -> None:
    net, x = _net(), gc.randn(1, 1, 4, 4)
    zero = gc.zeros(8, 8)
    tied = functional_call(net, {"second.weight": zero}, x)
    both = functional_call(net, {"second.weight": zero, "first.weight": zero}, x, tie_weights=False)
    one = functional_call(net, {"second.weight": zero}, x, tie_weights=False)
    np.testing.assert_array_equal(tied.detach().numpy(), both.detach().numpy())
    named = {"second.weight": zero, "first.weight": gc.ones(8, 8)}
    with pytest.raises(ArgumentError, match="several tensors"):
        functional_call(net, named, x)
    untied = functional_call(net, {"first.weight": zero}, x, tie_weights=False)
    assert not np.array_equal(untied.detach().numpy(), one.detach().numpy())


def test_unknown_paths_are_left_out_unless_strict() -> None:
    net, x = _net(), gc.randn(1, 1, 4, 4)
    wanted = net(x).detach().numpy()
    found = functional_call(net, {"other": gc.ones(1)}, x)
    np.testing.assert_array_equal(found.detach().numpy(), wanted)


@pytest.mark.parametrize("backend", ["dynamic", "numpy", "llvm"])
def test_gradients_per_example_are_those_of_the_loop(backend: str) -> None:
    net = _net()
    params = {name: p.detach() for name, p in net.named_parameters()}
    xs, ys = gc.randn(5, 1, 4, 4), gc.arange(5) % 3
    mapped = vmap(grad(lambda p, x, y: _loss(net, p, x, y)), in_dims=(None, 0, 0))
    run = mapped if backend == "dynamic" else gc.compile(mapped, backend=backend)
    for _ in range(3):
        found = run(params, xs, ys)
        assert list(found) == list(params)
        for i in range(5):
            single = {name: p.clone().requires_grad_() for name, p in params.items()}
            _loss(net, single, xs[i], ys[i]).backward()
            for name, leaf in single.items():
                assert leaf.grad is not None
                np.testing.assert_allclose(
                    found[name][i].numpy(), leaf.grad.numpy(), rtol=2e-5, atol=2e-6
                )
    assert all(p.grad is None for p in net.parameters())


def test_a_compiled_call_sees_new_values_of_the_module() -> None:
    net, x = _net(), gc.ones(1, 1, 4, 4)
    fast = gc.compile(lambda k, x: functional_call(net, {"kernel": k}, x), backend="numpy")
    kernel = gc.ones(2, 1, 3, 3)
    for factor in (2.0, 5.0):
        with gc.no_grad():
            net.scale.fill_(factor)
        wanted = functional_call(net, {"kernel": kernel}, x).detach().numpy()
        np.testing.assert_allclose(fast(kernel, x).detach().numpy(), wanted, rtol=1e-6)
    assert fast.cache_info().misses == 1


def test_an_ensemble_runs_as_one() -> None:
    nets = [nn.Linear(3, 2) for _ in range(4)]
    params, buffers = stack_module_state(nets)
    assert buffers == {}
    assert all(p.requires_grad and p.is_leaf for p in params.values())
    x = gc.randn(5, 3)
    outputs = vmap(lambda p: functional_call(nets[0], p, x))(params)
    for i, each in enumerate(nets):
        np.testing.assert_allclose(
            outputs[i].detach().numpy(), each(x).detach().numpy(), rtol=1e-5, atol=1e-6
        )
    outputs.sum().backward()
    for i, each in enumerate(nets):
        each(x).sum().backward()
        assert each.weight.grad is not None
        assert params["weight"].grad is not None
        np.testing.assert_allclose(
            params["weight"].grad[i].numpy(), each.weight.grad.numpy(), rtol=1e-5
        )


def test_batch_normalization_without_running_statistics() -> None:
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Sequential(nn.BatchNorm1d(3)), nn.Linear(3, 2))
    x = gc.randn(2, 5, 3)
    with pytest.raises(RecordingError, match="written in place") as caught:
        vmap(net)(x)
    assert "replace_all_batch_norm_modules_" in caught.value.fix
    assert replace_all_batch_norm_modules_(net) is net
    assert not list(net.buffers())
    found = vmap(net)(x)
    for i in range(2):
        np.testing.assert_allclose(
            found[i].detach().numpy(), net(x[i]).detach().numpy(), rtol=1e-5, atol=1e-5
        )
