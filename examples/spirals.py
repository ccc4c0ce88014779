"""Two spirals that no straight line separates: ordinary code, run dynamically or compiled.

python examples/spirals.py             one compiled training step
python examples/spirals.py --dynamic   the same code, op by op
"""

import argparse
import math
import time

import numpy as np

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.utils.data import DataLoader, TensorDataset


def spirals(count: int, seed: int) -> TensorDataset:
    """Points of two noisy spirals, and which one each belongs to."""
    random = np.random.default_rng(seed)
    label = np.arange(count) % 2
    turn = random.uniform(0.3, 3.0, count)
    angle = turn * 2 * math.pi / 1.5 + label * math.pi
    points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1)
    points += random.normal(0, 0.05, points.shape)
    return TensorDataset(gc.tensor(points, dtype=gc.float32), gc.tensor(label, dtype=gc.int64))


def main() -> None:
    """Train, and print loss, accuracy and time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dynamic", action="store_true", help="run op by op")
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()

    gc.manual_seed(0)
    train, test = spirals(2000, seed=1), spirals(500, seed=2)
    model = nn.Sequential(
        nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)
    )
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=arguments.epochs)

    def step(x: gc.Tensor, y: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = step if arguments.dynamic else gc.compile(step)
    started = time.perf_counter()
    for _ in range(arguments.epochs):
        for x, y in DataLoader(train, batch_size=100, shuffle=True):
            loss = run(x, y)
        scheduler.step()
    seconds = time.perf_counter() - started

    points, labels = test.tensors
    with gc.no_grad():
        accuracy = (model(points).argmax(1) == labels).float().mean()
    kind = "dynamic" if arguments.dynamic else "compiled"
    print(f"{kind}: loss {loss.item():.4f}, accuracy {accuracy.item():.1%}, {seconds:.2f} s")


if __name__ == "__main__":
    main()
