"""An LSTM whose states go from one batch to the next."""

import torch
import torch.nn as nn

from tests.ports.data import fill, integers


class LM(nn.Module):
    def __init__(self, V, E, H, L):
        super().__init__()
        self.embed = nn.Embedding(V, E)
        self.lstm = nn.LSTM(E, H, L, batch_first=True)
        self.linear = nn.Linear(H, V)

    def forward(self, x, h):
        x = self.embed(x)
        out, (h, c) = self.lstm(x, h)
        out = out.reshape(out.size(0) * out.size(1), out.size(2))
        return (self.linear(out), (h, c))


def detach(states):
    return [state.detach() for state in states]


m = LM(30, 12, 16, 2)
m = fill(torch, m)
crit = nn.CrossEntropyLoss()
opt = torch.optim.Adam(m.parameters(), lr=0.002)


def losses() -> list[float]:
    """Of some steps."""
    out = []
    states = (torch.zeros(2, 4, 16), torch.zeros(2, 4, 16))
    for i in range(4):
        x = integers(torch, 4, 9, hi=30, seed=i)
        y = integers(torch, 4, 9, hi=30, seed=i + 50)
        states = detach(states)
        o, states = m(x, states)
        loss = crit(o, y.reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(m.parameters(), 0.5)
        opt.step()
        out.append(loss.item())
    return out
