"""Embeddings from triplets of images: lazy layers, groups of parameters, three losses."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.ports.data import fill, normal


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 4, 5),
            nn.PReLU(),
            nn.MaxPool2d(2, stride=2),
            nn.Conv2d(4, 8, 5),
            nn.PReLU(),
            nn.AvgPool2d(2),
        )
        self.fc = nn.Sequential(nn.LazyLinear(16), nn.ELU(), nn.Linear(16, 3))

    def forward(self, x):
        o = self.conv(x)
        o = o.view(o.size()[0], -1)
        return F.normalize(self.fc(o), p=2, dim=1)


net = Net()
net(normal(torch, 1, 1, 20, 20, seed=0))
net = fill(torch, net)
opt = torch.optim.Adam(
    [{"params": net.conv.parameters(), "lr": 0.001}, {"params": net.fc.parameters()}],
    lr=0.005,
    weight_decay=0.0001,
)
sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=10)
tl = nn.TripletMarginLoss(margin=1.0, p=2)
cl = nn.CosineEmbeddingLoss(margin=0.3)


def losses() -> list[float]:
    """Of some steps."""
    out = []
    for i in range(3):
        a, p, n = (net(normal(torch, 6, 1, 20, 20, seed=3 * i + j)) for j in range(3))
        loss = (
            tl(a, p, n)
            + 0.1 * cl(a, p, torch.ones(6))
            + 0.05 * torch.cdist(a, n).clamp(min=0.1).log().neg().mean()
        )
        opt.zero_grad()
        loss.backward()
        opt.step()
        sch.step()
        out.append(loss.item())
    return out
