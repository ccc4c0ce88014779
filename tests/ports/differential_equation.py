"""A network that solves Burgers' equation: derivatives with respect to inputs."""

import torch
import torch.nn as nn

from tests.ports.data import fill, normal

net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
net = fill(torch, net)
opt = torch.optim.Adam(net.parameters(), lr=0.001)


def losses() -> list[float]:
    """Of some steps."""
    out = []
    for i in range(3):
        x = normal(torch, 30, 1, seed=i).requires_grad_()
        t = normal(torch, 30, 1, seed=i + 7).requires_grad_()
        u = net(torch.cat([x, t], 1))
        ux = torch.autograd.grad(u, x, grad_outputs=torch.ones_like(u), create_graph=True)[0]
        uxx = torch.autograd.grad(ux.sum(), x, create_graph=True)[0]
        ut = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        f = ut + u * ux - 0.01 / torch.pi * uxx
        loss = torch.mean(f**2) + ((u + torch.sin(torch.pi * x)) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        out.append(loss.item())
    return out
