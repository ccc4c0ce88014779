"""What optimizers refuse, with PyTorch's kinds of errors: parameters, groups, foreign states."""

from typing import Any

import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import (
    ArgumentError,
    ArgumentTypeError,
    CheckpointMismatchError,
    CheckpointTypeError,
)
from tests.torch_oracle import torch as find_torch


def parameter(*values: float) -> nn.Parameter:
    return nn.Parameter(gc.tensor([*map(float, values)]))


WRONG_PARAMETERS = {
    "one tensor": lambda make: make(),
    "numbers": lambda make: [1],
    "a set": lambda make: [{"params": {make()}}],
    "no dict": lambda make: [{"params": make()}, 5],
    "no leaf": lambda make: [make() * 2],
    "none": lambda make: [],
    "in two groups": lambda make: (lambda one: [{"params": one}, {"params": one}])(make()),
}


@pytest.mark.parity
@pytest.mark.parametrize("case", WRONG_PARAMETERS)
def test_kinds_of_errors_of_parameters(case: str) -> None:
    torch = find_torch()
    with pytest.raises((TypeError, ValueError)) as theirs:
        torch.optim.SGD(WRONG_PARAMETERS[case](lambda: torch.nn.Parameter(torch.ones(2))), lr=0.1)
    with pytest.raises(theirs.type) as caught:
        optim.SGD(WRONG_PARAMETERS[case](lambda: parameter(1, 1)), lr=0.1)
    assert isinstance(caught.value, ArgumentError)
    assert __file__ in str(caught.value)


def test_options_of_wrong_types() -> None:
    for options in ({"lr": "fast"}, {"lr": None}, {"lr": 0.1, "momentum": []}):
        with pytest.raises(ArgumentTypeError, match="must be a number"):
            optim.SGD([parameter(1)], **options)


def stepped(kind: str, groups: Any) -> optim.Optimizer:
    made: optim.Optimizer = getattr(optim, kind)(groups, lr=0.1)
    for group in made.param_groups:
        for param in group["params"]:
            (param * param).sum().backward()
    made.step()
    return made


def test_states_of_other_groups() -> None:
    state = stepped("Adam", [parameter(1), parameter(2)]).state_dict()
    for groups in ([parameter(1)], [{"params": [parameter(1)]}, {"params": [parameter(2)]}]):
        fresh = optim.Adam(groups)
        with pytest.raises(CheckpointMismatchError, match="other parameter groups") as caught:
            fresh.load_state_dict(state)
        assert isinstance(caught.value, ValueError), "as in PyTorch"
        assert not fresh.state, "nothing was taken over"
    with pytest.raises(CheckpointMismatchError, match="'exp_avg' does not fit"):
        optim.Adam([parameter(1, 2, 3), parameter(2)]).load_state_dict(state)
    for value in (5, None, [state]):
        with pytest.raises(CheckpointTypeError, match="what state_dict gave"):
            optim.Adam([parameter(1)]).load_state_dict(value)


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        ("Adam", "SGD"),
        ("SGD", "Adam"),
        ("RMSprop", "Adagrad"),
        ("Rprop", "AdamW"),
        ("LBFGS", "SGD"),
    ],
)
def test_states_of_other_optimizers(kind: str, other: str) -> None:
    state = getattr(optim, kind)([parameter(1)], lr=0.3).state_dict()
    fresh = getattr(optim, other)([parameter(1)], lr=0.1)
    with pytest.raises(CheckpointMismatchError, match="that of another optimizer"):
        fresh.load_state_dict(state)
    assert fresh.param_groups[0]["lr"] == 0.1


def test_states_of_older_versions_and_with_more_options() -> None:
    state = stepped("Adam", [parameter(1)]).state_dict()
    group = state["param_groups"][0]
    for name in ("decoupled_weight_decay", "maximize", "foreach", "capturable", "fused"):
        del group[name]
    group["my_own"] = "kept"
    fresh = optim.Adam([parameter(1)], maximize=True)
    fresh.load_state_dict(state)
    assert fresh.param_groups[0]["my_own"] == "kept"
    assert fresh.param_groups[0]["maximize"], "what is not there stays"
    del group["my_own"], group["eps"]
    fresh.load_state_dict(state)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "RMSprop", "Adagrad", "LBFGS", "Adafactor"])
def test_states_after_schedules(kind: str) -> None:
    def make() -> Any:
        made = getattr(optim, kind)([parameter(1)], lr=0.1)
        if kind in ("SGD", "Adam"):
            optim.lr_scheduler.CyclicLR(made, 0.1, 0.2)
            optim.lr_scheduler.OneCycleLR(made, 0.2, 10)
        optim.lr_scheduler.StepLR(made, 3)
        return made

    fresh = getattr(optim, kind)([parameter(1)], lr=0.5)
    fresh.load_state_dict(make().state_dict())
    assert fresh.param_groups[0]["initial_lr"] == make().param_groups[0]["initial_lr"]
