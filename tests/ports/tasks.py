"""Losses of two tasks with learned weights, a head that nobody uses, and a look at the accuracy."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn, optim

from tests.ports.data import fill, integers, normal, whole


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.SiLU())
        sizes = {"kind": 3, "size": 1, "unused": 2}
        self.heads = nn.ModuleDict({name: nn.Linear(8, size) for name, size in sizes.items()})
        self.doubts = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(2)])

    def forward(self, x):
        x = self.body(x)
        return {name: head(x) for name, head in self.heads.items()}


def losses() -> list[float]:
    model = Heads()
    fast = fill(torch, model)
    optimizer = optim.AdamW(model.parameters(), lr=0.05, amsgrad=True)

    def step(x, kind, size):
        model.train()
        optimizer.zero_grad()
        out = fast(x)
        parts = [
            F.cross_entropy(out["kind"], kind),
            F.huber_loss(out["size"].squeeze(-1), size),
        ]
        doubts = model.doubts
        loss = sum((-d).exp() * part + d for d, part in zip(doubts, parts, strict=True)).sum()
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            right = (fast(x)["kind"].argmax(1) == kind).float().mean()
        model.train()
        return loss, right

    step = whole(torch, step)
    found = []
    for i in range(5):
        kind = integers(torch, 5, hi=3, seed=i)
        found += step(normal(torch, 5, 6, seed=i), kind, normal(torch, 5, seed=i + 9))
    unused = model.heads["unused"].weight
    return [*(x.item() for x in found), float(unused.grad is None), unused.detach().sum().item()]
