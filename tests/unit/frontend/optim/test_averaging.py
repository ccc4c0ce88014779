"""Averages of weights against PyTorch's, dynamically and inside a compiled step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError
from graphc.optim import swa_utils

Options = Callable[[Any], dict[str, Any]]

OPTIONS: dict[str, Options] = {
    "equal": lambda m: {},
    "equal with buffers": lambda m: {"use_buffers": True},
    "swa": lambda m: {"avg_fn": m.get_swa_avg_fn()},
    "swa lists": lambda m: {"multi_avg_fn": m.get_swa_multi_avg_fn()},
    "ema": lambda m: {"avg_fn": m.get_ema_avg_fn(0.9)},
    "ema lists": lambda m: {"multi_avg_fn": m.get_ema_multi_avg_fn(0.3)},
    "ema with buffers": lambda m: {"multi_avg_fn": m.get_ema_multi_avg_fn(), "use_buffers": True},
    "own": lambda m: {"avg_fn": lambda a, b, n: a + (b - a) * 2 / (n + 3)},
}


class Training:
    """A model with batch norm, its average, and a step of both."""

    def __init__(self, options: Options, compiled: bool = False) -> None:
        gc.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
        self.average = swa_utils.AveragedModel(self.model, **options(swa_utils))
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.3, momentum=0.5)
        self.run = gc.compile(self.step) if compiled else self.step
        self.traces = 0

    def step(self, x: Any) -> Any:
        self.traces += 1
        self.optimizer.zero_grad()
        loss = (self.model(x) - 1).square().mean()
        loss.backward()
        self.optimizer.step()
        self.average.update_parameters(self.model)
        return loss


def data() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(6, 3)).astype(np.float32) for _ in range(6)]


@pytest.mark.parity
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_steps(name: str, compiled: bool) -> None:
    torch = pytest.importorskip("torch")
    ours = Training(OPTIONS[name], compiled)
    layers = torch.nn
    model = layers.Sequential(layers.Linear(3, 4), layers.BatchNorm1d(4), layers.Linear(4, 2))
    model.load_state_dict(
        {key: torch.tensor(x.numpy()) for key, x in ours.model.state_dict().items()}
    )
    module = torch.optim.swa_utils
    average = module.AveragedModel(model, **OPTIONS[name](module))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.5)
    for x in data():
        ours.run(gc.tensor(x))
        optimizer.zero_grad()
        (model(torch.tensor(x)) - 1).square().mean().backward()
        optimizer.step()
        average.update_parameters(model)
    assert ours.traces == (1 if compiled else len(data()))
    mine, other = ours.average.state_dict(), average.state_dict()
    assert list(mine) == list(other)
    for key, value in other.items():
        np.testing.assert_allclose(
            mine[key].numpy(), value.numpy(), rtol=1e-4, atol=1e-5, err_msg=key
        )


def test_equal_shares_by_hand() -> None:
    model = nn.Linear(2, 1, bias=False)
    average = swa_utils.AveragedModel(model)
    values = np.array([[1.0, 4.0], [2.0, -2.0], [6.0, 1.0]], np.float32)
    for count, value in enumerate(values, start=1):
        with gc.no_grad():
            model.weight.copy_(gc.tensor(value[None]))
        average.update_parameters(model)
        expected = values[:count].mean(0)
        np.testing.assert_allclose(average.module.weight.detach().numpy()[0], expected, rtol=1e-6)
        assert average.n_averaged.item() == count
    assert average(gc.ones(1, 2)).item() == pytest.approx(expected.sum(), rel=1e-6)
    assert model.weight.tolist() == [[6.0, 1.0]]


@pytest.mark.parity
def test_new_statistics_for_batch_norm() -> None:
    torch = pytest.importorskip("torch")
    ours = nn.Sequential(nn.BatchNorm1d(3, momentum=0.3), nn.Dropout(0.0)).eval()
    theirs = torch.nn.Sequential(torch.nn.BatchNorm1d(3, momentum=0.3)).eval()
    batches = data()
    swa_utils.update_bn([(gc.tensor(x), 3) for x in batches], ours)
    torch.optim.swa_utils.update_bn([torch.tensor(x) for x in batches], theirs)
    assert not ours.training
    assert ours[0].momentum == 0.3
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        found, expected = getattr(ours[0], name).numpy(), getattr(theirs[0], name).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours[0].running_mean.numpy(), np.stack(batches).mean((0, 1)), 1e-4)


def test_models_without_batch_norm_are_not_run() -> None:
    swa_utils.update_bn(iter(["no batch"]), nn.Linear(2, 2))


def test_an_error_leaves_batch_norm_as_it_was() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3, momentum=0.3)).eval()
    with pytest.raises(ValueError, match="no data"):
        swa_utils.update_bn(_failing(), model)
    assert (model[0].momentum, model.training) == (0.3, False)


def _failing() -> Any:
    yield gc.ones(2, 3)
    raise ValueError("no data")


def test_wrong_arguments_raise() -> None:
    average = swa_utils.get_swa_avg_fn()
    many = swa_utils.get_swa_multi_avg_fn()
    for make in (
        lambda: swa_utils.get_ema_avg_fn(1.5), lambda: swa_utils.get_ema_multi_avg_fn(-0.1),
        lambda: swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=average, multi_avg_fn=many),
        lambda: swa_utils.AveragedModel(nn.Linear(1, 1), "cuda"),
        lambda: swa_utils.update_bn([], nn.Linear(1, 1), "cuda"),
    ):  # fmt: skip
        with pytest.raises(ArgumentError):
            make()


@pytest.mark.parity
@pytest.mark.parametrize("module", ["optim", "optim.lr_scheduler", "optim.swa_utils"])
def test_every_name_is_there(module: str) -> None:
    torch = pytest.importorskip("torch")
    here, there = gc, torch
    for part in module.split("."):
        here, there = getattr(here, part), getattr(there, part)
    missing = {name for name in there.__all__ if not hasattr(here, name)}
    assert missing <= {"SparseAdam", "swap_in_optimizer_params_and_state"}  # see docs/absent.md
