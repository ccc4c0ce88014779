"""A GRU encoder and a decoder with attention, which sometimes reads its own words."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn, optim

from tests.ports.data import fill, integers, whole


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 6)
        self.encoder = nn.GRU(6, 6, batch_first=True)
        self.cell = nn.GRUCell(12, 6)
        self.score = nn.Linear(6, 6, bias=False)
        self.out = nn.Linear(12, 12)

    def forward(self, x, y, forced):
        memory, hidden = self.encoder(self.embedding(x))
        hidden, word, words = hidden[0], torch.zeros_like(y[:, 0]), []
        for t in range(y.shape[1]):
            scores = torch.bmm(self.score(memory), hidden.unsqueeze(2)).squeeze(2)
            context = (scores.softmax(1).unsqueeze(2) * memory).sum(1)
            hidden = self.cell(torch.cat([self.embedding(word), context], 1), hidden)
            words.append(self.out(torch.cat([hidden, context], 1)))
            word = torch.where(forced[t], y[:, t], words[-1].argmax(1))
        return torch.stack(words, 1)


def losses() -> list[float]:
    model = Translator()
    fast = fill(torch, model)
    optimizer = optim.NAdam(model.parameters(), lr=0.02)

    def step(x, y, forced):
        optimizer.zero_grad()
        logits = fast(x, y, forced)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=3)
        loss.backward()
        optimizer.step()
        return loss

    step = whole(torch, step)
    out = []
    for i in range(4):
        x = integers(torch, 3, 5, hi=12, seed=i)
        y = integers(torch, 3, 3, hi=12, seed=i + 9)
        out.append(step(x, y, integers(torch, 3, hi=2, seed=i) > 0).item())
    return out
