"""Optimizers in compiled steps: the same numbers as dynamic ones, options read at each run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim

MAKERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "sgd_momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "sgd_nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "sgd_dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
    "sgd_maximize": lambda p: optim.SGD(p, lr=0.001, maximize=True),
    "adam": lambda p: optim.Adam(p, lr=0.05),
    "adam_amsgrad": lambda p: optim.Adam(p, lr=0.05, amsgrad=True, weight_decay=0.1),
    "adamw": lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.1),
}


class Training:
    """A model with batch norm, dropout and a number as parameter, and its step."""

    def __init__(self, make: Callable[[Any], optim.Optimizer]) -> None:
        gc.manual_seed(3)
        self.net = nn.Sequential(
            nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)
        )
        self.scale = nn.Parameter(np.float32(1.0))
        self.optimizer = make([*self.net.parameters(), self.scale])
        gc.manual_seed(4)
        self.traces = 0

    def step(self, x: Any, y: Any) -> Any:
        self.traces += 1
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.net(x) * self.scale, y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        return loss

    def state(self) -> dict[str, np.ndarray]:
        found = {key: value.numpy().copy() for key, value in self.net.state_dict().items()}
        found["scale"] = self.scale.detach().numpy().copy()
        found["rng"] = gc.get_rng_state().numpy()
        for number, entries in self.optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                found[f"{number}.{key}"] = value.numpy().copy()
        return found


def data(rng: np.random.Generator) -> tuple[Any, Any]:
    return gc.tensor(rng.normal(size=(16, 5)).astype(np.float32)), gc.tensor(np.arange(16) % 3)


@pytest.mark.parametrize("name", MAKERS)
def test_numpy_backend_is_dynamic_bit_for_bit(name: str, rng: np.random.Generator) -> None:
    x, y = data(rng)
    dynamic = Training(MAKERS[name])
    losses = [dynamic.step(x, y).item() for _ in range(8)]
    expected = dynamic.state()
    static = Training(MAKERS[name])
    fast = gc.compile(static.step, backend="numpy", optimize="O0")
    assert [fast(x, y).item() for _ in range(8)] == losses
    assert static.traces == 1
    for key, value in expected.items():
        np.testing.assert_array_equal(static.state()[key], value, err_msg=key, strict=True)


@pytest.mark.parametrize("name", MAKERS)
def test_native_code_is_close(name: str, rng: np.random.Generator) -> None:
    x, y = data(rng)
    dynamic = Training(MAKERS[name])
    losses = [dynamic.step(x, y).item() for _ in range(8)]
    static = Training(MAKERS[name])
    fast = gc.compile(static.step, backend="llvm")
    np.testing.assert_allclose([fast(x, y).item() for _ in range(8)], losses, rtol=1e-4)


def test_options_are_read_at_each_run_without_a_new_trace(rng: np.random.Generator) -> None:
    x, y = data(rng)

    def run(training: Training, step: Any) -> None:
        schedule = optim.lr_scheduler.ExponentialLR(training.optimizer, 0.5)
        group = training.optimizer.param_groups[0]
        for _ in range(5):
            step(x, y)
            schedule.step()
            group["betas"] = (group["betas"][0] * 0.9, 0.99)
            group["eps"], group["weight_decay"] = group["eps"] * 2, group["weight_decay"] * 2

    make = MAKERS["adamw"]
    dynamic, static = Training(make), Training(make)
    gc.manual_seed(4)
    run(dynamic, dynamic.step)
    expected = dynamic.state()
    gc.manual_seed(4)
    run(static, gc.compile(static.step, backend="numpy", optimize="O0"))
    assert static.traces == 1
    for key, value in expected.items():
        np.testing.assert_array_equal(static.state()[key], value, err_msg=key)


def test_a_change_of_structure_is_traced_anew(rng: np.random.Generator) -> None:
    x, y = data(rng)

    def run(training: Training, step: Any) -> None:
        group = training.optimizer.param_groups[0]
        for momentum in (0.0, 0.9, 0.9, 0.0):
            group["momentum"] = momentum
            step(x, y)

    dynamic, static = Training(MAKERS["sgd"]), Training(MAKERS["sgd"])
    gc.manual_seed(4)
    run(dynamic, dynamic.step)
    expected = dynamic.state()
    gc.manual_seed(4)
    run(static, gc.compile(static.step, backend="numpy", optimize="O0"))
    assert static.traces == 2
    for key, value in expected.items():
        np.testing.assert_array_equal(static.state()[key], value, err_msg=key)


def test_loaded_state_reaches_a_compiled_step(rng: np.random.Generator) -> None:
    x, y = data(rng)
    training = Training(MAKERS["adam"])
    fast = gc.compile(training.step, backend="numpy")
    fast(x, y)
    model = {k: v.clone() for k, v in training.net.state_dict().items()}
    scale, rng_state = training.scale.detach().clone(), gc.get_rng_state()
    state = training.optimizer.state_dict()
    state["state"] = {n: {k: v.clone() for k, v in e.items()} for n, e in state["state"].items()}
    expected = [fast(x, y).item() for _ in range(3)]
    training.net.load_state_dict(model)
    with gc.no_grad():
        training.scale.copy_(scale)
    training.optimizer.load_state_dict(state)
    gc.set_rng_state(rng_state)
    assert [fast(x, y).item() for _ in range(3)] == expected
    assert training.traces == 1


def test_variables_have_the_parameters_names() -> None:
    net = nn.Sequential(nn.Linear(2, 1))
    optimizer = optim.Adam(net.parameters())
    with gc.Graph() as graph:
        net(gc.placeholder((3, 2), name="x")).sum().backward()
        optimizer.step()
    names = {node.attrs["name"] for node in graph.program.variables}
    assert {"0.weight", "0.weight.exp_avg", "0.bias.step", "lr", "betas.0", "eps"} <= names
    updated = {node.attrs["name"] for node in graph.updates}
    assert {"0.weight", "0.weight.exp_avg", "0.bias.step"} <= updated


def test_parameters_without_gradient_are_left_out() -> None:
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([p, q], lr=0.1, momentum=0.9)

    def step(x: Any) -> None:
        optimizer.zero_grad()
        (p * x).sum().backward()
        optimizer.step()

    gc.compile(step, backend="numpy")(gc.ones(1))
    assert (round(p.item(), 6), q.item()) == (0.9, 1.0)
    assert len(optimizer.state[q]) == 0


def test_gradients_that_are_not_cleared_add_up() -> None:
    def make() -> tuple[nn.Parameter, Callable[[Any], None]]:
        p = nn.Parameter([1.0, 2.0])
        optimizer = optim.SGD([p], lr=0.1)

        def step(x: Any) -> None:
            (p * x).sum().backward()
            nn.utils.clip_grad_norm_([p], 3.0)
            optimizer.step()

        return p, step

    (p, dynamic), (q, step) = make(), make()
    static = gc.compile(step, backend="numpy")
    for _ in range(4):
        dynamic(gc.tensor([1.0, -1.0]))
        static(gc.tensor([1.0, -1.0]))
        assert p.tolist() == q.tolist()
        assert p.grad.tolist() == q.grad.tolist()
