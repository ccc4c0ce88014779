"""Learning to learn: gradients of gradients, by torch.func and by autograd.grad."""

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from tests.ports.data import fill, normal

m = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
m = fill(torch, m)
params = dict(m.named_parameters())
opt = torch.optim.Adam(params.values(), lr=0.01)
mse = nn.functional.mse_loss


def losses() -> list[float]:
    """Of some steps."""
    out = []
    for i in range(3):
        x1, y1, x2, y2 = (normal(torch, 5, 10, 1, seed=10 * i + j) for j in range(4))

        def task(x1, y1, x2, y2):

            def inner(p, x, y):
                return mse(functional_call(m, p, (x,)), y)

            g = grad(inner)(params, x1, y1)
            new = {k: params[k] - 0.1 * g[k] for k in g}
            return inner(new, x2, y2)

        loss = vmap(task)(x1, y1, x2, y2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        out.append(loss.item())
        w = [p for p in m.parameters()]
        l = mse(m(x1[0]), y1[0])
        gs = torch.autograd.grad(l, w, create_graph=True)
        out.append(sum((q**2).sum() for q in gs).sqrt().item())
    return out
