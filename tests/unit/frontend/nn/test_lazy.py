"""Lazy modules learn their sizes from the first input, and become ordinary modules."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, CheckpointError, RecordingError, ShapeError
from graphc.frontend.nn.lazy import LazyModuleMixin
from graphc.nn.parameter import UninitializedParameter, is_lazy

CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], tuple[int, ...]]] = {
    "linear": (lambda n: n.LazyLinear(3), lambda n: n.Linear(5, 3), (2, 4, 5)),
    "linear_plain": (lambda n: n.LazyLinear(3, False), lambda n: n.Linear(5, 3, False), (5,)),
}
for dims in (1, 2, 3):
    shape = (2, 4, *(5,) * dims)
    for kind, form in {
        "Conv": (6, 3, {"groups": 2, "padding": 1}),
        "ConvTranspose": (6, 3, 2, {"groups": 2, "bias": False}),
    }.items():
        CASES[f"{kind}{dims}d"] = (
            lambda n, k=f"{kind}{dims}d", f=form: getattr(n, f"Lazy{k}")(*f[:-1], **f[-1]),
            lambda n, k=f"{kind}{dims}d", f=form: getattr(n, k)(4, *f[:-1], **f[-1]),
            shape,
        )
    for kind in ("BatchNorm", "InstanceNorm"):
        CASES[f"{kind}{dims}d"] = (
            lambda n, k=f"{kind}{dims}d": getattr(n, f"Lazy{k}")(0.1),
            lambda n, k=f"{kind}{dims}d": getattr(n, k)(
                4, 0.1, affine=True, track_running_stats=True
            ),
            shape,
        )


@pytest.mark.parametrize("name", CASES)
def test_becomes_the_ordinary_module(name: str) -> None:
    make_lazy, make, shape = CASES[name]
    lazy, plain = make_lazy(nn), make(nn)
    parameters = list(lazy.parameters())
    assert all(map(is_lazy, parameters))
    assert [path for path, _ in lazy.named_parameters()] == [p for p, _ in plain.named_parameters()]
    x = gc.randn(*shape)
    out = lazy(x)
    assert type(lazy) is type(plain)
    assert repr(lazy) == repr(plain)
    assert all(a is b for a, b in zip(parameters, lazy.parameters(), strict=True))
    assert not any(map(is_lazy, parameters))
    assert [x.shape for x in lazy.state_dict().values()] == [
        x.shape for x in plain.state_dict().values()
    ]
    assert out.shape == plain(x).shape
    out.sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in parameters)


@pytest.mark.parity
@pytest.mark.parametrize("name", CASES)
def test_text_before_the_first_call_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert repr(CASES[name][0](nn)) == repr(CASES[name][0](torch.nn))


def test_start_values_are_drawn_at_the_first_call() -> None:
    gc.manual_seed(3)
    plain = nn.Linear(5, 3)
    lazy = nn.LazyLinear(3)
    gc.manual_seed(3)
    lazy(gc.ones(2, 5))
    assert np.array_equal(lazy.weight.detach().numpy(), plain.weight.detach().numpy())
    assert np.array_equal(lazy.bias.detach().numpy(), plain.bias.detach().numpy())


def test_a_loaded_state_gives_the_shapes() -> None:
    make = lambda: nn.Sequential(  # noqa: E731 - one expression
        nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2)
    )
    model, x = make(), gc.randn(2, 3, 5, 5)
    model(x)
    other = make()
    other.load_state_dict(model.state_dict())
    assert not any(map(is_lazy, other.parameters()))
    assert np.array_equal(model.eval()(x).detach().numpy(), other.eval()(x).detach().numpy())
    assert repr(other) == repr(model)
    with pytest.raises(CheckpointError, match=r"Missing key.*\"0\.weight\""):
        make().load_state_dict({})
    again = make()
    with pytest.raises(CheckpointError, match="Unexpected key"):
        again.load_state_dict({**model.state_dict(), "other": gc.ones(1)})
    assert all(map(is_lazy, again.parameters()))


def test_a_model_compiles_after_its_first_call() -> None:
    model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2))
    run, x = gc.compile(model), gc.randn(3, 5)
    with pytest.raises((RecordingError, ArgumentError), match=r"shape|recorded"):
        run(x)
    expected = model(x)
    np.testing.assert_allclose(
        run(x).detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6
    )


def test_inputs_without_a_batch() -> None:
    norm, conv = nn.LazyInstanceNorm1d(), nn.LazyConv2d(4, 3)
    assert norm(gc.randn(3, 5)).shape == (3, 5)
    assert norm.num_features == 3
    assert conv(gc.randn(2, 5, 5)).shape == (4, 3, 3)
    assert conv.in_channels == 2
    bare = nn.LazyBatchNorm1d(affine=False, track_running_stats=False)
    assert bare(gc.randn(6, 5)).shape == (6, 5)
    assert bare.num_features == 5


def test_optimizers_and_copies_from_before_the_first_call() -> None:
    model = nn.Sequential(nn.LazyLinear(4), nn.LazyLinear(2))
    copied = copy.deepcopy(model)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    model(gc.ones(3, 5)).sum().backward()
    before = model[0].bias.detach().numpy().copy()
    optimizer.step()
    moved = model[0].bias.detach().numpy() - before
    np.testing.assert_allclose(moved, -0.5 * model[0].bias.grad.numpy(), rtol=1e-5)
    assert moved.any()
    assert copied(gc.ones(1, 7)).shape == (1, 2)
    assert (model[0].in_features, copied[0].in_features) == (5, 7)


def test_parameters_without_a_shape_say_so() -> None:
    layer = nn.LazyLinear(2).double()
    assert isinstance(layer.weight, UninitializedParameter)
    assert repr(layer.weight) == "<UninitializedParameter>"
    with pytest.raises(ArgumentError, match="no shape yet"):
        _ = layer.weight.shape
    assert layer(gc.ones(3, 4, dtype=gc.float64)).dtype is gc.float64
    with pytest.raises(ShapeError, match="spatial dims"):
        nn.LazyConv2d(4, 3)(gc.ones(3, 4))
    with pytest.raises(ArgumentError, match="groups"):
        nn.LazyConv2d(4, 3, groups=2)(gc.ones(1, 3, 4, 4))


def test_modules_of_ones_own() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.UninitializedParameter()

        def forward(self, x: gc.Tensor) -> gc.Tensor:
            return x * self.scale

    class LazyScale(LazyModuleMixin, Scale):
        cls_to_become = Scale

        def initialize_parameters(self, x: gc.Tensor) -> None:
            assert isinstance(self.scale, UninitializedParameter)
            self.scale.materialize(x.shape[-1:])
            nn.init.constant_(self.scale, 2.0)

    layer = LazyScale()
    assert layer.has_uninitialized_params()
    assert layer(gc.ones(2)).tolist() == [2.0, 2.0]
    assert type(layer) is Scale

    class Forgetful(LazyScale):
        def initialize_parameters(self, x: gc.Tensor) -> None:
            pass

    with pytest.raises(ArgumentError, match="without shapes"):
        Forgetful()(gc.ones(2))
