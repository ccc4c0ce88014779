"""Computed weights: parametrizations, weight and spectral norms, orthogonal matrices."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, IndexRangeError, ShapeError
from graphc.nn.utils import parametrizations, parametrize

MADE: dict[str, Callable[[Any], Any]] = {
    "weight norm": lambda n: n.utils.parametrizations.weight_norm(n.Linear(4, 3)),
    "weight norm of columns": lambda n: n.utils.parametrizations.weight_norm(n.Linear(4, 3), dim=1),
    "weight norm of all": lambda n: n.utils.parametrizations.weight_norm(n.Linear(4, 3), dim=None),
    "weight norm of a bias": lambda n: n.utils.parametrizations.weight_norm(n.Linear(4, 3), "bias"),
    "weight norm of windows": lambda n: n.Sequential(
        n.Unflatten(1, (1, 4)), n.utils.parametrizations.weight_norm(n.Conv1d(1, 3, 2))
    ),
    "older weight norm": lambda n: n.utils.weight_norm(n.Linear(4, 3)),
    "older weight norm of all": lambda n: n.utils.weight_norm(n.Linear(4, 3), "weight", None),
    "spectral norm": lambda n: n.utils.parametrizations.spectral_norm(n.Linear(4, 3)),
    "spectral norm of a bias": lambda n: n.utils.parametrizations.spectral_norm(
        n.Linear(4, 3), "bias"
    ),
    "spectral norm of turned windows": lambda n: n.Sequential(
        n.Unflatten(1, (2, 2)),
        n.utils.parametrizations.spectral_norm(n.ConvTranspose1d(2, 3, 2), n_power_iterations=3),
    ),
    "older spectral norm": lambda n: n.utils.spectral_norm(n.Linear(4, 3), n_power_iterations=2),
    "older spectral norm of columns": lambda n: n.utils.spectral_norm(n.Linear(4, 3), dim=1),
    "rotation": lambda n: n.utils.parametrizations.orthogonal(n.Linear(4, 4)),
    "reflections": lambda n: n.utils.parametrizations.orthogonal(n.Linear(4, 3)),
    "reflections of tall": lambda n: n.utils.parametrizations.orthogonal(n.Linear(4, 6)),
    "cayley": lambda n: n.utils.parametrizations.orthogonal(n.Linear(4, 3), "weight", "cayley"),
    "exponential of tall": lambda n: n.utils.parametrizations.orthogonal(
        n.Linear(4, 6), orthogonal_map="matrix_exp"
    ),
    "plain exponential": lambda n: n.utils.parametrizations.orthogonal(
        n.Linear(4, 3), orthogonal_map="matrix_exp", use_trivialization=False
    ),
    "plain reflections": lambda n: n.utils.parametrizations.orthogonal(
        n.Linear(4, 3), orthogonal_map="householder", use_trivialization=False
    ),
    "two": lambda n: n.utils.parametrizations.spectral_norm(
        n.utils.parametrizations.weight_norm(n.Linear(4, 3))
    ),
}  # fmt: skip
OLDER = pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")


class Symmetric(nn.Module):
    def forward(self, x: gc.Tensor) -> gc.Tensor:
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x: gc.Tensor) -> gc.Tensor:
        return x.triu()


class Doubled(nn.Module):
    def forward(self, x: gc.Tensor) -> gc.Tensor:
        return x * 2


class Product(nn.Module):
    """A matrix of rank 1."""

    def forward(self, x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        return x.unsqueeze(-1) * y

    def right_inverse(self, x: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        return x[:, 0].clone(), x[0] / x[0, 0]


def values(x: Any) -> np.ndarray:
    return np.array(x.detach().numpy())


def train(layer: Any, lib: Any, xs: list[np.ndarray], compiled: bool) -> list[np.ndarray]:
    """Results of steps, of an evaluation, and all that the layer has at the end."""
    optimizer = lib.optim.SGD(layer.parameters(), 0.05, momentum=0.9)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        y = layer(x)
        (y * y).mean().backward()
        optimizer.step()
        return y.detach()

    run = gc.compile(step) if compiled else step
    found = [values(run(lib.tensor(x))) for x in xs]
    layer.eval()
    found.append(values((gc.compile(layer) if compiled else layer)(lib.tensor(xs[0]))))
    return [*found, *(values(x) for x in layer.state_dict().values())]


@OLDER
@pytest.mark.parity
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", MADE)
def test_training_gives_pytorchs_numbers(
    name: str, compiled: bool, rng: np.random.Generator
) -> None:  # fmt: skip
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    ours, theirs = MADE[name](nn).double(), MADE[name](torch.nn).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    ours.load_state_dict(theirs.state_dict())
    xs = [rng.normal(size=(5, 4)) for _ in range(5)]
    for a, b in zip(
        train(ours, gc, xs, compiled), train(theirs, torch, xs, False), strict=True
    ):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@OLDER
@pytest.mark.parametrize("name", MADE)
def test_compiled_steps_are_the_dynamic_ones(name: str, rng: np.random.Generator) -> None:
    first = MADE[name](nn).double()
    second = copy.deepcopy(first)
    xs = [rng.normal(size=(5, 4)) for _ in range(4)]
    for a, b in zip(train(first, gc, xs, True), train(second, gc, xs, False), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@OLDER
@pytest.mark.parametrize("name", [name for name in MADE if "window" not in name])
def test_copies_and_pickles_compute_the_same(name: str, rng: np.random.Generator) -> None:
    layer = MADE[name](nn)
    x = gc.tensor(rng.normal(size=(2, 4)).astype(np.float32))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(other) == repr(layer)
        np.testing.assert_array_equal(values(other.eval()(x)), values(layer.eval()(x)))
        with gc.no_grad():
            for parameter in other.parameters():
                parameter.mul_(3.0).add_(1.0)
        assert not np.array_equal(values(other(x)), values(layer(x)))


def test_a_parametrization_of_ones_own(rng: np.random.Generator) -> None:
    layer = nn.Linear(3, 3)
    before = values(layer.weight)
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert parametrize.is_parametrized(layer)
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    np.testing.assert_array_equal(values(layer.weight), np.triu(before) + np.triu(before, 1).T)
    assert "weight" not in dict(layer.named_parameters())
    assert "weight" in dir(layer)
    matrix = rng.normal(size=(3, 3)).astype(np.float32)
    original = layer.parametrizations.weight.original
    layer.weight = gc.tensor(matrix + matrix.T)
    np.testing.assert_array_equal(values(layer.weight), matrix + matrix.T)
    assert layer.parametrizations.weight.original is original
    parametrize.register_parametrization(layer, "weight", Doubled())
    np.testing.assert_array_equal(values(layer.weight), 2 * (matrix + matrix.T))
    with pytest.raises(ArgumentError, match="Doubled does not implement right_inverse"):
        layer.weight = gc.zeros(3, 3)
    with pytest.raises(ArgumentError, match="already"):
        layer.weight = nn.Parameter(gc.zeros(3, 3))
    assert parametrize.remove_parametrizations(layer, "weight") is layer
    assert layer.weight is original
    np.testing.assert_array_equal(values(original), 2 * (matrix + matrix.T))
    assert repr(layer) == "Linear(in_features=3, out_features=3, bias=True)"
    assert not parametrize.is_parametrized(layer)


def test_what_is_left_when_a_parametrization_goes() -> None:
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Doubled())
    before = values(layer.parametrizations.weight.original)
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    np.testing.assert_array_equal(values(layer.weight), before)
    parametrize.register_parametrization(layer, "weight", Product(), unsafe=True)
    with pytest.raises(ArgumentError, match="several tensors"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    with pytest.raises(ArgumentError, match="no such parametrization"):
        parametrize.remove_parametrizations(layer, "bias")
    product = values(layer.weight)
    parametrize.remove_parametrizations(layer, "weight")
    np.testing.assert_array_equal(values(layer.weight), product)
    assert isinstance(layer.weight, nn.Parameter)
    norm = nn.BatchNorm1d(2)
    parametrize.register_parametrization(norm, "running_mean", Doubled())
    assert [name for name, _ in norm.named_buffers()][-1].endswith("running_mean.original")
    parametrize.remove_parametrizations(norm, "running_mean")
    assert "running_mean" in dict(norm.named_buffers())


def test_parametrizations_that_do_not_fit() -> None:
    class Cut(nn.Module):
        def forward(self, x: gc.Tensor) -> gc.Tensor:
            return x[:1]

    class Nothing(nn.Module):
        def forward(self, x: gc.Tensor) -> None:
            return None

    class Wrong(Doubled):
        def right_inverse(self, x: gc.Tensor) -> Any:
            return "x"

    layer = nn.Linear(2, 2)
    for each in (Cut(), Nothing()):
        with pytest.raises(ArgumentError, match="must give a tensor"):
            parametrize.register_parametrization(layer, "weight", each)
    with pytest.raises(ArgumentError, match="right_inverse must return"):
        parametrize.register_parametrization(layer, "weight", Wrong())
    with pytest.raises(ArgumentError, match="no such parameter"):
        parametrize.register_parametrization(layer, "weigth", Doubled())
    with pytest.raises(ArgumentError, match="one or more"):
        parametrize.ParametrizationList([], layer.weight)
    assert not parametrize.is_parametrized(layer)
    parametrize.register_parametrization(layer, "weight", Cut(), unsafe=True)
    assert layer.weight.shape == (1, 2)
    parametrize.register_parametrization(layer, "bias", Doubled())
    with pytest.raises(ArgumentError, match="must give a tensor"):
        parametrize.register_parametrization(layer, "bias", Cut())


def test_cached_values_are_computed_once() -> None:
    calls = []

    class Counted(nn.Module):
        def forward(self, x: gc.Tensor) -> gc.Tensor:
            calls.append(1)
            return x * 2

    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Counted())
    calls.clear()
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
    assert layer.weight is not first
    assert len(calls) == 2


def test_compiled_functions_notice_the_cache() -> None:
    layer = parametrizations.spectral_norm(nn.Linear(3, 2, bias=False)).double()
    other = copy.deepcopy(layer)

    def twice(module: nn.Module, x: gc.Tensor) -> gc.Tensor:
        module(x)
        return module(x).detach()

    run = gc.compile(lambda x: twice(layer, x))
    x = gc.ones(3, dtype=gc.float64)
    for _ in range(2):
        np.testing.assert_allclose(values(run(x)), values(twice(other, x)), rtol=1e-12)
        with parametrize.cached():
            ours = values(run(x))
        with parametrize.cached():
            np.testing.assert_allclose(ours, values(twice(other, x)), rtol=1e-12)
    assert run.cache_info().misses == 2


def test_transfer_of_parametrizations() -> None:
    source = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    parametrize.register_parametrization(source, "bias", Doubled())
    target = nn.Linear(3, 3)
    assert parametrize.transfer_parametrizations_and_params(nn.Linear(3, 3), target) is target
    assert not parametrize.is_parametrized(target)
    parametrize.transfer_parametrizations_and_params(source, target, "weight")
    assert not parametrize.is_parametrized(target, "bias")
    np.testing.assert_array_equal(values(target.weight), values(source.weight))
    empty = nn.Module()
    parametrize.transfer_parametrizations_and_params(source, empty)
    assert empty.parametrizations.weight.original is source.parametrizations.weight.original
    np.testing.assert_array_equal(values(empty.bias), values(source.bias))


def test_compiled_functions_notice_parametrizations() -> None:
    layer = nn.Linear(3, 3)
    run = gc.compile(lambda x: layer(x))
    x = gc.ones(3)
    plain = values(run(x))
    parametrize.register_parametrization(layer, "weight", Doubled())
    np.testing.assert_allclose(values(run(x)), values(layer(x)), rtol=1e-6)
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    np.testing.assert_allclose(values(run(x)), plain, rtol=1e-6)


def test_orthogonal_weights_stay_orthogonal(rng: np.random.Generator) -> None:
    for kind in ("matrix_exp", "cayley", "householder"):
        for shape in ((3, 5), (5, 3), (4, 4)):
            layer = parametrizations.orthogonal(nn.Linear(*shape).double(), orthogonal_map=kind)
            train(layer, gc, [rng.normal(size=(2, shape[0])) for _ in range(3)], False)
            weight = values(layer.weight)
            small = weight @ weight.T if shape[0] > shape[1] else weight.T @ weight
            np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-12)
    q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    layer = parametrizations.orthogonal(nn.Linear(4, 4).double())
    layer.weight = gc.tensor(q)
    np.testing.assert_allclose(values(layer.weight), q, atol=1e-12)
    with pytest.raises(ShapeError):
        layer.weight = gc.zeros(2, 2)
    with pytest.raises(ArgumentError, match="orthogonal_map"):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="other")
    with pytest.raises(ArgumentError, match="matrix"):
        parametrizations.orthogonal(nn.Linear(2, 2), "bias")
    plain = parametrizations.orthogonal(
        nn.Linear(2, 2), orthogonal_map="cayley", use_trivialization=False
    )
    with pytest.raises(NotImplementedError):
        plain.weight = gc.eye(2)


def test_unitary_weights() -> None:
    layer = nn.Module()
    layer.weight = nn.Parameter(gc.randn(3, 3, dtype=gc.complex128))
    parametrizations.orthogonal(layer)
    weight = values(layer.weight)
    np.testing.assert_allclose(weight @ weight.conj().T, np.eye(3), atol=1e-12)
    other = nn.Module()
    other.weight = nn.Parameter(gc.randn(3, 3, dtype=gc.complex128))
    with pytest.raises(ArgumentError, match="complex"):
        parametrizations.orthogonal(other, orthogonal_map="householder")


def test_spectral_norms_approach_the_largest_singular_value() -> None:
    layer = parametrizations.spectral_norm(nn.Linear(5, 7), n_power_iterations=20)
    assert np.linalg.norm(values(layer.weight), 2) == pytest.approx(1, rel=1e-4)
    older = nn.utils.spectral_norm(nn.Linear(5, 7), n_power_iterations=100)
    older(gc.ones(5))
    assert np.linalg.norm(values(older.weight), 2) == pytest.approx(1, rel=1e-4)
    kept = values(older.eval().weight)
    assert nn.utils.remove_spectral_norm(older) is older
    np.testing.assert_array_equal(values(older.weight), kept)
    assert list(older.state_dict()) == ["bias", "weight"]
    assert not older._call_hooks
    assert not older._state_dict_hooks
    with pytest.raises(ArgumentError, match="not found"):
        nn.utils.remove_spectral_norm(older)
    for make in (nn.utils.spectral_norm, parametrizations.spectral_norm):
        with pytest.raises(ArgumentError, match="positive"):
            make(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(IndexRangeError):
        parametrizations.spectral_norm(nn.Linear(2, 2), dim=2)
    with pytest.raises(ArgumentError, match="computed already"):
        nn.utils.spectral_norm(nn.utils.spectral_norm(nn.Linear(2, 2)))
    with pytest.raises(ArgumentError, match="no shape yet"):
        nn.utils.spectral_norm(nn.LazyLinear(2))


@OLDER
def test_older_weight_norm_comes_and_goes() -> None:
    layer = nn.Linear(3, 2)
    before = values(layer.weight)
    nn.utils.weight_norm(layer)
    np.testing.assert_allclose(values(layer.weight), before, rtol=1e-6)
    np.testing.assert_allclose(
        values(layer.weight_g)[:, 0], np.linalg.norm(before, axis=1), rtol=1e-6
    )
    with pytest.raises(ArgumentError, match="computed already"):
        nn.utils.weight_norm(layer)
    with pytest.raises(ArgumentError, match="computed of other"):
        layer.weight = gc.zeros(2, 3)
    newer = parametrizations.weight_norm(nn.Linear(3, 2))
    newer.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(values(newer.weight), values(layer.weight))
    nn.utils.remove_weight_norm(layer)
    np.testing.assert_allclose(values(layer.weight), before, rtol=1e-6)
    assert list(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ArgumentError, match="not found"):
        nn.utils.remove_weight_norm(layer)
    with pytest.raises(IndexRangeError):
        nn.utils.weight_norm(layer, dim=2)
    assert "weight" in layer.state_dict()


def test_the_older_weight_norm_warns() -> None:
    with pytest.warns(FutureWarning, match="deprecated"):
        nn.utils.weight_norm(nn.Linear(1, 1))


def test_states_of_spectral_norms_before_their_versions(rng: np.random.Generator) -> None:
    layer = nn.utils.spectral_norm(nn.Linear(4, 3)).double().eval()
    state = layer.state_dict()
    assert state._metadata[""]["spectral_norm"] == {"weight.version": 1}
    matrix, u = rng.normal(size=(3, 4)), rng.normal(size=3)
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    u = matrix @ v / np.linalg.norm(matrix @ v)
    sigma = float(u @ matrix @ v)
    older = {
        "bias": np.zeros(3), "weight_orig": gc.tensor(matrix), "weight_u": gc.tensor(u),
        "weight": gc.tensor(matrix / sigma),
    }  # fmt: skip
    layer.load_state_dict(older)
    np.testing.assert_allclose(values(layer.weight), matrix / sigma, rtol=1e-8)
