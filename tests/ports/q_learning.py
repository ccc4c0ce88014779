"""Deep Q-learning: named tuples, masks of bools, weights of two networks mixed by state_dict."""

from collections import namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

from tests.ports.data import fill, normal

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class DQN(nn.Module):
    def __init__(self, n, a):
        super().__init__()
        self.layer1 = nn.Linear(n, 32)
        self.layer2 = nn.Linear(32, 32)
        self.layer3 = nn.Linear(32, a)

    def forward(self, x):
        return self.layer3(F.relu(self.layer2(F.relu(self.layer1(x)))))


policy = DQN(4, 2)
policy = fill(torch, policy)
target = DQN(4, 2)
target.load_state_dict(policy.state_dict())
opt = optim.AdamW(policy.parameters(), lr=0.001, amsgrad=True)


def losses() -> list[float]:
    """Of some steps."""
    out = []
    for i in range(4):
        trans = [
            Transition(
                normal(torch, 1, 4, seed=100 * i + j),
                torch.tensor([[j % 2]], dtype=torch.long),
                normal(torch, 1, 4, seed=100 * i + j + 50) if j % 5 else None,
                torch.tensor([float(j % 3)]),
            )
            for j in range(16)
        ]
        batch = Transition(*zip(*trans))
        mask = torch.tensor(tuple(map(lambda s: s is not None, batch.next_state)), dtype=torch.bool)
        nn_states = torch.cat([s for s in batch.next_state if s is not None])
        sb = torch.cat(batch.state)
        ab = torch.cat(batch.action)
        rb = torch.cat(batch.reward)
        q = policy(sb).gather(1, ab)
        nv = torch.zeros(16)
        with torch.no_grad():
            nv[mask] = target(nn_states).max(1).values
        exp = nv * 0.99 + rb
        loss = nn.SmoothL1Loss()(q, exp.unsqueeze(1))
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(policy.parameters(), 100)
        opt.step()
        tsd = target.state_dict()
        psd = policy.state_dict()
        for k in psd:
            tsd[k] = psd[k] * 0.005 + tsd[k] * (1 - 0.005)
        target.load_state_dict(tsd)
        out.append(loss.item())
    return out
