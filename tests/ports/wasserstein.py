"""Two networks, one against the other, with a penalty on the slope of one of them."""

from __future__ import annotations

import torch
from torch import nn, optim

from tests.ports.data import fill, normal, uniform, whole


def losses() -> list[float]:
    generator = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    make, judge = fill(torch, generator), fill(torch, critic)
    of_generator = optim.Adam(generator.parameters(), lr=0.01, betas=(0.5, 0.9))
    of_critic = optim.Adam(critic.parameters(), lr=0.01, betas=(0.5, 0.9))

    def critic_step(real, noise, share):
        of_critic.zero_grad()
        fake = make(noise).detach()
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        (slope,) = torch.autograd.grad(judge(between).sum(), between, create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss = judge(fake).mean() - judge(real).mean() + 10 * penalty
        loss.backward()
        of_critic.step()
        return loss

    def generator_step(noise):
        of_generator.zero_grad()
        loss = -judge(make(noise)).mean()
        loss.backward()
        of_generator.step()
        return loss

    critic_step, generator_step = whole(torch, critic_step), whole(torch, generator_step)
    out = []
    for i in range(4):
        noise, share = normal(torch, 6, 4, seed=i), uniform(torch, 6, 1, seed=i)
        out.append(critic_step(normal(torch, 6, 2, seed=i + 20), noise, share).item())
        out.append(generator_step(normal(torch, 6, 4, seed=i + 40)).item())
    return out
