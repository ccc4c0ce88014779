"""The image is what is trained, by LBFGS with a closure."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

from tests.ports.data import fill, normal

cnn = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),
    nn.ReLU(inplace=False),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 8, 3, padding=1),
    nn.ReLU(),
)
cnn = fill(torch, cnn)
cnn.requires_grad_(False).eval()


def gram(i):
    a, b, c, d = i.size()
    f = i.view(a * b, c * d)
    G = torch.mm(f, f.t())
    return G.div(a * b * c * d)


style = gram(cnn(normal(torch, 1, 3, 16, 16, seed=1))).detach()
content = cnn(normal(torch, 1, 3, 16, 16, seed=2)).detach()
img = normal(torch, 1, 3, 16, 16, seed=2).clone().requires_grad_(True)
opt = optim.LBFGS([img])


def losses() -> list[float]:
    """Of some steps."""
    out = []
    for _ in range(2):

        def closure():
            with torch.no_grad():
                img.clamp_(-2, 2)
            opt.zero_grad()
            f = cnn(img)
            loss = 1000.0 * F.mse_loss(gram(f), style) + F.mse_loss(f, content)
            loss.backward()
            out.append(loss.item())
            return loss

        opt.step(closure)
    return out[:12]
