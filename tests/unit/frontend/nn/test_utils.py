"""Clipping gradients, and parameters as one vector."""

import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, AutogradError, ShapeError


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


def test_norms_and_scaling_apart() -> None:
    parameters = with_grads([3.0, -4.0], [[12.0]])
    total = nn.utils.get_total_norm([p.grad for p in parameters], foreach=True)
    assert total.item() == pytest.approx(13)
    assert nn.utils.get_total_norm(gc.tensor([3.0, -4.0]), math.inf).item() == 4
    assert nn.utils.get_total_norm([]).item() == 0
    nn.utils.clip_grads_with_norm_(iter(parameters), 6.5, total)
    np.testing.assert_allclose(parameters[0].grad.numpy(), [1.5, -2], rtol=1e-6)
    nn.utils.clip_grads_with_norm_(parameters[1], 100.0, total)
    np.testing.assert_allclose(parameters[1].grad.numpy(), [[6]], rtol=1e-6)
    with pytest.raises(AutogradError, match="not finite"):
        nn.utils.get_total_norm([gc.tensor([math.inf])], error_if_nonfinite=True)


def test_clipping_by_parts_is_recorded(rng: np.random.Generator) -> None:
    def train(compiled: bool) -> list[Any]:
        gc.manual_seed(0)
        net = nn.Linear(3, 2)
        optimizer = gc.optim.SGD(net.parameters(), 0.1)

        def step(x: gc.Tensor) -> gc.Tensor:
            optimizer.zero_grad()
            net(x).pow(2).sum().backward()
            total = nn.utils.get_total_norm([p.grad for p in net.parameters()])
            nn.utils.clip_grads_with_norm_(net.parameters(), 0.5, total)
            optimizer.step()
            return total

        run = gc.compile(step) if compiled else step
        return [run(x).item() for _ in range(3)] + [net.weight.detach().numpy()]

    x = gc.tensor(rng.normal(size=(4, 3)).astype(np.float32))
    for a, b in zip(train(True), train(False), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def a_norm(features: int, rng: np.random.Generator, affine: bool = True) -> Any:
    norm = nn.BatchNorm2d(features, affine=affine)
    for x in norm.state_dict().values():
        if x.ndim:
            x.copy_(gc.tensor(rng.uniform(0.5, 2.0, size=x.shape).astype(np.float32)))
    return norm.eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_a_convolution_and_its_norm_as_one(
    bias: bool, affine: bool, rng: np.random.Generator
) -> None:  # fmt: skip
    x = gc.tensor(rng.normal(size=(2, 3, 6, 6)).astype(np.float32))
    for conv, turned in (
        (nn.Conv2d(3, 4, 3, bias=bias), False), (nn.ConvTranspose2d(3, 4, 3, bias=bias), True),
    ):  # fmt: skip
        norm = a_norm(4, rng, affine)
        fused = nn.utils.fuse_conv_bn_eval(conv.eval(), norm, turned)
        expected = norm(conv(x)).detach().numpy()
        np.testing.assert_allclose(fused(x).detach().numpy(), expected, rtol=1e-4, atol=1e-5)
        assert fused is not conv
        assert fused.bias.requires_grad is bias
        with pytest.raises(ArgumentError, match="evaluation"):
            nn.utils.fuse_conv_bn_eval(conv.train(), norm)
        with pytest.raises(ArgumentError, match="running"):
            nn.utils.fuse_conv_bn_eval(
                conv.eval(), nn.BatchNorm2d(4, track_running_stats=False).eval()
            )


@pytest.mark.parametrize("features", [1, 4])
def test_a_linear_layer_and_its_norm_as_one(features: int, rng: np.random.Generator) -> None:
    linear = nn.Linear(3, 4).eval()
    norm = a_norm(features, rng)
    x = gc.tensor(rng.normal(size=(5, 3)).astype(np.float32))
    y = linear(x)
    expected = (y - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    expected = expected * norm.weight + norm.bias
    fused = nn.utils.fuse_linear_bn_eval(linear, norm)
    np.testing.assert_allclose(
        fused(x).detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5
    )
    with pytest.raises(ArgumentError, match="features"):
        nn.utils.fuse_linear_bn_eval(linear, a_norm(3, rng))


@pytest.mark.parity
@pytest.mark.parametrize("bias", [True, False])
def test_fused_weights_are_pytorchs(bias: bool, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    sizes = [(4, 3, 2), (4,), (4,), (4,), (4,), (4,)]
    w, b, mean, var, scale, shift = (rng.uniform(0.5, 2, size=each) for each in sizes)
    for turned in (False, True):
        weight = w.swapaxes(0, 1) if turned else w
        ours, theirs = (
            lib.nn.utils.fuse_conv_bn_weights(
                lib.tensor(weight.copy()), lib.tensor(b) if bias else None, lib.tensor(mean),
                lib.tensor(var), 1e-5, lib.tensor(scale), lib.tensor(shift), turned,
            )
            for lib in (gc, torch)
        )  # fmt: skip
        for a, c in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.detach().numpy(), c.detach().numpy(), rtol=1e-12)


def test_skipped_start_values_draw_no_numbers() -> None:
    gc.manual_seed(5)
    expected = gc.rand(2)
    gc.manual_seed(5)
    made = nn.utils.skip_init(nn.Linear, 3, out_features=2, dtype=gc.float64)
    assert np.array_equal(gc.rand(2).numpy(), expected.numpy())
    assert made.weight.dtype is gc.float64
    assert not made.weight.detach().numpy().any()
    for wrong in (nn.ReLU, int, "x"):
        with pytest.raises(ArgumentError, match="skip_init"):
            nn.utils.skip_init(wrong)


def test_functional_calls_under_their_older_name() -> None:
    layer = nn.Linear(2, 1, bias=False)
    result = nn.utils.stateless.functional_call(
        layer, {"weight": gc.tensor([[1.0, 2]])}, gc.ones(2)
    )
    assert result.tolist() == [3]
    assert nn.utils.convert_parameters.parameters_to_vector([gc.ones(2)]).tolist() == [1, 1]
