"""A variational autoencoder: two losses, summed, and noise from outside."""

import torch
import torch.nn.functional as F
from torch import nn, optim

from tests.ports.data import fill, normal, uniform


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 40)
        self.fc21 = nn.Linear(40, 5)
        self.fc22 = nn.Linear(40, 5)
        self.fc3 = nn.Linear(5, 40)
        self.fc4 = nn.Linear(40, 784)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return (self.fc21(h1), self.fc22(h1))

    def reparameterize(self, mu, logvar, eps):
        std = torch.exp(0.5 * logvar)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x, eps):
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar, eps)
        return (self.decode(z), mu, logvar)


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 784), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = VAE().to(device)
model = fill(torch, model)
optimizer = optim.Adam(model.parameters(), lr=0.001)


def losses() -> list[float]:
    """Of some steps."""
    out = []
    model.train()
    for i in range(4):
        data = uniform(torch, 32, 1, 28, 28, seed=i).to(device)
        eps = normal(torch, 32, 5, seed=100 + i)
        optimizer.zero_grad()
        recon, mu, logvar = model(data, eps)
        loss = loss_function(recon, data, mu, logvar)
        loss.backward()
        out.append(loss.item())
        optimizer.step()
    return out
