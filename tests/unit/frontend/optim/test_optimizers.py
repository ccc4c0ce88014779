"""Optimizers against PyTorch's over many steps, and by hand."""

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, CheckpointError

SGD_OPTIONS: list[dict[str, Any]] = [
    {"lr": 0.1, "momentum": momentum, "weight_decay": decay, "maximize": maximize, **extra}
    for decay, maximize in itertools.product([0.0, 0.1], [False, True])
    for momentum, extra in (
        (0.0, {}), (0.9, {}), (0.9, {"dampening": 0.3}), (0.9, {"nesterov": True}),
    )
]  # fmt: skip

ADAM_OPTIONS: list[dict[str, Any]] = [
    {"lr": 0.05, "weight_decay": decay, "maximize": maximize, "amsgrad": amsgrad, **extra}
    for decay, maximize, amsgrad in itertools.product([0.0, 0.1], [False, True], [False, True])
    for extra in ({}, {"betas": (0.5, 0.9), "eps": 1e-3}, {"betas": (0.0, 0.0)})
]

CASES = [
    *(("SGD", options) for options in SGD_OPTIONS),
    *((name, options) for name in ("Adam", "AdamW") for options in ADAM_OPTIONS),
]

STARTS = [np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([0.0, 1e-3]), np.array(2.0)]


def gradient(step: int, position: int, shape: tuple[int, ...]) -> np.ndarray:
    """Gradients that change sign and size, some of them zero."""
    count = int(np.prod(shape))
    return np.sin(np.arange(count) * 1.7 + step * 0.9 + position).reshape(shape) * (step % 5)


def label(case: tuple[str, dict[str, Any]]) -> str:
    return case[0] + ",".join(f"{key}={value}" for key, value in case[1].items())


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=label)
def test_twenty_steps(case: tuple[str, dict[str, Any]], dtype: str) -> None:
    torch = pytest.importorskip("torch")
    name, options = case
    ours = [nn.Parameter(start.astype(dtype)) for start in STARTS]
    theirs = [torch.nn.Parameter(torch.tensor(start.astype(dtype))) for start in STARTS]
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    tolerance = 1e-11 if dtype == "float64" else 2e-5
    for step in range(20):
        for position, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            if step % 4 == 3 and position == 1:
                p.grad = q.grad = None
                continue
            grad = gradient(step, position, p.shape).astype(dtype)
            p.grad, q.grad = gc.tensor(grad), torch.tensor(grad)
        a.step()
        b.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(
                p.detach().numpy(), q.detach().numpy(), rtol=tolerance, atol=tolerance
            )
    mine, other = a.state_dict()["state"], b.state_dict()["state"]
    assert list(mine) == list(other)
    for number, entries in other.items():
        assert set(mine[number]) - {"started"} == set(entries)
        for key, value in entries.items():
            found = mine[number][key].numpy()
            assert found.dtype == value.numpy().dtype
            np.testing.assert_allclose(found, value.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES[::3], ids=label)
def test_state_goes_to_pytorch_and_back(case: tuple[str, dict[str, Any]]) -> None:
    torch = pytest.importorskip("torch")
    name, options = case
    ours = [nn.Parameter(start) for start in STARTS]
    a = getattr(optim, name)([{"params": ours[:2]}, {"params": ours[2:], "lr": 0.3}], **options)

    def move(optimizer: Any, parameters: list[Any], tensor: Any, steps: range) -> None:
        for step in steps:
            for position, p in enumerate(parameters):
                p.grad = tensor(gradient(step + 1, position, tuple(p.shape)))
            optimizer.step()

    move(a, ours, gc.tensor, range(3))
    theirs = [torch.nn.Parameter(torch.tensor(p.detach().numpy())) for p in ours]
    b = getattr(torch.optim, name)([{"params": theirs[:2]}, {"params": theirs[2:]}], **options)
    state = a.state_dict()
    for entries in state["state"].values():
        for key in entries:
            entries[key] = torch.tensor(entries[key].numpy())
    b.load_state_dict(state)
    assert b.param_groups[1]["lr"] == 0.3
    again = [nn.Parameter(p.detach().clone()) for p in ours]
    c = getattr(optim, name)([{"params": again[:2]}, {"params": again[2:]}], **options)
    c.load_state_dict(b.state_dict())
    move(a, ours, gc.tensor, range(3, 6))
    move(b, theirs, torch.tensor, range(3, 6))
    move(c, again, gc.tensor, range(3, 6))
    for p, q, r in zip(ours, theirs, again, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-11, atol=1e-11)
        np.testing.assert_array_equal(p.detach().numpy(), r.detach().numpy())


def test_sgd_by_hand() -> None:
    p = nn.Parameter(np.array([1.0, 2.0]))
    sgd = optim.SGD([p], lr=0.1, momentum=0.5, weight_decay=0.2)
    value, velocity = np.array([1.0, 2.0]), np.zeros(2)
    for grad in ([1.0, -1.0], [0.5, 0.0]):
        p.grad = gc.tensor(np.array(grad))
        sgd.step()
        velocity = 0.5 * velocity + np.array(grad) + 0.2 * value
        value = value - 0.1 * velocity
        np.testing.assert_allclose(p.detach().numpy(), value, rtol=1e-15)


def test_adam_by_hand() -> None:
    p = nn.Parameter(np.array([1.0]))
    adam = optim.Adam([p], lr=0.1, betas=(0.8, 0.9), eps=1e-3)
    value = mean = square = 0.0
    value = 1.0
    for step, grad in enumerate((2.0, -1.0, 0.0), start=1):
        p.grad = gc.tensor(np.array([grad]))
        adam.step()
        mean = 0.8 * mean + 0.2 * grad
        square = 0.9 * square + 0.1 * grad**2
        value -= 0.1 * (mean / (1 - 0.8**step)) / ((square / (1 - 0.9**step)) ** 0.5 + 1e-3)
        assert p.item() == pytest.approx(value, rel=1e-14)


def test_steps_keep_memory_and_types() -> None:
    p = nn.Parameter(gc.ones(3))
    storage = p.storage
    adam = optim.AdamW([p])
    p.grad = gc.ones(3)
    adam.step()
    assert p.storage is storage
    assert p.is_leaf
    assert p.requires_grad
    assert adam.state[p]["step"].item() == 1
    assert adam.state[p]["step"].dtype is gc.float32
    assert not adam.state[p]["exp_avg"].requires_grad


def test_parameters_without_gradient_stay() -> None:
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    sgd = optim.SGD([p, q], lr=1.0, momentum=0.9)
    p.grad = gc.ones(1)
    sgd.step()
    assert (p.item(), q.item()) == (0, 1)
    assert list(sgd.state_dict()["state"]) == [0]


def test_groups_have_options_of_their_own() -> None:
    p, q, r = (nn.Parameter([1.0]) for _ in range(3))
    sgd = optim.SGD([{"params": p}, {"params": [q], "lr": 0.5}], lr=0.1)
    sgd.add_param_group({"params": [("r", r)], "momentum": 0.9})
    assert [group["lr"] for group in sgd.param_groups] == [0.1, 0.5, 0.1]
    assert sgd.param_groups[2]["param_names"] == ["r"]
    for each in (p, q, r):
        each.grad = gc.ones(1)
    sgd.step()
    np.testing.assert_allclose([p.item(), q.item(), r.item()], [0.9, 0.5, 0.9], rtol=1e-6)
    assert [group["params"] for group in sgd.state_dict()["param_groups"]] == [[0], [1], [2]]


def test_options_may_change_between_steps() -> None:
    p = nn.Parameter([1.0])
    sgd = optim.SGD([p], lr=0.1)
    for lr, momentum in ((0.5, 0.0), (0.25, 0.5), (0.25, 0.5)):
        p.grad = gc.ones(1)
        sgd.param_groups[0]["lr"], sgd.param_groups[0]["momentum"] = lr, momentum
        sgd.step()
    assert p.item() == 1 - 0.5 - 0.25 - 0.25 * 1.5


def test_closure_runs_with_gradients() -> None:
    p = nn.Parameter([3.0])
    sgd = optim.SGD([p], lr=0.5)

    def closure() -> gc.Tensor:
        sgd.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with gc.no_grad():
        assert sgd.step(closure).item() == 9
    assert p.item() == 0


def test_zero_grad() -> None:
    p = nn.Parameter([3.0])
    sgd = optim.SGD([p])
    p.grad = gc.ones(1)
    sgd.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0]
    sgd.zero_grad()
    assert p.grad is None


def test_loading_keeps_memory_that_is_in_use() -> None:
    p = nn.Parameter([1.0, 2.0])
    adam = optim.Adam([p])
    p.grad = gc.ones(2)
    adam.step()
    saved = {
        "state": {0: {k: v.clone() for k, v in adam.state[p].items()}},
        "param_groups": [{**adam.param_groups[0], "params": [0], "lr": 0.5}],
    }
    storage, group = adam.state[p]["exp_avg"].storage, adam.param_groups[0]
    adam.step()
    adam.load_state_dict(saved)
    assert adam.state[p]["exp_avg"].storage is storage
    assert adam.param_groups[0] is group
    assert group["lr"] == 0.5
    assert adam.state[p]["step"].item() == 1
    assert group["params"][0] is p


def test_states_that_do_not_fit_are_refused() -> None:
    adam = optim.Adam([nn.Parameter([1.0, 2.0])])
    with pytest.raises(CheckpointError, match="parameter groups"):
        adam.load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]})
    state = {0: {"exp_avg": gc.zeros(3)}}
    with pytest.raises(CheckpointError, match="exp_avg"):
        adam.load_state_dict({"state": state, "param_groups": [{"params": [0]}]})


def test_wrong_arguments_raise() -> None:
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    for make in (
        lambda: optim.SGD([p], lr=-1), lambda: optim.SGD([p], momentum=-1),
        lambda: optim.SGD([p], nesterov=True), lambda: optim.SGD([]), lambda: optim.SGD(p),
        lambda: optim.SGD([p, p]), lambda: optim.SGD([p * 2]), lambda: optim.SGD([1.0]),
        lambda: optim.Adam([p], betas=(1.0, 0.9)), lambda: optim.Adam([p], betas=(0.9,)),
        lambda: optim.Adam([p], eps=float("nan")), lambda: optim.AdamW([p], weight_decay=-1),
        lambda: optim.SGD([p], lr=float("inf")), lambda: optim.SGD({p}),
        lambda: optim.SGD([{"lr": 1.0}]), lambda: optim.SGD([p]).add_param_group([q]),
        lambda: optim.SGD([("p", p), q]),
    ):  # fmt: skip
        with pytest.raises(ArgumentError):
            make()


@pytest.mark.parity
def test_text_shows_groups() -> None:
    text = repr(optim.SGD([nn.Parameter([1.0])], lr=0.1))
    assert text.splitlines()[:2] == ["SGD (", "Parameter Group 0"]
    assert "    lr: 0.1" in text
