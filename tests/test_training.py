"""The main promise: one training step, the same losses dynamically, with numpy and natively."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.frontend.data.digits import load_digits

STEPS = 50


def batches() -> list[tuple[Any, Any]]:
    images, labels = load_digits()
    rows = images.reshape(-1, 64).astype(np.float32) / 16
    return [
        (gc.tensor(rows[k * 32 : k * 32 + 32]), gc.tensor(labels[k * 32 : k * 32 + 32]).long())
        for k in range(STEPS)
    ]


def make(optimizer_class: Callable[..., Any], **options: Any) -> tuple[Any, Any, Any]:
    gc.manual_seed(5)
    model = nn.Sequential(
        nn.Linear(64, 48, bias=False), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(48, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = optimizer_class(model.parameters(), **options)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        return loss

    return model, optimizer, step


def train(run: Callable[[Any, Any], Any], optimizer: Any) -> list[float]:
    losses = []
    for k, (x, y) in enumerate(batches()):
        if k == STEPS // 2:
            optimizer.param_groups[0]["lr"] *= 0.5
        losses.append(run(x, y).item())
    return losses


OPTIMIZERS = {
    "sgd": (optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}),
    "adam": (optim.Adam, {"lr": 3e-3}),
    "adamw": (optim.AdamW, {"lr": 3e-3, "weight_decay": 0.1}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_are_the_same_in_every_execution(name: str) -> None:
    optimizer_class, options = OPTIMIZERS[name]
    model, optimizer, step = make(optimizer_class, **options)
    dynamic = train(step, optimizer)
    assert np.mean(dynamic[-5:]) < 0.6 * dynamic[0]
    finals = {"dynamic": model.state_dict()}
    for backend in ("numpy", "llvm"):
        other, optimizer, step = make(optimizer_class, **options)
        fast = gc.compile(step, backend=backend)
        static = train(fast, optimizer)
        assert fast.cache_info().misses == 1, "changing the learning rate must not recompile"
        finals[backend] = other.state_dict()
        if backend == "numpy":
            assert static == dynamic
        else:
            np.testing.assert_allclose(static, dynamic, rtol=2e-4)
    for key, value in finals["dynamic"].items():
        np.testing.assert_array_equal(value.numpy(), finals["numpy"][key].numpy(), err_msg=key)
        np.testing.assert_allclose(
            value.numpy(), finals["llvm"][key].numpy(), rtol=5e-3, atol=2e-4, err_msg=key
        )


def test_train_and_eval_sessions_share_weights() -> None:
    model, _, step = make(optim.Adam, lr=1e-2)
    fast = gc.compile(step)
    predict = gc.compile(lambda x: model(x).argmax(1))
    (x, y), *_ = batches()
    for _ in range(30):
        fast(x, y)
    model.eval()
    assert float((predict(x) == y).float().mean()) > 0.9
    assert predict.cache_info().misses == 1
    model.train()
    predict(x)
    assert predict.cache_info().misses == 2


def test_against_pytorch_without_dropout() -> None:
    torch = pytest.importorskip("torch")
    gc.manual_seed(1)
    ours = nn.Sequential(
        nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10)
    )  # fmt: skip
    theirs = torch.nn.Sequential(
        torch.nn.Linear(64, 32), torch.nn.BatchNorm1d(32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
    )
    theirs.load_state_dict(
        {key: torch.tensor(value.numpy()) for key, value in ours.state_dict().items()}
    )
    opt, torch_opt = (
        optim.AdamW(ours.parameters(), lr=1e-2),
        torch.optim.AdamW(theirs.parameters(), lr=1e-2),
    )

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = F.cross_entropy(ours(x), y)
        loss.backward()
        opt.step()
        return loss

    fast = gc.compile(step)
    for x, y in batches()[:20]:
        torch_opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            theirs(torch.tensor(x.numpy())), torch.tensor(y.numpy())
        )
        loss.backward()
        torch_opt.step()
        np.testing.assert_allclose(fast(x, y).item(), loss.item(), rtol=1e-3)
