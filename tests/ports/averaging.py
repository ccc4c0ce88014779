"""Warm-up, restarts, gradient accumulation, and averages of weights with their batch norms."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim import swa_utils

from tests.ports.data import fill, integers, normal, whole


def losses() -> list[float]:
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    fast = fill(torch, model)
    optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9, nesterov=True)
    schedule = optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=3),
            optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2),
        ],
        milestones=[3],
    )
    averaged = swa_utils.AveragedModel(model)
    moving = swa_utils.AveragedModel(
        model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.8), use_buffers=True
    )

    def part(x, y):
        loss = F.cross_entropy(fast(x), y) / 2
        loss.backward()
        return loss

    def update():
        optimizer.step()
        optimizer.zero_grad()
        moving.update_parameters(model)

    part, update = whole(torch, part), whole(torch, update)
    data = [(normal(torch, 5, 6, seed=i), integers(torch, 5, hi=3, seed=i)) for i in range(16)]
    out = []
    for i, (x, y) in enumerate(data):
        out.append(part(x, y).item())
        if i % 2:
            update()
            schedule.step()
            out.append(schedule.get_last_lr()[0])
        if i > 8:
            averaged.update_parameters(model)
    swa_utils.update_bn(data, averaged)
    averaged.eval()
    moving.eval()
    with torch.no_grad():
        return [*out, *(F.cross_entropy(m(x), y).item() for m in (averaged, moving))]
