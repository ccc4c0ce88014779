"""A frozen teacher, a student with changed weights, and layers that thaw in the middle."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from tests.ports.data import fill, integers, normal, whole


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).transpose(-1, -2)


def losses() -> list[float]:
    teacher = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    teach = fill(torch, teacher)
    teacher.eval().requires_grad_(False)
    student = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.GELU(), nn.Linear(6, 3))
    learn = fill(torch, student)
    weight_norm(student[0])
    parametrize.register_parametrization(student[2], "weight", Symmetric())
    student[0].requires_grad_(False)
    optimizer = optim.RAdam(
        student.parameters(), lr=0.05, weight_decay=0.01, decoupled_weight_decay=True
    )

    def step(x, y):
        optimizer.zero_grad()
        with torch.no_grad():
            wanted = F.softmax(teach(x) / 2, -1)
        logits = learn(x)
        soft = F.kl_div(F.log_softmax(logits / 2, -1), wanted, reduction="batchmean")
        loss = F.cross_entropy(logits, y) / 2 + 2 * soft
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        return loss

    step = whole(torch, step)
    out = []
    for i in range(9):
        if i == 3:
            student[0].requires_grad_(True)
        if i == 6:
            student[4].requires_grad_(False)
        out.append(step(normal(torch, 5, 6, seed=i), integers(torch, 5, hi=3, seed=i)).item())
    return [*out, *(p.detach().norm().item() for p in student.parameters())]
