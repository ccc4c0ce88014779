"""Texts of several lengths: packed sequences in an LSTM, beside a bag of words."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.nn.utils.rnn import pack_padded_sequence

from tests.ports.data import fill, integers, whole


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 5, padding_idx=0)
        self.rnn = nn.LSTM(5, 6, 2, batch_first=True, bidirectional=True)
        self.bag = nn.EmbeddingBag(20, 4, mode="mean")
        self.out = nn.Linear(16, 2)

    def forward(self, x, lengths, words, offsets):
        packed = pack_padded_sequence(
            self.embedding(x), lengths, batch_first=True, enforce_sorted=False
        )
        _, (hidden, _) = self.rnn(packed)
        return self.out(torch.cat([hidden[-2], hidden[-1], self.bag(words, offsets)], 1))


def losses() -> list[float]:
    model = Reader()
    fast = fill(torch, model)
    optimizer = optim.Adam(
        [
            {"params": [*model.embedding.parameters(), *model.bag.parameters()], "lr": 0.1},
            {"params": [*model.rnn.parameters(), *model.out.parameters()]},
        ],
        lr=0.02,
    )
    offsets = torch.tensor([0, 3, 3, 7])

    def step(x, lengths, words, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(fast(x, lengths, words, offsets), y, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        return loss

    step = whole(torch, step)
    out = []
    for i in range(5):
        x = integers(torch, 4, 7, hi=20, seed=i)
        lengths = integers(torch, 4, hi=6, seed=i + 30) + 1
        words = integers(torch, 11, hi=20, seed=i + 60)
        out.append(step(x, lengths, words, integers(torch, 4, hi=2, seed=i)).item())
    return out
