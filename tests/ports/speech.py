"""Connectionist temporal classification over convolutions and a recurrent layer."""

from __future__ import annotations

import torch
from torch import nn, optim

from tests.ports.data import fill, integers, normal, whole


class Listener(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 8, 3, padding=1)
        self.rnn = nn.GRU(8, 6, bidirectional=True)
        self.out = nn.Linear(12, 5)

    def forward(self, x):
        x = torch.relu(self.conv(x)).permute(2, 0, 1)
        return self.out(self.rnn(x)[0]).log_softmax(2)


def losses() -> list[float]:
    model = Listener()
    fast = fill(torch, model)
    optimizer = optim.Adamax(model.parameters(), lr=0.02)
    criterion = nn.CTCLoss(zero_infinity=True)
    input_lengths, target_lengths = torch.tensor([10, 9, 8]), torch.tensor([4, 2, 3])

    def step(x, y):
        optimizer.zero_grad()
        loss = criterion(fast(x), y, input_lengths, target_lengths)
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.1)
        optimizer.step()
        return loss

    step = whole(torch, step)
    return [
        step(normal(torch, 3, 4, 10, seed=i), integers(torch, 3, 4, hi=4, seed=i) + 1).item()
        for i in range(5)
    ]
