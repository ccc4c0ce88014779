"""Every optimizer against PyTorch's, dynamically and compiled, and its checkpoints both ways."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, CheckpointError

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1}, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ],
    "Adam": [
        {"lr": 0.05}, {"amsgrad": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.05, "betas": (0.5, 0.9), "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "AdamW": [{"lr": 0.05}, {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}],
    "RMSprop": [
        {"momentum": momentum, "centered": centered, "weight_decay": decay, "maximize": centered}
        for momentum, centered, decay in itertools.product([0.0, 0.8], [False, True], [0.0, 0.1])
    ] + [{"lr": 0.1, "alpha": 0.5, "eps": 1e-2}],
    "Adagrad": [
        {}, {"lr": 0.1, "lr_decay": 0.1}, {"weight_decay": 0.1, "maximize": True},
        {"initial_accumulator_value": 0.5, "eps": 1e-3},
    ],
    "Adadelta": [
        {}, {"lr": 0.5, "rho": 0.5}, {"weight_decay": 0.1, "maximize": True, "eps": 1e-3},
    ],
    "Adamax": [
        {}, {"lr": 0.1, "betas": (0.5, 0.9)}, {"weight_decay": 0.1, "maximize": True, "eps": 1e-2},
    ],
    "NAdam": [
        {}, {"lr": 0.1, "betas": (0.5, 0.9), "momentum_decay": 0.1},
        {"weight_decay": 0.1, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "RAdam": [
        {"lr": 0.1}, {"lr": 0.1, "betas": (0.5, 0.9)}, {"lr": 0.1, "betas": (0.9, 0.5)},
        {"weight_decay": 0.1, "maximize": True}, {"weight_decay": 0.1, "betas": (0.9, 0.98)},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "eps": 1e-3},
    ],
    "ASGD": [
        {}, {"lr": 0.1, "lambd": 0.1, "alpha": 0.5}, {"lr": 0.1, "t0": 3.0},
        {"weight_decay": 0.1, "maximize": True, "t0": 0.0},
    ],
    "Rprop": [
        {}, {"lr": 0.1, "etas": (0.3, 2.0)}, {"step_sizes": (0.005, 0.02), "maximize": True},
    ],
    "Adafactor": [
        {}, {"lr": 0.1, "beta2_decay": -0.5, "weight_decay": 0.1}, {"d": 2.0, "maximize": True},
        {"lr": 2.0, "eps": (1e-3, 1e-1)},
    ],
    "Muon": [
        {}, {"lr": 0.1, "weight_decay": 0.0, "nesterov": False}, {"lr": 0.1, "momentum": 0.5},
        {"adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
        {"lr": 0.1, "ns_coefficients": (2.0, -1.5, 0.5), "adjust_lr_fn": "original"},
    ],
}  # fmt: skip
CASES = [(name, options) for name, sets in OPTIONS.items() for options in sets]

STARTS = [
    np.array([[1.0, -2.0, 0.25], [0.5, 3.0, -1.0]]), np.array([0.0, 1e-3]), np.array(2.0),
    np.linspace(-1, 1, 24).reshape(2, 3, 4),
]  # fmt: skip
MATRICES = [STARTS[0], STARTS[0].T.copy(), np.linspace(-1, 1, 16).reshape(4, 4)]


def starts(name: str) -> list[np.ndarray]:
    return MATRICES if name == "Muon" else STARTS


def bound(name: str, dtype: str) -> float:
    if name == "Muon":  # products of bfloat16
        return 2e-2
    return 1e-11 if dtype == "float64" else 3e-5


def gradients(name: str, dtype: str, steps: range) -> Iterator[list[np.ndarray]]:
    """Gradients that change sign and size, some of them zero."""
    for step in steps:
        yield [
            np.asarray(
                np.sin(np.arange(start.size) * 1.7 + step * 0.9 + position)
                * (step % 5 + (step < 2)),
                dtype,
            ).reshape(start.shape)
            for position, start in enumerate(starts(name))
        ]


def label(case: tuple[str, dict[str, Any]]) -> str:
    return case[0] + ",".join(f"{key}={value}" for key, value in case[1].items())


class Ours:
    """Parameters and their optimizer; a step that takes the gradients."""

    def __init__(self, name: str, options: dict[str, Any], dtype: str, compiled: bool) -> None:
        self.params = [nn.Parameter(start.astype(dtype)) for start in starts(name)]
        self.optimizer = getattr(optim, name)(self.params, **options)
        self.run = gc.compile(self.step) if compiled else self.step
        self.traces = 0

    def step(self, grads: list[gc.Tensor]) -> None:
        self.traces += 1
        self.optimizer.zero_grad()
        for param, grad in zip(self.params, grads, strict=True):
            (param * grad).sum().backward()
        self.optimizer.step()

    def move(self, grads: list[np.ndarray]) -> None:
        self.run([gc.tensor(grad) for grad in grads])


class Theirs:
    """The same in PyTorch."""

    def __init__(self, name: str, options: dict[str, Any], dtype: str) -> None:
        self.torch = pytest.importorskip("torch")
        parameter = self.torch.nn.Parameter
        self.params = [parameter(self.torch.tensor(x.astype(dtype))) for x in starts(name)]
        self.optimizer = getattr(self.torch.optim, name)(self.params, **options)

    def move(self, grads: list[np.ndarray]) -> None:
        for param, grad in zip(self.params, grads, strict=True):
            param.grad = self.torch.tensor(grad)
        self.optimizer.step()


def assert_same(ours: Ours, theirs: Theirs, tolerance: float) -> None:
    for p, q in zip(ours.params, theirs.params, strict=True):
        assert str(q.dtype).endswith(p.dtype.name)
        np.testing.assert_allclose(
            p.detach().numpy(), q.detach().numpy(), rtol=tolerance, atol=tolerance
        )
    mine, other = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert list(mine["state"]) == list(other["state"])
    for number, entries in other["state"].items():
        assert set(mine["state"][number]) - {"started"} == set(entries)
        for key, value in entries.items():
            found = mine["state"][number][key].numpy()
            expected = value.numpy()
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=key)
    assert mine["param_groups"] == other["param_groups"]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=label)
def test_dynamic_steps(case: tuple[str, dict[str, Any]], dtype: str) -> None:
    name, options = case
    ours, theirs = Ours(name, options, dtype, compiled=False), Theirs(name, options, dtype)
    for grads in gradients(name, dtype, range(12)):
        ours.move(grads)
        theirs.move(grads)
        assert_same(ours, theirs, bound(name, dtype))


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES, ids=label)
def test_compiled_steps(case: tuple[str, dict[str, Any]]) -> None:
    name, options = case
    ours, theirs = Ours(name, options, "float64", compiled=True), Theirs(name, options, "float64")
    for number, grads in enumerate(gradients(name, "float64", range(12))):
        if number == 6:
            for each in (ours, theirs):
                each.optimizer.param_groups[0]["lr"] *= 0.5
        ours.move(grads)
        theirs.move(grads)
    assert ours.traces == 1
    assert_same(ours, theirs, bound(name, "float64"))


@pytest.mark.parametrize("case", CASES, ids=label)
def test_numpy_backend_is_dynamic_bit_for_bit(case: tuple[str, dict[str, Any]]) -> None:
    name, options = case
    ours, other = (Ours(name, options, "float32", compiled=False) for _ in range(2))
    other.run = gc.compile(other.step, backend="numpy", optimize="O0")
    for grads in gradients(name, "float32", range(8)):
        ours.move(grads)
        other.move(grads)
    for p, q in zip(ours.params, other.params, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


@pytest.mark.parity
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_state_goes_to_pytorch_and_back(name: str, compiled: bool) -> None:
    options = OPTIONS[name][1]
    ours, theirs = Ours(name, options, "float64", compiled), Theirs(name, options, "float64")
    torch = theirs.torch
    for grads in gradients(name, "float64", range(3)):
        ours.move(grads)
    with torch.no_grad():
        for p, q in zip(ours.params, theirs.params, strict=True):
            q.copy_(torch.tensor(p.detach().numpy()))
    state = ours.optimizer.state_dict()
    for entries in state["state"].values():
        for key in entries:
            entries[key] = torch.tensor(entries[key].numpy())
    theirs.optimizer.load_state_dict(state)
    for entries in theirs.optimizer.state.values():
        for key in entries.keys() & {"eta", "mu", "mu_product"}:  # it gives them another dtype
            entries[key] = entries[key].to(torch.float32)
    again = Ours(name, options, "float64", compiled)
    again.move(next(gradients(name, "float64", range(1))))  # so that there is a state to replace
    with gc.no_grad():
        for p, r in zip(ours.params, again.params, strict=True):
            r.copy_(p)
    again.optimizer.load_state_dict(theirs.optimizer.state_dict())
    for grads in gradients(name, "float64", range(3, 7)):
        for each in (ours, theirs, again):
            each.move(grads)
    assert again.traces == (1 if compiled else 5)
    assert_same(again, theirs, bound(name, "float64"))
    for p, r in zip(ours.params, again.params, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), r.detach().numpy())


@pytest.mark.parity
@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in ("Adafactor", "Muon")])
def test_complex_parameters(name: str) -> None:
    torch = pytest.importorskip("torch")
    start = np.array([1 + 2j, -1 + 0.5j, 0.25 - 3j])
    p, q = nn.Parameter(start), torch.nn.Parameter(torch.tensor(start))
    options = OPTIONS[name][-1]
    ours = getattr(optim, name)([p], **options)
    theirs = getattr(torch.optim, name)([q], **options)
    for step in range(6):
        grad = np.cos(np.arange(3) + step) + 1j * np.sin(2 * np.arange(3) - step)
        p.grad, q.grad = gc.tensor(grad), torch.tensor(grad)
        ours.step()
        theirs.step()
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_wrong_options_raise(name: str) -> None:
    make, params = getattr(optim, name), [nn.Parameter(gc.ones(2, 2))]
    bad: list[dict[str, Any]] = [{"lr": -1.0}, {"lr": float("nan")}]
    defaults = make(params).defaults
    if "differentiable" in defaults:
        bad.append({"differentiable": True})
    if "fused" in defaults:
        bad.append({"fused": True, "foreach": True})
    if "betas" in defaults:
        bad += [{"betas": (1.0, 0.5)}, {"betas": (0.5,)}]
    if "weight_decay" in defaults:
        bad.append({"weight_decay": -0.1})
    own: dict[str, list[dict[str, Any]]] = {
        "Adadelta": [{"rho": 1.5}], "Rprop": [{"etas": (1.5, 2.0)}],
        "Adafactor": [{"beta2_decay": 0.5}, {"d": 0.5}, {"eps": (None, -1.0)}],
        "Muon": [{"ns_steps": 100}, {"adjust_lr_fn": "none"}, {"ns_coefficients": (1.0, 2.0)}],
        "NAdam": [{"momentum_decay": -1.0}], "RMSprop": [{"alpha": -1.0}],
    }  # fmt: skip
    for options in bad + own.get(name, []):
        with pytest.raises(ArgumentError, match=name):
            make(params, **options)
    for flag in ("foreach", "fused", "capturable"):
        if flag in defaults:
            assert make(params, **{flag: True}).param_groups[0][flag] is True


def test_parameters_without_a_rule_raise() -> None:
    for shape in ((), (3,), (2, 2, 2)):
        with pytest.raises(ArgumentError, match="matrix"):
            optim.Muon([nn.Parameter(gc.ones(*shape))])
    number = nn.Parameter(np.ones((2, 2), np.complex64))
    with pytest.raises(ArgumentError, match="real"):
        optim.Muon([number])
    with pytest.raises(ArgumentError, match="complex"):
        optim.Adafactor([number])


def test_states_have_shapes_of_their_own() -> None:
    param = nn.Parameter(gc.ones(2, 3))
    adafactor = optim.Adafactor([param])
    wrong = {"state": {0: {"row_var": gc.zeros(2, 3)}}, "param_groups": [{"params": [0]}]}
    with pytest.raises(CheckpointError, match="row_var"):
        adafactor.load_state_dict(wrong)


@pytest.mark.parametrize("name", OPTIONS)
def test_nothing_to_move(name: str) -> None:
    shapes = [(0, 3), (3, 0)] if name == "Muon" else [(0,), (2, 0)]
    params = [nn.Parameter(gc.ones(*shape)) for shape in shapes]
    optimizer = getattr(optim, name)(params)
    for param in params:
        param.grad = gc.ones(*param.shape)
    optimizer.step()
    assert [param.shape for param in params] == shapes
