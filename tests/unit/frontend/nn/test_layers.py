"""Every layer against PyTorch's: outputs, gradients, buffers and state, in both modes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import graphc as gc
from graphc import nn

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity


class Case(NamedTuple):
    make: Callable[[Any], Any]
    shape: tuple[int, ...]
    indices: int = 0


CASES = {
    "linear": Case(lambda n: n.Linear(5, 3), (4, 5)),
    "linear_3d": Case(lambda n: n.Linear(5, 3), (2, 4, 5)),
    "linear_1d": Case(lambda n: n.Linear(5, 3, bias=False), (5,)),
    "linear_empty": Case(lambda n: n.Linear(5, 3), (0, 5)),
    "embedding": Case(lambda n: n.Embedding(7, 3), (4, 2), 7),
    "embedding_padding": Case(lambda n: n.Embedding(4, 3, padding_idx=-2), (9, 2), 4),
    "relu": Case(lambda n: n.ReLU(), (3, 4)),
    "silu": Case(lambda n: n.SiLU(), (3, 4)),
    "gelu": Case(lambda n: n.GELU(), (3, 4)),
    "gelu_tanh": Case(lambda n: n.GELU(approximate="tanh"), (3, 4)),
    "leaky_relu": Case(lambda n: n.LeakyReLU(0.2), (3, 4)),
    "sigmoid": Case(lambda n: n.Sigmoid(), (3, 4)),
    "tanh": Case(lambda n: n.Tanh(), (3, 4)),
    "log_sigmoid": Case(lambda n: n.LogSigmoid(), (3, 4)),
    "softplus": Case(lambda n: n.Softplus(2.0, 1.0), (3, 4)),
    "softmax": Case(lambda n: n.Softmax(dim=0), (3, 4)),
    "log_softmax": Case(lambda n: n.LogSoftmax(dim=-1), (2, 3, 4)),
    "batch_norm": Case(lambda n: n.BatchNorm1d(4), (6, 4)),
    "batch_norm_3d": Case(lambda n: n.BatchNorm1d(4, eps=0.1, momentum=0.3), (3, 4, 5)),
    "batch_norm_average": Case(lambda n: n.BatchNorm1d(4, momentum=None), (6, 4)),
    "batch_norm_plain": Case(lambda n: n.BatchNorm1d(4, affine=False), (6, 4)),
    "batch_norm_no_stats": Case(lambda n: n.BatchNorm1d(4, track_running_stats=False), (6, 4)),
    "batch_norm_no_bias": Case(lambda n: n.BatchNorm1d(4, bias=False), (6, 4)),
    "layer_norm": Case(lambda n: n.LayerNorm(4), (3, 4)),
    "layer_norm_2d": Case(lambda n: n.LayerNorm((3, 4), eps=0.1), (2, 3, 4)),
    "layer_norm_plain": Case(lambda n: n.LayerNorm(4, elementwise_affine=False), (3, 4)),
    "layer_norm_no_bias": Case(lambda n: n.LayerNorm(4, bias=False), (3, 4)),
    "flatten": Case(lambda n: n.Flatten(), (2, 3, 4)),
    "identity": Case(lambda n: n.Identity(5, x=1), (2, 3)),
    "mlp": Case(
        lambda n: n.Sequential(n.Linear(5, 8), n.BatchNorm1d(8), n.ReLU(inplace=True),
                               n.LayerNorm(8), n.Linear(8, 2)), (6, 5)
    ),
}  # fmt: skip


def close(actual: Any, expected: Any) -> None:
    ours = actual.detach().numpy() if isinstance(actual, gc.Tensor) else actual
    theirs = expected.detach().numpy()
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    tolerance = 1e-12 if ours.dtype == np.float64 else 2e-6
    np.testing.assert_allclose(ours, theirs, rtol=tolerance * 10, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_layer(name: str, dtype: str, rng: np.random.Generator) -> None:
    case = CASES[name]
    ours = case.make(nn).to(dtype)
    theirs = case.make(torch.nn).to(getattr(torch, dtype))
    randomized = {
        key: rng.normal(size=value.shape).astype(dtype) if value.is_floating_point() else value
        for key, value in theirs.state_dict().items()
    }
    for key in randomized:
        if key.endswith("running_var"):
            randomized[key] = np.abs(randomized[key])
    theirs.load_state_dict({key: torch.as_tensor(value) for key, value in randomized.items()})
    ours.load_state_dict(theirs.state_dict())

    for mode in (True, True, False):
        ours.train(mode)
        theirs.train(mode)
        if case.indices:
            x = rng.integers(0, case.indices, case.shape)
            a, b = gc.tensor(x), torch.tensor(x)
        else:
            x = rng.normal(size=case.shape).astype(dtype)
            x.flat[::3] = 0  # where functions bend
            a, b = gc.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        out, expected = ours(a), theirs(b)
        close(out, expected)
        if out.requires_grad:
            weights = rng.normal(size=out.shape).astype(dtype)
            ours.zero_grad()
            theirs.zero_grad()
            (out * gc.tensor(weights)).sum().backward()
            (expected * torch.tensor(weights)).sum().backward()
            if not case.indices:
                close(a.grad, b.grad)
            for (path, p), (_, q) in zip(
                ours.named_parameters(), theirs.named_parameters(), strict=True
            ):
                assert path == _
                close(p.grad, q.grad)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key], value)


def test_state_goes_to_pytorch_and_back() -> None:
    make: Callable[[Any], Any] = lambda n: n.Sequential(  # noqa: E731 - one expression for both
        n.Embedding(3, 2), n.Flatten(), n.Linear(4, 2), n.BatchNorm1d(2), n.LayerNorm(2)
    )
    ours, theirs = make(nn), make(torch.nn)
    state = {key: torch.tensor(value.numpy()) for key, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    again = make(nn)
    again.load_state_dict(theirs.state_dict())
    x = np.array([[0, 2], [1, 1]])
    expected = theirs.eval()(torch.tensor(x))
    close(ours.eval()(gc.tensor(x)), expected)
    close(again.eval()(gc.tensor(x)), expected)


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, 88.0, -88.0, 1e4, -1e4], np.float32)


@pytest.mark.parametrize(
    "name", ["relu", "silu", "gelu", "gelu_tanh", "leaky_relu", "sigmoid", "tanh", "log_sigmoid"]
)
def test_activations_of_special_values(name: str) -> None:
    ours, theirs = CASES[name].make(nn), CASES[name].make(torch.nn)
    x = SPECIAL[~np.isposinf(SPECIAL)] if name == "gelu" else SPECIAL  # there PyTorch gives NaN
    actual, expected = ours(gc.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-37)


@pytest.mark.parametrize("function", ["relu", "leaky_relu", "silu"])
def test_inplace_changes_the_tensor_itself(function: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4)).astype(np.float32)
    a, b = gc.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    h, k = a * 2, b * 2
    getattr(nn.functional, function)(h, inplace=True)
    getattr(torch.nn.functional, function)(k, inplace=True)
    close(h, k)
    (h * h).sum().backward()
    (k * k).sum().backward()
    close(a.grad, b.grad)
    plain = gc.tensor(x)
    assert getattr(nn.functional, function)(plain, inplace=True) is plain
    expected = getattr(torch.nn.functional, function)(torch.tensor(x))
    close(plain, expected)
    with pytest.raises(gc.GraphcError, match="leaf"):
        getattr(nn.functional, function)(a, inplace=True)
